/**
 * The gateway, with everything it does to a request, beside proxies that do less: `npm run bench:gateway`, five minutes, or two with
 * `-- --quick`. docs/guides/benchmarks.md says what is measured and how to read it.
 */
import { cpus, loadavg } from 'node:os';
import { freePorts } from '../packages/local/src/processes/ports.ts';
import { installWorkspace } from '../scripts/workspaces/install.ts';
import { type BulkOptions, bulkLoad, memoryMb } from './http/bulk-load.ts';
import { type Loaded, load } from './http/load.ts';
import { startNginx } from './http/nginx.ts';
import { cores, isInstalled, type Server, startProgram } from './http/servers.ts';
import { readArguments } from './measure/arguments.ts';
import { describe, type Figure, median, shown } from './measure/figures.ts';
import { runProgram } from './measure/program.ts';
import { type Settler, startSettler } from './settler.ts';

const { isQuick } = readArguments('gateway');
const warmUpSeconds = isQuick ? 4 : 10;
const seconds = isQuick ? 2 : 3;
const rounds = isQuick ? 3 : 7;
const connections = 50;
const coldKeys = isQuick ? 20 : 60;
const path = '/v1/jobs';
const mebibyte = 1024 * 1024;
const bulkBytes = (isQuick ? 256 : 1024) * mebibyte;
const slowBytesPerSecond = 64 * mebibyte;
const someExecution = 'exe_01jd0000000000000000000000';

installWorkspace('bench');
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}`);

const started: { readonly stop: () => Promise<unknown> }[] = [];
const keep = <Kept extends { readonly stop: () => Promise<unknown> }>(server: Kept): Kept => {
  started.push(server);
  return server;
};

/** Of the same server, several times with the others in between. */
const middle = (runs: readonly Loaded[], value: (loaded: Loaded) => number): number => median(runs.map(value));

/**
 * What a large body takes beyond what a small one did: of what has passed, V8 leaves some 64 MB lying before it collects them,
 * whatever the size of the body. A gateway that held bodies would add that size.
 */
const measureBulk = async (settler: Settler): Promise<Figure[]> => {
  const [upstreamPort = 0, gatewayPort = 0] = await freePorts(2, process.pid);
  const upstream = keep(await startProgram('bulk upstream', cores.client, upstreamPort, 'http/bulk-upstream', String(bulkBytes)));
  const gateway = keep(await settler.startGateway(gatewayPort, upstream.url));
  const wanted = { headers: { 'x-api-key': await settler.createKey('files:write', 'reports:export') }, bytesPerSecond: slowBytesPerSecond };
  const size = isQuick ? '256 MiB' : '1 GiB';
  console.log(`\nbodies; the gateway has ${memoryMb(gateway.pid, 'VmRSS').toFixed(0)} MB at its start`);
  await bulkLoad(gateway, '/v1/files', { ...wanted, bytes: 64 * mebibyte, way: 'length' });
  const beforeMb = memoryMb(gateway.pid, 'VmRSS');
  const figure = async (name: string, path: string, way: BulkOptions['way']): Promise<Figure> => {
    const peakMb = await bulkLoad(gateway, path, { ...wanted, bytes: bulkBytes, way });
    return { name: `${name}, memory added`, value: peakMb - beforeMb, unit: 'MB', most: 64 };
  };
  return [
    await figure(`upload of ${size}`, '/v1/files', 'length'),
    await figure(`upload of ${size} in chunks`, '/v1/files', 'chunks'),
    await figure(`answer of ${size} to a slow reader`, `/v1/executions/${someExecution}/export`, 'slow reader'),
  ];
};

const measure = async (): Promise<Figure[]> => {
  const settler = keep(await startSettler());
  const [upstreamPort = 0, gatewayPort = 0, proxyPort = 0, undiciPort = 0, nginxPort = 0] = await freePorts(5, process.pid);
  const upstream = keep(await startProgram('upstream', cores.client, upstreamPort, 'http/upstream'));
  const gateway = keep(await settler.startGateway(gatewayPort, upstream.url));
  const proxy = keep(await startProgram('@fastify/http-proxy', cores.server, proxyPort, 'peers/fastify-http-proxy', upstream.url));
  const undici = keep(await startProgram('undici.dispatch', cores.server, undiciPort, 'peers/undici-proxy', upstream.url));
  const nginx = isInstalled('nginx') ? keep(await startNginx(nginxPort, upstream.url)) : undefined;
  if (nginx === undefined) console.log('nginx is not installed: it is left out');

  const withKey = { 'x-api-key': await settler.createKey('jobs:read') };
  const withToken = { authorization: `Bearer ${settler.accessToken}` };
  const ask = async (server: Server, headers: Readonly<Record<string, string>>, rate?: number): Promise<Loaded> => {
    const loaded = await load(server, { path, seconds, connections, headers, ...(rate === undefined ? {} : { rate }) });
    const how = [rate === undefined ? 'saturated' : `${rate.toFixed(0)}/s`, 'authorization' in headers ? ', access token' : ''].join('');
    console.log(
      `${server.name.padEnd(20)} ${how.padEnd(24)} ${loaded.perSecond.toFixed(0).padStart(6)} req/s, ${(loaded.busy * 100).toFixed(0).padStart(3)} % of a core, ` +
        `${(1e6 / loaded.perCoreSecond).toFixed(1).padStart(6)} µs of it per request, p50 ${shown(loaded.p50Ms)} ms, p99 ${shown(loaded.p99Ms)} ms`,
    );
    return loaded;
  };

  console.log(`\n${connections} connections, ${seconds} s each, in turn`);
  const others = [upstream, proxy, undici, ...(nginx === undefined ? [] : [nginx])];
  const runs = new Map<Server, Loaded[]>([...others, gateway].map((server) => [server, []]));
  const tokenRuns: Loaded[] = [];
  // Cold code is nobody's figure.
  for (const server of runs.keys()) await load(server, { path, seconds: warmUpSeconds, connections, headers: withKey });
  for (let round = 0; round < rounds; round += 1) {
    for (const [server, done] of runs) done.push(await ask(server, server === gateway ? withKey : {}));
    tokenRuns.push(await ask(gateway, withToken));
  }
  const per = (server: Server): number => middle(runs.get(server) ?? [], ({ perCoreSecond }) => perCoreSecond);
  /** Round by round, since the machine is not as fast in one as in another. */
  const over = (server: Server): number => {
    const theirs = runs.get(server) ?? [];
    return median(
      (runs.get(gateway) ?? []).map(({ perCoreSecond }, round) => perCoreSecond / (theirs[round]?.perCoreSecond ?? Number.NaN)),
    );
  };

  const half = middle(runs.get(gateway) ?? [], ({ perSecond }) => perSecond) / 2;
  const added: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const direct = await ask(upstream, {}, half);
    added.push((await ask(gateway, withKey, half)).p99Ms - direct.p99Ms);
  }

  const firstUses: number[] = [];
  for (let key = 0; key < coldKeys; key += 1) {
    const headers = { 'x-api-key': await settler.createKey('jobs:read') };
    const from = performance.now();
    const answer = await fetch(`${gateway.url}${path}`, { headers });
    await answer.text();
    if (!answer.ok) throw new Error(`a new key was answered with ${answer.status}`);
    firstUses.push(performance.now() - from);
  }
  const checks: number[] = [];
  for (let round = 0; round < rounds; round += 1) checks.push((await runProgram('own/key-check', [])).values['microseconds'] ?? Number.NaN);

  const bulk = await measureBulk(settler);

  console.log('\nwithout a goal');
  const told: readonly (readonly [string, string])[] = [
    ['gateway / the upstream directly', `${shown(over(upstream))} ×`],
    ['gateway with an access token / with a key', `${shown(middle(tokenRuns, ({ perCoreSecond }) => perCoreSecond) / per(gateway))} ×`],
    ['first use of a key, median', `${shown(median(firstUses))} ms`],
    ['check of a known key', `${shown(median(checks))} µs`],
  ];
  for (const [name, value] of told) console.log(`${name.padEnd(52)}  ${value.padStart(12)}`);

  return [
    { name: 'gateway / @fastify/http-proxy', value: over(proxy), unit: '×', least: 1 },
    { name: 'gateway / undici.dispatch without features', value: over(undici), unit: '×', least: 0.7 },
    ...(nginx === undefined ? [] : [{ name: 'gateway / nginx', value: over(nginx), unit: '×', least: 0.15 } as const]),
    { name: 'p99 that the gateway adds at half of saturation', value: median(added), unit: 'ms', most: 10 },
    { name: 'check of a known key / whole request', value: (median(checks) * per(gateway)) / 1e6, unit: '×', most: 0.1 },
    ...bulk,
  ];
};

try {
  const figures = await measure();
  console.log('');
  for (const figure of figures) console.log(describe(figure));
} finally {
  for (const server of started.toReversed()) await server.stop();
}
