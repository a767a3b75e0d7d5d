/**
 * API2:2023. Access tokens that are forged in every way are shown to the gateway in services/gateway/test/authentication.test.ts, and
 * guesses at passwords, codes and keys are in identity's tests. Here are the doors behind the gateway, for whoever has got that far.
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { routesOf } from '@settler/contracts/routes';
import { type Service, type StatefulService, services, statefulServices } from '@settler/contracts/services';
import { client, type Island, sharedSystem } from '@settler/harness';
import { beforeAll, expect, test } from 'vitest';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;
let island: Island;

beforeAll(async () => {
  world = await attack();
  ({ island } = await sharedSystem());
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part = ''): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString());

const signed = (header: object, claims: object, key: KeyObject): string => {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
};

/** What somebody makes who has seen one good token and knows what every service knows. */
const forgeries = (service: StatefulService): Record<string, string> => {
  const { ours, theirs } = world;
  const good = island.principalToken({ audience: service, organizationId: ours.organizationId });
  const [head = '', body = '', signature = ''] = good.split('.');
  const [header, claims] = [decode(head), decode(body)];
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [, publicText = ''] = /gateway:([^,]+)/.exec(island.environmentFor(service)['SERVICE_PUBLIC_KEYS'] ?? '') ?? [];
  const hs256 = (secret: string | Buffer) => {
    const text = `${encode({ ...header, alg: 'HS256' })}.${body}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const now = Math.floor(Date.now() / 1000);
  return {
    'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'HS256 with the public key': hs256(Buffer.from(publicText, 'base64')),
    'HS256 with the public key as text': hs256(publicText),
    'the key of a stranger': signed(header, claims, privateKey),
    'a key that it brings itself': signed({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, claims, privateKey),
    'a name of a key that is a path': signed({ ...header, kid: '../../dev/null' }, claims, privateKey),
    'an issuer that does not exist': signed(header, { ...claims, iss: 'root' }, privateKey),
    'an issuer out of the prototype': signed(header, { ...claims, iss: 'constructor' }, privateKey),
    'another organization': `${head}.${encode({ ...claims, org: theirs.organizationId })}.${signature}`,
    'a longer life': `${head}.${encode({ ...claims, exp: now + 9_999 })}.${signature}`,
    'no signature': `${head}.${body}.`,
    'another type': `${encode({ ...header, typ: 'at+jwt' })}.${body}.${signature}`,
    'another audience': island.principalToken({
      audience: service === 'jobs' ? 'webhooks' : 'jobs',
      organizationId: ours.organizationId,
    }),
    'the access token of a user': ours.accessToken,
    'an API key': ours.apiKey,
    nothing: '',
  };
};

test.each(statefulServices)('%s, asked without the gateway, believes no token that the gateway has not made for it', async (service) => {
  const [, { path }] = routesOf(service).find(([, route]) => route.method === 'GET' && !route.path.includes('{')) ?? ['', { path: '/' }];
  const ask = async (token: string) => (await client(island.serviceUrl(service), { token }).get(path)).status;
  const good = island.principalToken({ audience: service, organizationId: world.ours.organizationId });
  expect(await ask(good)).toBe(200);
  const answers = await Promise.all(Object.entries(forgeries(service)).map(async ([what, token]) => [what, await ask(token)]));
  expect(answers.filter(([, status]) => status !== 401)).toEqual([]);
});

test.each(statefulServices)('%s believes no other service about who asks, on any route of its own', async (service) => {
  const issuers = services.filter((issuer) => issuer !== 'gateway');
  const calls = routesOf(service).flatMap(([name, { method, path }]) => issuers.map((issuer) => ({ name, method, path, issuer })));
  const ask = async (method: string, path: string, issuer: Service) => {
    const token = island.principalToken({ audience: service, issuer, organizationId: world.ours.organizationId });
    const url = new URL(path.replaceAll(/\{\w+\}/g, 'x'), island.serviceUrl(service));
    return (await fetch(url, { method, headers: { authorization: `Bearer ${token}` } })).status;
  };
  const believed = [];
  for (const { name, method, path, issuer } of calls) {
    const status = await ask(method, path, issuer);
    if (status !== 403) believed.push([name, issuer, status]);
  }
  expect(believed).toEqual([]);
});

test('what services ask each other is for the one that asks, and for no principal', async () => {
  const { ours } = world;
  const ask = async (service: StatefulService, path: string, issuer: 'gateway' | 'jobs' | 'executions' | 'webhooks') =>
    (
      await client(island.serviceUrl(service), {
        token: island.principalToken({ audience: service, issuer, organizationId: ours.organizationId }),
      }).get(path)
    ).status;
  expect(await ask('jobs', `/internal/jobs/${ours.jobId}/definition`, 'executions')).toBe(200);
  expect(await ask('jobs', `/internal/jobs/${ours.jobId}/definition`, 'gateway')).toBe(403);
  expect(await ask('jobs', `/internal/jobs/${world.theirs.jobId}/definition`, 'executions')).toBe(404);
  expect(await ask('identity', '/internal/revocations?after=0', 'gateway')).toBe(200);
  for (const issuer of ['jobs', 'executions', 'webhooks'] as const)
    expect(await ask('identity', '/internal/revocations?after=0', issuer)).toBe(403);
  const member = '/internal/members/usr_01jd0000000000000000000000';
  expect(await ask('identity', member, 'executions')).toBe(200);
  for (const issuer of ['gateway', 'jobs', 'webhooks'] as const) expect(await ask('identity', member, issuer)).toBe(403);
});

test('credentials count in their headers and nowhere else', async () => {
  const { ours } = world;
  const { accessToken, apiKey, email, password } = ours;
  const basic = Buffer.from(`${email}:${password}`).toString('base64');
  for (const [path, headers] of [
    [`/v1/jobs?access_token=${accessToken}`, {}],
    [`/v1/jobs?api_key=${apiKey}`, {}],
    [`/v1/jobs?X-API-Key=${apiKey}`, {}],
    ['/v1/jobs', { cookie: `token=${accessToken}; apiKey=${apiKey}` }],
    ['/v1/jobs', { authorization: `Basic ${basic}` }],
    ['/v1/jobs', { authorization: apiKey }],
    ['/v1/jobs', { authorization: `Token ${accessToken}` }],
    ['/v1/jobs', { 'x-access-token': accessToken, 'x-auth-token': accessToken, 'api-key': apiKey }],
    ['/v1/jobs', { 'x-api-key': `${apiKey},${apiKey}` }],
    ['/v1/jobs', { 'x-api-key': apiKey.toUpperCase() }],
    ['/v1/jobs', { 'x-api-key': apiKey.slice(0, -1) }],
    ['/v1/jobs', { 'x-api-key': '*' }],
  ] as const) {
    const { status, body } = await ours.anonymous.get(path, { headers });
    expect([path.slice(0, 30), headers, status, body.code]).toEqual([path.slice(0, 30), headers, 401, 'unauthenticated']);
  }
});

test('a login takes texts and nothing that a query could be made of', async () => {
  const { anonymous, email } = world.ours;
  for (const password of [{ $ne: null }, { $gt: '' }, ['a'], true, 1, null]) {
    expect((await anonymous.post('/v1/auth/login', { email, password })).body).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'password' }],
    });
  }
  expect((await anonymous.post('/v1/auth/login', { email: { $regex: '.*' }, password: 'x' })).status).toBe(400);
  expect((await anonymous.post('/v1/auth/refresh', { refreshToken: { $ne: null } })).status).toBe(400);
});
