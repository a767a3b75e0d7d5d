/**
 * API5:2023. That each route refuses a key without its scope is asked by routes.test.ts. Here each scope and each role alone is tried
 * on every route, through the gateway and behind it, where a service has to refuse by itself what the gateway would let through.
 */
import type { Route } from '@settler/contracts/routes';
import { allows, type Role, roles, type Scope, scopes, scopesFor } from '@settler/contracts/scopes';
import { statefulServices } from '@settler/contracts/services';
import { type Answer, type Client, client, type Island, sharedSystem } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../../src/databases.ts';
import { must } from '../../src/party.ts';
import { askRoute } from '../../src/routes/probe.ts';
import { type Attack, attack, everyRoute, pathToNothing } from '../../src/security/attack.ts';

let world: Attack;
let island: Island;
let databases: Databases;

beforeAll(async () => {
  world = await attack();
  ({ island } = await sharedSystem());
  databases = await openDatabases(island);
});
afterAll(() => databases.close());

const guarded = everyRoute.filter(([, { access }]) => access !== 'public');
const isScope = (access: Route['access']): access is Scope => access !== 'public' && access !== 'any' && access !== 'user';

/** Nothing that exists is named and no body is sent, so whoever may pass gets no further than to a refusal or a read. */
const probe = (who: Client, route: Route): Promise<Answer> => askRoute(who, route, pathToNothing(route));

/** One line for each route that answers whoever has these scopes other than it should. */
const faultsOf = async (who: Client, granted: readonly Scope[], kind: 'user' | 'apiKey'): Promise<string[]> => {
  const faults: string[] = [];
  for (const [name, route] of guarded) {
    const { access } = route;
    const may = isScope(access) ? allows(granted, access) : access === 'any' || kind === 'user';
    const { status, body } = await probe(who, route);
    const isRefused = status === 403 && (!isScope(access) || body.requiredScope === access);
    if (status === 401 || status >= 500 || isRefused === may) faults.push(`${name} (${access}) answered ${status}`);
  }
  return faults;
};

// What these do with nothing said would be an effect: setting up a second factor, and that of a user alone.
test.each(scopes.filter((name) => name !== '*'))('a key with the scope %s alone does what it says and nothing else', async (scope) => {
  const { key } = await must(201, world.ours.user.post('/v1/api-keys', { name: 'alone', scopes: [scope] }));
  expect(await faultsOf(client(world.url, { apiKey: key }), [scope], 'apiKey')).toEqual([]);
});

const memberWith = async (role: Role): Promise<Client> => {
  const { ours, url } = world;
  const account = { email: `${role}-of-attacker@example.com`, password: 'a password of several words' };
  const { user } = await must(201, ours.anonymous.post('/v1/auth/register', { ...account, organizationName: 'Elsewhere' }));
  const join = 'insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, $3, now())';
  await databases.rows('identity', join, [ours.organizationId, user.id, role]);
  const login = await must(200, ours.anonymous.post('/v1/auth/login', { ...account, organizationId: ours.organizationId }));
  return client(url, { token: login.accessToken });
};

test.each(roles)('the role %s does what it says and nothing else', async (role) => {
  expect(await faultsOf(await memberWith(role), scopesFor(role), 'user')).toEqual([]);
});

describe.each(statefulServices)('%s, asked without the gateway', (service) => {
  const own = guarded.filter(([, route]) => route.service === service);

  test('lets nobody through who has every scope but the one', async () => {
    const faults: string[] = [];
    for (const [name, route] of own) {
      const { access } = route;
      if (!isScope(access)) continue;
      const granted = scopes.filter((other) => other !== '*' && other !== access);
      const token = island.principalToken({ audience: service, organizationId: world.ours.organizationId, scopes: granted });
      const { status, body } = await probe(client(island.serviceUrl(service), { token }), route);
      if (status !== 403 || body.requiredScope !== access) faults.push(`${name} answered ${status}`);
    }
    expect(faults).toEqual([]);
  });

  test('takes nobody for somebody, and no key for a user', async () => {
    const { organizationId } = world.ours;
    const ask = (wanted: object) => client(island.serviceUrl(service), { token: island.principalToken({ audience: service, ...wanted }) });
    const faults: string[] = [];
    for (const [name, route] of own) {
      const nobody = await probe(ask({ kind: 'anonymous', organizationId }), route);
      const nowhere = await probe(ask({ kind: 'user' }), route);
      if (nobody.status !== 401 || nowhere.status !== 401) faults.push(`${name} answered ${nobody.status} and ${nowhere.status}`);
      if (route.access !== 'user') continue;
      const key = await probe(ask({ kind: 'apiKey', organizationId }), route);
      if (key.status !== 403) faults.push(`${name} answered a key ${key.status}`);
    }
    expect(faults).toEqual([]);
  });
});

test('a method, a header and a query that name another function change nothing', async () => {
  const { ours } = world;
  const reader = await ours.without('jobs:delete');
  const path = `/v1/jobs/${ours.jobId}`;
  const asked = [
    await reader.post(path, {}, { headers: { 'x-http-method-override': 'DELETE' } }),
    await reader.post(`${path}?_method=PATCH`, { name: 'changed' }),
    await reader.get(path, { headers: { 'x-original-url': `${path}/archive`, 'x-rewrite-url': `${path}/archive` } }),
    await reader.post(`${path}/archive`, undefined, { headers: { 'x-scopes': '*', 'x-role': 'owner', 'x-settler-scopes': '*' } }),
  ];
  expect(asked.map(({ status }) => status)).toEqual([405, 405, 200, 403]);
  expect((await ours.key.get(path)).body).toMatchObject({ status: 'active', name: 'orders against payments' });
});
