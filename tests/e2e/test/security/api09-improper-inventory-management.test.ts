/** API9:2023. What is served is what the contract lists, and nothing says of what it is made. That the reference says the same is in reference.test.ts. */
import { routesAt } from '@settler/contracts/routes';
import { statefulServices } from '@settler/contracts/services';
import { client, type Island, sharedSystem } from '@settler/harness';
import { beforeAll, expect, test } from 'vitest';
import { type Attack, attack, everyRoute, pathToNothing } from '../../src/security/attack.ts';

let world: Attack;
let island: Island;

beforeAll(async () => {
  world = await attack();
  ({ island } = await sharedSystem());
});

/** What other programs have, what ours has behind the gateway, and what is left lying about. */
const forgotten = [
  ...['', '/', '/v1', '/v1/', '/v0/jobs', '/v2/jobs', '/v1beta/jobs', '/api', '/api/v1/jobs', '/rest', '/rpc', '/graphql', '/graphiql'],
  ...['/admin', '/v1/admin', '/console', '/debug', '/debug/pprof', '/debug/vars', '/actuator', '/actuator/env', '/actuator/heapdump'],
  ...['/metrics', '/v1/metrics', '/prometheus', '/status', '/server-status', '/info', '/version', '/v1/version', '/ping', '/healthz'],
  ...['/swagger', '/swagger.json', '/swagger-ui', '/documentation', '/documentation/json', '/openapi.yaml', '/openapi', '/v1/openapi.json'],
  ...['/.env', '/.git/config', '/.git/HEAD', '/package.json', '/pnpm-lock.yaml', '/node_modules', '/src/main.ts', '/server.js', '/dist'],
  ...['/.well-known/openid-configuration', '/.well-known/security', '/robots', '/favicon', '/wp-login.php', '/phpinfo.php', '/cgi-bin/x'],
  ...[
    '/internal',
    '/internal/',
    '/internal/api-keys/verify',
    '/internal/revocations',
    '/internal/sessions/x',
    '/internal/jobs/x/definition',
  ],
  ...['/v1/internal', '/v1/users', '/v1/organizations', '/v1/sessions', '/v1/tokens', '/v1/secrets', '/v1/outbox', '/v1/dead-letters'],
  ...['/v1/auth', '/v1/auth/token', '/v1/auth/impersonate', '/v1/me/role', '/v1/test', '/v1/seed', '/v1/reset', '/v1/jobs/x/secrets'],
];

test('nothing answers that the contract does not list, with any method and any credential', async () => {
  const { ours } = world;
  const found: string[] = [];
  for (const path of forgotten) {
    for (const method of ['GET', 'POST']) {
      const { status } = await fetch(world.url + path, { method, headers: { 'x-api-key': ours.apiKey }, redirect: 'manual' });
      if (status !== 404) found.push(`${method} ${path} answered ${status}`);
    }
  }
  expect(found).toEqual([]);
});

test('each path takes the methods that it has, and says so of every other', async () => {
  const faults: string[] = [];
  const paths = new Map(everyRoute.map(([, route]) => [route.path, pathToNothing(route)]));
  for (const [listed, path] of paths) {
    const allowed = [...routesAt(path).keys()];
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE']) {
      if ((allowed as readonly string[]).includes(method)) continue;
      const answer = await fetch(world.url + path, { method, headers: { 'x-api-key': world.ours.apiKey } });
      const isRefused = answer.status === 405 || answer.status === 404;
      if (!isRefused) faults.push(`${method} ${listed} answered ${answer.status}`);
      if (answer.status === 405 && answer.headers.get('allow')?.includes(method)) faults.push(`${method} ${listed} is said to be allowed`);
      await answer.arrayBuffer();
    }
  }
  expect(faults).toEqual([]);
});

test('no answer says what it is made of, or of which version', async () => {
  const { ours } = world;
  const asked = [
    '/health',
    '/health/ready',
    '/v1/jobs',
    '/v1/nothing',
    '/openapi.json',
    '/docs',
    '/.well-known/jwks.json',
    `/v1/executions/${ours.executionId}/export?format=csv`,
    `/v1/executions/${ours.executionId}/events`,
  ];
  for (const path of asked) {
    const { headers } = await ours.key.get(path);
    const names = [...headers.keys()];
    expect(names.filter((name) => /^(server|x-powered-by|via|x-aspnet-version|x-runtime|x-served-by|x-backend.*)$/.test(name))).toEqual([]);
    expect([...headers.values()].join(' ')).not.toMatch(/fastify|node\/|express|postgres|undici/i);
  }
  const health = JSON.stringify((await ours.anonymous.get('/health')).body);
  expect(health).not.toMatch(/127\.0\.0\.1|localhost|:\d{4,5}|version|nats:|postgres:/i);
});

test.each(statefulServices)('%s itself serves nothing more, and nothing to whoever comes without the gateway', async (service) => {
  const anonymous = client(island.serviceUrl(service));
  const found: string[] = [];
  for (const path of forgotten.filter((name) => !name.startsWith('/internal/') && name !== '/metrics')) {
    const { status } = await anonymous.get(path);
    if (status !== 404) found.push(`${path} answered ${status}`);
  }
  expect(found).toEqual([]);
  for (const [name, route] of everyRoute.filter(([, { service: owner, method }]) => owner === service && method === 'GET'))
    expect([name, (await anonymous.get(pathToNothing(route))).status]).toEqual([name, 401]);
});
