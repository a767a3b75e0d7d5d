import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type Answer, waitFor } from '@settler/harness';
import { sendRaw } from '@settler/harness/raw';
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsIn, type Door, type Key, type Person, startDoor } from './setup.ts';

let door: Door;
let person: Person;
let key: Key;
beforeAll(async () => {
  door = await startDoor({ TRUSTED_PROXIES: '127.0.0.1/32,10.0.0.0/8' }, () => ({}));
  person = await door.register();
  key = await door.createKey(person);
});
afterAll(() => door.dispose());

const me = async (headers: Record<string, string>, path = '/v1/jobs'): Promise<Answer> => door.as({}).get(path, { headers });
const questions = () => door.identity.logs().filter((line) => line.includes('"route":"/internal/api-keys/verify"')).length;
/** Everything that was asked before is in the log once this is. */
const allQuestions = async (): Promise<number> => {
  const id = `marker-${performance.now()}`;
  await fetch(`${door.identity.url}/v1/me`, { headers: { 'x-request-id': id } });
  await waitFor(() => door.identity.logs().some((line) => line.includes(id)), { what: 'the log of identity' });
  return questions();
};

describe('a request', () => {
  test('without credentials, or with what cannot be read, is told how to show some', async () => {
    const before = door.jobs.arrived.length;
    for (const headers of [
      {},
      { authorization: '' },
      { authorization: 'Basic dXNlcjpwYXNz' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer a b' },
      { authorization: `Token ${person.accessToken}` },
      { authorization: `Bearer ${'a'.repeat(9_000)}` },
      { 'x-api-key': '' },
      { 'x-api-key': person.accessToken },
      { 'x-api-key': `${key.key}, ${key.key}` },
      { cookie: `access_token=${person.accessToken}` },
    ]) {
      const answer = await me(headers);
      expect([headers, answer.status, answer.body.code]).toEqual([headers, 401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="settler"');
      expect(JSON.stringify(answer.body)).not.toContain('eyJ');
    }
    expect((await me({}, `/v1/jobs?access_token=${person.accessToken}&api_key=${key.key}`)).status).toBe(401);
    expect(door.jobs.arrived).toHaveLength(before);
  });

  test('with two different credentials is refused, and with one shown twice is not', async () => {
    const bearer = { authorization: `Bearer ${person.accessToken}` };
    expect((await me({ ...bearer, 'x-api-key': key.key })).body.detail).toContain('two different');
    expect((await me({ authorization: `Bearer ${key.key}`, 'x-api-key': key.key })).status).toBe(200);
    const lines = ['GET /v1/jobs HTTP/1.1', 'Host: x', `Authorization: Bearer ${person.accessToken}`];
    for (const second of [`Authorization: Bearer ${key.key}`, `authorization: Bearer ${person.accessToken}`]) {
      expect((await sendRaw(door.url, [...lines, second, '', ''].join('\r\n'))).status).toBe(401);
    }
    expect((await sendRaw(door.url, [...lines, '', ''].join('\r\n'))).status).toBe(200);
  });

  test('may show an API key as a bearer', async () => {
    expect((await me({ authorization: `Bearer ${key.key}` })).status).toBe(200);
    expect(door.claimsOf(door.jobs.last(), 'jobs')).toMatchObject({ kind: 'apiKey', sub: key.id, own: expect.stringMatching(/^usr_/) });
    expect((await me({ authorization: `bearer ${key.key}` })).status).toBe(200);
  });

  test('on a public route needs none, and one that is no good does no harm', async () => {
    const answer = await door.as({ token: 'nonsense' }).post('/v1/auth/login', { email: 'nobody@example.com', password: 'x'.repeat(20) });
    expect([answer.status, answer.body.detail]).toEqual([401, expect.not.stringContaining('token')]);
    expect((await door.as({}).get('/.well-known/jwks.json')).headers.get('cache-control')).toBe('public, max-age=300');
  });

  test('may do what its scopes say, and is told which one is missing', async () => {
    const reader = door.as({ apiKey: (await door.createKey(person, { scopes: ['jobs:read', 'webhooks:delete'] })).key });
    expect((await reader.get('/v1/jobs')).status).toBe(200);
    expect((await reader.delete('/v1/webhooks/whk_1')).status).toBe(200);
    const refused = await reader.post('/v1/jobs', {});
    expect([refused.status, refused.body.code, refused.body.requiredScope]).toEqual([403, 'forbidden', 'jobs:write']);
    expect((await door.as({ apiKey: key.key }).get('/v1/me/organizations')).status).toBe(403);
    expect((await door.as({ token: person.accessToken }).get('/v1/me/organizations')).status).toBe(200);
  });
});

describe('an API key', () => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  /** A key that identity could have made, and has not. */
  const forged = (): string => {
    const secret = Buffer.from(door.island.environmentFor('gateway')['API_KEY_SECRET'] ?? '', 'base64');
    const text = `stl_live_${'A'.repeat(12)}_${'b'.repeat(43)}`;
    let rest = createHmac('sha256', secret).update(text).digest().readBigUInt64BE(0);
    let checksum = '';
    for (; checksum.length < 6; rest /= 62n) checksum = alphabet.charAt(Number(rest % 62n)) + checksum;
    return text + checksum;
  };

  test('is verified once and then known', async () => {
    const fresh = await door.createKey(person);
    const before = await allQuestions();
    await Promise.all(Array.from({ length: 10 }, () => me({ 'x-api-key': fresh.key })));
    expect((await me({ 'x-api-key': fresh.key })).status).toBe(200);
    expect((await allQuestions()) - before).toBe(1);
  });

  test('that is junk never reaches identity', async () => {
    const before = await allQuestions();
    const last = key.key.at(-1) === 'a' ? 'b' : 'a';
    for (const junk of [
      'stl_',
      'stl_live_x',
      key.key.slice(0, -1) + last,
      key.key.replace('stl_live_', 'stl_test_'),
      `${key.key}0`,
      key.key.slice(0, 30) + (key.key[30] === 'Z' ? 'Y' : 'Z') + key.key.slice(31),
      `stl_live_${'A'.repeat(12)}_${'b'.repeat(49)}`,
      `stl_live_${'é'.repeat(12)}_${'b'.repeat(49)}`,
    ]) {
      const { status, body } = await me({ 'x-api-key': Buffer.from(junk).toString('latin1') });
      expect([junk, status, body.detail]).toEqual([junk, 401, 'The API key is not valid.']);
    }
    expect(await allQuestions()).toBe(before);
  });

  test('that nobody has is asked about once in a while', async () => {
    const before = await allQuestions();
    for (let tries = 0; tries < 5; tries += 1) expect((await me({ 'x-api-key': forged() })).status).toBe(401);
    expect((await allQuestions()) - before).toBe(1);
  });

  test('ends when it expires, whatever is known of it', async () => {
    const short = await door.createKey(person, { expiresAt: new Date(Date.now() + 1_500).toISOString() });
    expect((await me({ 'x-api-key': short.key })).status).toBe(200);
    const refused = await waitFor(async () => ((answer) => answer.status === 401 && answer)(await me({ 'x-api-key': short.key })), {
      what: 'it to expire',
    });
    expect(refused.body.code).toBe('unauthenticated');
  });

  test('counts as soon as it is given a longer life, also where it was refused just now', async () => {
    const short = await door.createKey(person, { expiresAt: new Date(Date.now() + 300).toISOString() });
    const keys = door.calling(person);
    const isOver = async () => (await keys.get(`/v1/api-keys/${short.id}`)).body.status === 'expired';
    await waitFor(isOver, { what: 'it to expire' });
    expect((await me({ 'x-api-key': short.key })).status).toBe(401);
    expect((await keys.patch(`/v1/api-keys/${short.id}`, { expiresAt: null })).status).toBe(200);
    await waitFor(async () => (await me({ 'x-api-key': short.key })).status === 200, { what: 'it to count', timeoutMs: 2_000 });
  });

  test('works from the addresses that it allows, and from nowhere else', async () => {
    const allowedIps = ['192.0.2.0/24', '203.0.113.7', '2001:db8:1::/48', '::ffff:198.51.100.0/120'];
    const { key: bound } = await door.createKey(person, { allowedIps });
    const statusFrom = async (forwarded: string) => (await me({ 'x-api-key': bound, 'x-forwarded-for': forwarded })).status;
    for (const allowed of [
      '192.0.2.9',
      '::ffff:192.0.2.9',
      '::ffff:c000:0209',
      '203.0.113.7:5123',
      '2001:db8:1:ffff::1',
      '[2001:db8:1::2]:443',
      '198.51.100.200',
      // Proxies of ours behind each other; what is left of the client is what the client claims.
      '192.0.2.9, 10.1.2.3, 127.0.0.1',
      '6.6.6.6, 192.0.2.9',
    ]) {
      expect([allowed, await statusFrom(allowed)]).toEqual([allowed, 200]);
    }
    for (const refused of [
      '192.0.3.1',
      '203.0.113.8',
      '2001:db8:2::1',
      '127.0.0.1',
      '192.0.2.9, 6.6.6.6',
      '192.0.2.9, 6.6.6.6, 10.0.0.1',
      // An address that cannot be determined is none that is allowed.
      'unknown',
      '192.0.2.9, nonsense',
      '192.0.2.9,',
      '192.0.2.999',
      '0300.0.2.9',
    ]) {
      const answer = await me({ 'x-api-key': bound, 'x-forwarded-for': refused });
      expect([refused, answer.status, answer.body.code]).toEqual([refused, 403, 'forbidden']);
    }
    expect((await me({ 'x-api-key': bound })).status).toBe(403);
    await me({ 'x-api-key': bound, 'x-forwarded-for': '6.6.6.6, ::ffff:192.0.2.9' });
    expect(door.claimsOf(door.jobs.last(), 'jobs').ip).toBe('192.0.2.9');
  });
});

describe('an access token', () => {
  const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as JWTHeaderParameters;
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const real = () => ({ header: headerOf(person.accessToken), claims: claimsIn(person.accessToken) as JWTPayload });
  const sign = (header: Partial<JWTHeaderParameters>, claims: JWTPayload, pem = door.signingKey) =>
    new SignJWT({ ...real().claims, ...claims }).setProtectedHeader({ ...real().header, ...header }).sign(createPrivateKey(pem));
  const status = async (token: string) => (await me({ authorization: `Bearer ${token}` })).status;

  test('is accepted as identity makes it', async () => {
    expect(await status(person.accessToken)).toBe(200);
    expect(await status(await sign({}, {}))).toBe(200);
  });

  test('is refused for another purpose, audience, issuer or time', async () => {
    const now = Math.floor(Date.now() / 1000);
    const tokens = {
      'another type': await sign({ typ: 'JWT' }, {}),
      'no type': await sign({ typ: undefined as never }, {}),
      'another audience': await sign({}, { aud: 'other-api' }),
      'another issuer': await sign({}, { iss: 'https://evil.example' }),
      'expired a second ago': await sign({}, { exp: now - 1 }),
      'a longer life than identity gives': await sign({}, { iat: now, exp: now + 901 }),
      'a longer life, most of which is over': await sign({}, { iat: now - 86_400, exp: now + 60 }),
      'a time to come': await sign({}, { iat: now + 3600, exp: now + 3600 + 900 }),
      'no end': await sign({}, { exp: undefined as never }),
      'not yet valid': await sign({}, { nbf: now + 600 }),
      'a role that does not exist': await sign({}, { role: 'god' }),
      'an organization that is none': await sign({}, { org: "org_' or 1=1" }),
      'no session': await sign({}, { sid: undefined }),
      'no subject': await sign({}, { sub: undefined as never }),
      'an internal token': door.island.principalToken({ audience: 'jobs', organizationId: person.organizationId }),
      'a refresh token': person.refreshToken,
    };
    for (const [name, token] of Object.entries(tokens)) expect([name, await status(token)]).toEqual([name, 401]);
  });

  test('is refused where its signature proves nothing', async () => {
    const { header, claims } = real();
    const [head = '', body = '', signature = ''] = person.accessToken.split('.');
    const publicKey = createPublicKey(door.signingKey);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const strangerPem = stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const hs256 = (secret: string | Buffer) => {
      const signed = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    };
    const jwk = stranger.publicKey.export({ format: 'jwk' });
    const tokens = {
      'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
      'alg None with a signature': `${encode({ ...header, alg: 'None' })}.${encode(claims)}.${signature}`,
      'HS256 with the public key': hs256(pem),
      'HS256 with the public key in DER': hs256(publicKey.export({ type: 'spki', format: 'der' })),
      'HS256 with the modulus': hs256(Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url')),
      'PS256 with the right key': await sign({ alg: 'PS256' }, {}),
      'RS384 with the right key': await sign({ alg: 'RS384' }, {}),
      'another key under the right name': await sign({}, {}, strangerPem),
      'a key that it brings itself': await sign({ jwk: jwk as never, kid: 'mine' }, {}, strangerPem),
      'a key from elsewhere': await sign({ jku: 'http://127.0.0.1:1/jwks.json', kid: 'mine' }, {}, strangerPem),
      'a name that is a path': await sign({ kid: '../../dev/null' }, {}, strangerPem),
      'other claims': `${head}.${encode({ ...claims, exp: Number(claims.exp) + 1 })}.${signature}`,
      'no signature': `${head}.${body}.`,
      'two parts': `${head}.${body}`,
      'five parts': `${head}.${body}.${signature}.${body}.${signature}`,
      'critical headers that nobody knows': await sign({}, {}).then(
        (token) => `${encode({ ...header, crit: ['x'], x: 1 })}.${token.split('.').slice(1).join('.')}`,
      ),
      nothing: '..',
    };
    const before = door.jobs.arrived.length;
    for (const [name, token] of Object.entries(tokens)) expect([name, await status(token)]).toEqual([name, 401]);
    expect(door.jobs.arrived).toHaveLength(before);
  });

  test('ends when it expires, also where it was verified before', async () => {
    const token = await sign({}, { exp: Math.floor(Date.now() / 1000) + 2 });
    expect(await status(token)).toBe(200);
    await waitFor(async () => (await status(token)) === 401, { what: 'it to expire', intervalMs: 100 });
  });
});
