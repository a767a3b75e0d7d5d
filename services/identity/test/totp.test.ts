import { randomBytes } from 'node:crypto';
import { createSecretBox, noOrganization, placeOf } from '@settler/chassis/secret-box';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { afterNextStep, bytesOf, codeFor, enrol } from './authenticator.ts';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

const logIn = (email: string, totp?: string, secret = password, address?: string) =>
  identity.anonymous(address).post('/v1/auth/login', { email, password: secret, ...(totp === undefined ? {} : { totp }) });
const turnOff = ({ api }: Person, body: object, headers = {}) =>
  api.delete('/v1/me/totp', { raw: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });

/** One that cannot be right by chance. */
const wrongFor = (secret: string): string => {
  const right = [-2, -1, 0, 1, 2].map((steps) => codeFor(secret, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? '';
};
const afterAWhile = (person: Person) => afterNextStep(identity, person);
const enrolled = async (body = {}) => enrol(identity, await identity.register(body));

describe('one-time codes', () => {
  test('are asked for by each user, also where two use the same Idempotency-Key', async () => {
    const [one, other] = [await identity.register(), await identity.register()];
    const { organizationId } = one;
    const colleague = identity.as({ subject: other.userId, sessionId: other.sessionId, organizationId, role: 'viewer', scopes: ['*'] });
    const ask = (api: Person['api']) => api.post('/v1/me/totp', undefined, { headers: { 'idempotency-key': 'turn codes on' } });
    expect((await ask(one.api)).body.secret).toEqual(expect.any(String));
    const theirs = await ask(colleague);
    expect([theirs.headers.get('idempotent-replayed'), theirs.body.secret]).toEqual([null, expect.any(String)]);
    expect((await ask(one.api)).headers.get('idempotent-replayed')).toBe('true');
  });

  test('are on once a code has shown that the authenticator has the secret, and not before', async () => {
    const person = await identity.register();
    expect((await person.api.post('/v1/me/totp/confirm', { code: '123456' })).status).toBe(409);
    const first = (await person.api.post('/v1/me/totp')).body;
    const begun = await person.api.post('/v1/me/totp');
    const { secret, otpauthUri } = begun.body;
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(otpauthUri).toContain(`secret=${secret}&issuer=Settler`);
    expect(begun.headers.get('cache-control')).toBe('no-store');
    expect((await logIn(person.email)).status).toBe(200);
    expect((await person.api.post('/v1/me/totp/confirm', { code: wrongFor(secret) })).status).toBe(401);
    expect((await person.api.post('/v1/me/totp/confirm', { code: codeFor(first.secret) })).status).toBe(401);
    const confirmed = await person.api.post('/v1/me/totp/confirm', { code: codeFor(secret) });
    expect([confirmed.status, new Set(confirmed.body.recoveryCodes).size]).toEqual([200, 10]);
    for (const again of ['/v1/me/totp', '/v1/me/totp/confirm'])
      expect((await person.api.post(again, again.endsWith('confirm') ? { code: codeFor(secret) } : undefined)).status).toBe(409);

    const kept = JSON.stringify(await identity.rows('select * from totp_secrets where id = $1', [person.userId]));
    const hashes = await identity.rows('select code_hash from recovery_codes where user_id = $1', [person.userId]);
    expect(kept + JSON.stringify(hashes.map(({ code_hash: hash }) => hash.toString()))).not.toMatch(
      new RegExp([secret, bytesOf(secret).toString('base64url'), ...confirmed.body.recoveryCodes].join('|')),
    );
    await waitFor(async () => (await person.api.get('/v1/audit-events?action=user.totp_enabled')).body.data.length === 1, {
      what: 'the entry',
    });
  });

  test('take the password where the login is a while ago: an open session that somebody found does not keep its user out', async () => {
    const { api, email, sessionId } = await identity.register();
    const turnOn = (password?: string) => api.post('/v1/me/totp', password === undefined ? undefined : { password });
    expect((await turnOn('not the password at all')).status).toBe(401);
    await identity.rows("update sessions set created_at = now() - interval '16 minutes' where id = $1", [sessionId]);
    const refused = await turnOn();
    expect([refused.status, refused.body.errors]).toEqual([
      400,
      [{ path: 'password', message: 'is needed, since your login is more than 15 minutes ago' }],
    ]);
    const { secret } = (await turnOn(password)).body;
    expect((await api.post('/v1/me/totp/confirm', { code: codeFor(secret) })).status).toBe(200);
    expect((await logIn(email)).status).toBe(401);

    const guessed = await identity.register();
    const guess = () => guessed.api.post('/v1/me/totp', { password: 'not the password at all' });
    for (let count = 0; count < 10; count += 1) expect((await guess()).status).toBe(401);
    expect((await guess()).status).toBe(429);
  });

  test('are asked for at every login; a missing, a wrong and a used one are none', async () => {
    const person = await enrolled();
    const { email, secret } = person;
    expect((await logIn(email)).status).toBe(401);
    expect((await logIn(email, wrongFor(secret))).status).toBe(401);
    expect((await logIn(email, codeFor(secret), 'not the password at all')).status).toBe(401);
    const code = codeFor(secret);
    expect((await logIn(email, `${code.slice(0, 3)} ${code.slice(3)}`)).status).toBe(200);
    expect((await logIn(email, code)).status).toBe(401);
    // Nor one from before it, although its time is not over.
    expect((await logIn(email, codeFor(secret, -1))).status).toBe(401);
    await afterAWhile(person);
    const atOnce = codeFor(secret);
    const answers = await Promise.all([1, 2, 3].map(() => logIn(email, atOnce)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  });

  test('a login that fails for another reason uses no code up', async () => {
    const { email, recoveryCodes } = await enrolled();
    const body = { email, password, totp: recoveryCodes[0], organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6' };
    expect((await identity.anonymous().post('/v1/auth/login', body)).status).toBe(404);
    expect((await logIn(email, recoveryCodes[0])).status).toBe(200);
  });

  test('a recovery code stands in for one, once, in any case', async () => {
    const { email, recoveryCodes, secret } = await enrolled();
    const [first = '', second = ''] = recoveryCodes;
    expect((await logIn(email, first.toLowerCase().replaceAll('-', ' '))).status).toBe(200);
    expect((await logIn(email, first)).status).toBe(401);
    const other = await enrolled();
    expect((await logIn(email, other.recoveryCodes[0])).status).toBe(401);
    expect((await logIn(email, second)).status).toBe(200);
    expect((await logIn(email, codeFor(secret))).status).toBe(200);
  });

  test('who has none may send one', async () => {
    const { email } = await identity.register();
    expect((await logIn(email, '123456')).status).toBe(200);
  });

  test('that are wrong count as failed logins, and as guesses even from where the user is known', async () => {
    const { email, secret } = await enrolled();
    for (let guess = 0; guess < 10; guess += 1) expect((await logIn(email)).status).toBe(401);
    expect((await logIn(email, codeFor(secret))).status).toBe(429);

    const known = await enrolled();
    expect((await logIn(known.email, codeFor(known.secret), password, '203.0.113.5')).status).toBe(200);
    await afterAWhile(known);
    const guess = () => logIn(known.email, wrongFor(known.secret), password, '203.0.113.5');
    for (let count = 0; count < 10; count += 1) expect((await guess()).status).toBe(401);
    expect((await logIn(known.email, codeFor(known.secret), password, '203.0.113.5')).status).toBe(429);
    // Nobody guesses those, so whom others have locked out comes in.
    expect((await logIn(known.email, known.recoveryCodes[0], password, '203.0.113.5')).status).toBe(200);
  });

  test('are turned off with the password and a code, and not with a password that is too short alone', async () => {
    const person = await enrolled();
    const { api, secret, email, recoveryCodes } = person;
    const short = 'tiny words';
    expect((await turnOff(person, { password: 'wrong', code: codeFor(secret) })).status).toBe(401);
    expect((await turnOff(person, { password, code: wrongFor(secret) })).status).toBe(401);
    expect((await turnOff(person, { password, code: codeFor(secret) }, { 'if-match': '"2"' })).status).toBe(412);
    expect((await api.post('/v1/me/password', { currentPassword: password, newPassword: 'tiny' })).body.errors).toMatchObject([
      { path: 'newPassword', message: expect.stringContaining('at least 8') },
    ]);
    expect((await api.post('/v1/me/password', { currentPassword: password, newPassword: short })).status).toBe(204);
    expect(await turnOff(person, { password: short, code: codeFor(secret) })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'password', message: expect.stringContaining('15 characters') }] },
    });
    expect((await api.post('/v1/me/password', { currentPassword: short, newPassword: password })).status).toBe(204);
    expect((await turnOff(person, { password, code: recoveryCodes[9] })).status).toBe(204);
    expect((await turnOff(person, { password, code: codeFor(secret) })).status).toBe(404);
    expect((await logIn(email)).status).toBe(200);
    expect((await api.post('/v1/me/password', { currentPassword: password, newPassword: short })).status).toBe(400);
    expect((await api.post('/v1/me/totp')).status).toBe(200);
  });

  test('and a short password do not go at the same moment, leaving that password alone', async () => {
    for (let round = 0; round < 3; round += 1) {
      const person = await enrolled();
      const short = 'tiny words';
      const answers = await Promise.all([
        person.api.post('/v1/me/password', { currentPassword: password, newPassword: short }),
        turnOff(person, { password, code: person.recoveryCodes[0] }),
      ]);
      expect(answers.filter(({ status }) => status === 204).length).toBe(1);
      for (const { status } of answers) expect([204, 400, 401, 409]).toContain(status);
    }
  });

  test('stay when a password is chosen anew by mail', async () => {
    const { email, secret, userId } = await enrolled();
    const token = `spr_${email}`;
    const keep = "insert into password_resets (token_hash, user_id, expires_at) values (sha256($1::bytea), $2, now() + interval '1 hour')";
    await identity.rows(keep, [token, userId]);
    const chosen = 'nine and';
    expect((await identity.anonymous().post('/v1/auth/password/reset', { token, password: chosen })).status).toBe(204);
    expect((await logIn(email, undefined, chosen)).status).toBe(401);
    expect((await logIn(email, codeFor(secret), chosen)).status).toBe(200);
  });

  test('are asked for when an invitation is accepted', async () => {
    const owner = await identity.register();
    const { email, secret, userId } = await enrolled();
    await owner.api.post('/v1/invitations', { email, role: 'viewer' });
    const line = await waitFor(() => identity.service.logs().find((text) => text.startsWith(`mail to ${email}`)), { what: 'the mail' });
    const accept = (totp?: string) =>
      identity
        .anonymous()
        .post('/v1/invitations/accept', { token: line.split('token=')[1], password, ...(totp === undefined ? {} : { totp }) });
    expect((await accept()).status).toBe(401);
    expect((await accept(wrongFor(secret))).status).toBe(401);
    const answer = await accept(codeFor(secret));
    expect([answer.status, claimsOf(answer.body.accessToken)['sub']]).toEqual([200, userId]);
    expect((await logIn(email, codeFor(secret))).status).toBe(401);
  });

  test('of an API key there are none', async () => {
    const { organizationId } = await identity.register();
    const key = identity.as({ kind: 'apiKey', subject: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6', organizationId, scopes: ['*'] });
    expect((await key.post('/v1/me/totp')).status).toBe(403);
  });

  // Last, because the service that runs does not know the other key.
  test('go on working after their secrets were encrypted under another key', async () => {
    const person = await enrolled();
    const { ENCRYPTION_KEY: old = '' } = identity.island.environmentFor('identity');
    const fresh = { id: 'fresh', key: randomBytes(32) };
    const both = `fresh:${fresh.key.toString('base64')},${old}`;
    const { code, said } = await identity.operate(['secrets', 're-encrypt'], { ENCRYPTION_KEY: both });
    expect(said).toMatch(/^totp_secrets\.[a-z_]+: [1-9]\d* encrypted anew/m);
    expect(code).toBe(0);
    const [{ sealed_secret: sealed }] = await identity.rows('select sealed_secret from totp_secrets where id = $1', [person.userId]);
    const opened = createSecretBox([fresh]).open(sealed, placeOf(noOrganization, 'totp_secrets', 'sealed_secret', person.userId));
    expect(Buffer.from(opened, 'base64url')).toEqual(bytesOf(person.secret));
  });
});
