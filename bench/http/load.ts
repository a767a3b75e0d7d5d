/** Asks one server as fast as it answers, or at a steady rate, and says what came of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { processorMs } from './processor.ts';
import { cores, pinned, type Server } from './servers.ts';

export interface LoadWanted {
  readonly path: string;
  readonly seconds: number;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests per second over all connections; absent: as many as are answered. */
  readonly rate?: number;
  /** As people do: each connection asks once a second, some at one time and some at another. */
  readonly isPaced?: boolean;
  /** Asked for in turn by each connection, in place of `path` alone. */
  readonly requests?: readonly { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: string }[];
}

/** What the client's process is told. */
export interface ClientOptions extends Omit<LoadWanted, 'path'> {
  readonly url: string;
}

export interface Loaded {
  readonly perSecond: number;
  /** Requests per second of the server's processor time: what a core that does nothing else answers. */
  readonly perCoreSecond: number;
  /** Share of a core that the server took. */
  readonly busy: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

const program = fileURLToPath(new URL('client.ts', import.meta.url));

/** @throws where anything but a 2xx was answered: errors are answered faster than pages. */
export const load = async (server: Pick<Server, 'name' | 'url' | 'pid'>, { path, ...wanted }: LoadWanted): Promise<Loaded> => {
  const options = JSON.stringify({ url: `${server.url}${path}`, ...wanted } satisfies ClientOptions);
  const [command, args] = pinned(cores.client, process.execPath, [program, options]);
  const before = { cpuMs: processorMs(server.pid), atMs: performance.now() };
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: (wanted.seconds + 30) * 1_000 });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const cpuMs = processorMs(server.pid) - before.cpuMs;
  const wallMs = performance.now() - before.atMs;
  if (code !== 0) throw new Error(`the load on ${server.name} ended with code ${code}`);
  const { requests, failures, p50Ms, p95Ms, p99Ms, seconds } = JSON.parse(output) as Record<string, number> & { requests: number };
  if (failures !== 0 || requests === 0) throw new Error(`${server.name} answered ${failures} of ${requests} requests with something else`);
  return {
    perSecond: requests / (seconds ?? Number.NaN),
    perCoreSecond: requests / (cpuMs / 1_000),
    busy: cpuMs / wallMs,
    p50Ms: p50Ms ?? Number.NaN,
    p95Ms: p95Ms ?? Number.NaN,
    p99Ms: p99Ms ?? Number.NaN,
  };
};
