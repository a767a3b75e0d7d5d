import { userInvited, userJoined } from '@settler/contracts/events/identity';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

const tokensTo = (email: string): string[] =>
  identity.service.logs().flatMap((line) => (line.startsWith(`mail to ${email}:`) ? [line.split('token=')[1] ?? ''] : []));
/** The token of the `nth` mail to an address. */
const tokenTo = (email: string, nth = 1): Promise<string> => waitFor(async () => tokensTo(email)[nth - 1], { what: 'the mail' });
const invite = ({ api }: Pick<Person, 'api'>, email: string, role = 'developer') => api.post('/v1/invitations', { email, role });
const accept = (token: string, secret = password, more: object = {}) =>
  identity.anonymous().post('/v1/invitations/accept', { token, password: secret, ...more });
const saidIn = async ({ organizationId }: Person) => {
  const texts = await identity.rows(
    'select body from outbox where organization_id = $1 union all select body from outbox_sent where organization_id = $1',
    [organizationId],
  );
  return texts.map(({ body }) => JSON.parse(body));
};
const inRole = ({ organizationId }: Person, userId: string, role: string, scopes = ['*']) =>
  identity.as({ subject: userId, organizationId, role, scopes });
const adminScopes = ['members:read', 'members:write', 'jobs:read'];

/** Somebody new, invited and come. */
const joined = async (owner: Person, email: string, role = 'developer') => {
  await invite(owner, email, role);
  return (await accept(await tokenTo(email))).body;
};

describe('an invitation', () => {
  test('brings somebody new in, once, and nobody is told the address', async () => {
    const owner = await identity.register();
    const email = 'new@example.com';
    const made = await invite(owner, ' New@Example.com');
    expect(made).toMatchObject({ status: 201, body: { email, role: 'developer', invitedBy: { type: 'user', id: owner.userId } } });
    const remainingMs = Date.parse(made.body.expiresAt) - Date.now();
    expect(Math.abs(remainingMs - 48 * 3600_000)).toBeLessThan(60_000);
    expect((await owner.api.get(`/v1/invitations/${made.body.id}`)).body).toEqual(made.body);
    expect((await owner.api.get('/v1/invitations')).body).toEqual({ data: [made.body], nextCursor: null });
    const token = await tokenTo(email);
    expect(JSON.stringify(made.body)).not.toContain(token);
    const [kept] = await identity.rows('select token_hash from invitations where id = $1', [made.body.id]);
    expect(kept.token_hash.toString()).not.toContain(token);

    expect((await accept(token, 'short')).body.errors).toMatchObject([{ path: 'password' }]);
    const answer = await accept(token, password, { name: 'New' });
    expect(answer).toMatchObject({
      status: 200,
      body: { user: { email, name: 'New' }, organization: { id: owner.organizationId }, tokenType: 'Bearer', expiresIn: 900 },
    });
    expect(claimsOf(answer.body.accessToken)).toMatchObject({ org: owner.organizationId, role: 'developer', sub: answer.body.user.id });
    const again = await accept(token, password);
    expect(again).toMatchObject({ status: 400, body: { errors: [{ path: 'token' }] } });
    expect((await accept('siv_nothing')).body.errors).toEqual(again.body.errors);
    expect((await owner.api.get('/v1/invitations')).body.data).toEqual([]);
    expect((await owner.api.get('/v1/members')).body.data[0]).toMatchObject({ email, role: 'developer' });
    expect((await identity.anonymous().post('/v1/auth/login', { email, password })).status).toBe(200);

    const said = await saidIn(owner);
    const dataOf = (type: string) => said.find((event) => event.type === type)?.data;
    expect(Object.keys(dataOf('user.invited')).sort()).toEqual(Object.keys(userInvited.example).sort());
    expect(dataOf('user.joined')).toEqual({ ...userJoined.example, ...dataOf('user.joined') });
    expect(dataOf('user.joined')).toMatchObject({ userId: answer.body.user.id, invitationId: made.body.id });
    const actions = said.map(({ data }) => data.action).filter((action) => action !== undefined);
    expect(actions).toEqual(expect.arrayContaining(['invitation.created', 'user.joined']));
    expect(JSON.stringify(said)).not.toMatch(new RegExp(`${email}|${token}`, 'i'));
  });

  test('of somebody who has an account is answered the same, and accepted with the password of that account', async () => {
    const owner = await identity.register();
    const known = await identity.register();
    const [ours, nobodys] = [await invite(owner, known.email), await invite(owner, 'nobody-yet@example.com')];
    const shapeOf = ({ status, body }: typeof ours) => [status, Object.keys(body), body.role];
    expect(shapeOf(ours)).toEqual(shapeOf(nobodys));
    const token = await tokenTo(known.email);
    expect((await accept(token, 'another password of several words')).status).toBe(401);
    const answer = await accept(token, password, { name: 'Renamed' });
    expect(answer).toMatchObject({
      status: 200,
      body: { user: { id: known.userId, name: null }, organization: { id: owner.organizationId } },
    });
    expect((await known.api.get('/v1/me/organizations')).body.data.map(({ id }: { id: string }) => id)).toEqual([
      owner.organizationId,
      known.organizationId,
    ]);
  });

  test('guesses at the password of an account count as those at a login do', async () => {
    const owner = await identity.register();
    const known = await identity.register();
    await invite(owner, known.email);
    const token = await tokenTo(known.email);
    for (let guess = 0; guess < 10; guess += 1) expect((await accept(token, 'wrong')).status).toBe(401);
    expect((await accept(token, password)).status).toBe(429);
    expect((await identity.anonymous().post('/v1/auth/login', { email: known.email, password })).status).toBe(429);
  });

  test('takes the place of an earlier one of the same address', async () => {
    const owner = await identity.register();
    const email = 'twice@example.com';
    const first = (await invite(owner, email, 'viewer')).body;
    const older = await tokenTo(email);
    const second = (await invite(owner, email, 'admin')).body;
    const newer = await tokenTo(email, 2);
    expect((await owner.api.get('/v1/invitations')).body.data.map(({ id }: { id: string }) => id)).toEqual([second.id]);
    expect((await accept(older)).status).toBe(400);
    expect(claimsOf((await accept(newer)).body.accessToken)).toMatchObject({ role: 'admin' });
    const entries = (await saidIn(owner)).filter(({ data }) => data.resource?.id === second.id);
    expect(entries[0].data.after).toMatchObject({ role: 'admin', replaces: first.id });
  });

  test('is refused for a member, who may be shut out, and is none of another organization’s', async () => {
    const owner = await identity.register();
    const { user } = await joined(owner, 'member@example.com');
    await owner.api.patch(`/v1/members/${user.id}`, { disabled: true });
    expect((await invite(owner, user.email)).status).toBe(409);
    const other = await identity.register();
    const { id } = (await invite(other, user.email)).body;
    expect((await owner.api.get(`/v1/invitations/${id}`)).status).toBe(404);
    expect((await owner.api.delete(`/v1/invitations/${id}`)).status).toBe(404);
  });

  test('ends when it is withdrawn, and after two days', async () => {
    const owner = await identity.register();
    const [withdrawn, late] = [(await invite(owner, 'w@example.com')).body, (await invite(owner, 'l@example.com')).body];
    const tokens = [await tokenTo('w@example.com'), await tokenTo('l@example.com')];
    expect((await owner.api.delete(`/v1/invitations/${withdrawn.id}`, { headers: { 'if-match': '"2"' } })).status).toBe(412);
    expect((await owner.api.delete(`/v1/invitations/${withdrawn.id}`)).status).toBe(204);
    await identity.rows("update invitations set expires_at = now() - interval '1 second' where id = $1", [late.id]);
    for (const token of tokens) expect((await accept(token)).status).toBe(400);
    expect((await owner.api.get('/v1/invitations')).body.data).toEqual([]);
    expect((await owner.api.delete(`/v1/invitations/${late.id}`)).status).toBe(404);
  });

  test('of an owner is an owner’s to make, to replace and to withdraw', async () => {
    const owner = await identity.register();
    const { user } = await joined(owner, 'admin@example.com', 'admin');
    const admin = inRole(owner, user.id, 'admin', adminScopes);
    const { api: key } = await identity.keyOf(owner);
    const { id } = (await invite(owner, 'owner@example.com', 'owner')).body;
    for (const api of [admin, key]) {
      expect((await invite({ api }, 'other@example.com', 'owner')).status).toBe(403);
      expect((await invite({ api }, 'owner@example.com', 'viewer')).status).toBe(403);
      expect((await api.delete(`/v1/invitations/${id}`)).status).toBe(403);
    }
    expect((await owner.api.get(`/v1/invitations/${id}`)).status).toBe(200);
    expect((await invite({ api: admin }, 'third@example.com', 'developer')).body.requiredScope).toBe('jobs:write');
    expect((await invite({ api: key }, 'fourth@example.com', 'admin')).status).toBe(201);
    expect(claimsOf((await accept(await tokenTo('owner@example.com'))).body.accessToken)).toMatchObject({ role: 'owner' });
  });

  test('of an owner that has run out is in nobody’s way', async () => {
    const owner = await identity.register();
    const admin = await identity.member(owner, 'admin');
    const asAdmin = inRole(owner, admin.userId, 'admin');
    const email = 'too-late@example.com';
    const { id } = (await invite(owner, email, 'owner')).body;
    const again = () => asAdmin.post('/v1/invitations', { email, role: 'viewer' });
    expect((await again()).body.detail).toBe('Only owners withdraw the invitation of an owner.');
    await identity.rows("update invitations set expires_at = now() - interval '1 second' where id = $1", [id]);
    expect((await again()).status).toBe(201);
    expect((await asAdmin.get('/v1/invitations')).body.data).toMatchObject([{ email, role: 'viewer' }]);
  });

  test('brings back who was removed: old tokens stay revoked, new ones count, and listeners take it for newer', async () => {
    const owner = await identity.register();
    const email = 'back@example.com';
    const before = await joined(owner, email);
    expect((await owner.api.delete(`/v1/members/${before.user.id}`)).status).toBe(204);
    await invite(owner, email, 'viewer');
    const after = (await accept(await tokenTo(email, 2))).body;
    expect(after.user.id).toBe(before.user.id);
    const { revoked } = (await identity.gateway.get('/internal/revocations?after=0')).body;
    const isRevoked = (accessToken: string) => revoked.some(({ id }: { id: string }) => id === claimsOf(accessToken)['sid']);
    expect([isRevoked(before.accessToken), isRevoked(after.accessToken)]).toEqual([true, false]);
    const refresh = (refreshToken: string) => identity.anonymous().post('/v1/auth/refresh', { refreshToken });
    expect([(await refresh(before.refreshToken)).status, (await refresh(after.refreshToken)).status]).toEqual([401, 200]);
    const versions = (await saidIn(owner)).filter(({ data, subject }) => data.userId === subject && subject === after.user.id);
    expect(versions.map(({ type, aggregateversion }) => [type, aggregateversion])).toEqual(
      expect.arrayContaining([
        ['user.joined', 1],
        ['user.removed', 2],
        ['user.joined', 3],
      ]),
    );
    expect((await owner.api.delete(`/v1/members/${after.user.id}`, { headers: { 'if-match': '"1"' } })).status).toBe(412);
  });

  test('ends with the right of whoever made it, be that a member or a key', async () => {
    const owner = await identity.register();
    const admin = await joined(owner, 'leaving@example.com', 'admin');
    const own = { api: inRole(owner, admin.user.id, 'admin') };
    const madeBy = async (by: Pick<Person, 'api'>, name: string, role: string) => {
      const { body } = await invite(by, `${name}@example.com`, role);
      return { id: body.id, token: await tokenTo(`${name}@example.com`) };
    };
    const standing = async () => (await owner.api.get('/v1/invitations')).body.data.map(({ id }: { id: string }) => id);
    const viewer = await madeBy(own, 'by-admin-viewer', 'viewer');
    const key = await identity.keyOf(owner);
    const { id: keyId } = key;
    const byKey = await madeBy(key, 'by-key', 'viewer');
    const kept = await madeBy(owner, 'by-owner', 'viewer');

    expect((await owner.api.patch(`/v1/members/${admin.user.id}`, { role: 'viewer' })).status).toBe(200);
    expect((await accept(viewer.token)).status).toBe(400);
    expect(await standing()).toEqual([kept.id, byKey.id]);
    expect((await owner.api.delete(`/v1/api-keys/${keyId}`)).status).toBe(204);
    expect((await accept(byKey.token)).body.errors).toMatchObject([{ path: 'token' }]);
    expect(await standing()).toEqual([kept.id]);
    const withdrawn = (await saidIn(owner)).filter(({ data }) => data.action === 'invitation.withdrawn').map(({ data }) => data);
    expect(withdrawn).toMatchObject([
      { resource: { id: viewer.id }, actor: { id: owner.userId }, before: { role: 'viewer', invitedBy: admin.user.id } },
      { resource: { id: byKey.id }, actor: { id: owner.userId }, before: { role: 'viewer', invitedBy: keyId } },
    ]);
  });

  test('does not count where the key that made it has run out', async () => {
    const owner = await identity.register();
    const key = await identity.keyOf(owner);
    const { id } = (await invite(key, 'of-a-key@example.com', 'admin')).body;
    const token = await tokenTo('of-a-key@example.com');
    const endAt = (instant: string) =>
      identity.rows(`update api_keys set expires_at = now() + interval '${instant}' where id = $1`, [key.id]);
    await endAt('-1 second');
    expect((await accept(token)).body.errors).toMatchObject([{ path: 'token' }]);
    expect((await owner.api.get('/v1/invitations')).body.data).toEqual([]);
    for (const ask of [owner.api.get, owner.api.delete]) expect((await ask(`/v1/invitations/${id}`)).status).toBe(404);
    // It may be given a longer life.
    await endAt('1 hour');
    expect((await owner.api.get('/v1/invitations')).body.data).toMatchObject([{ id }]);
    expect((await accept(token)).status).toBe(200);
  });

  test.each([
    ['is removed', (owner: Person, id: string) => owner.api.delete(`/v1/members/${id}`)],
    ['is shut out', (owner: Person, id: string) => owner.api.patch(`/v1/members/${id}`, { disabled: true })],
  ])('ends when whoever made it %s', async (what, done) => {
    const owner = await identity.register();
    const address = what.replaceAll(' ', '-');
    const admin = await joined(owner, `${address}@example.com`, 'admin');
    await invite({ api: inRole(owner, admin.user.id, 'admin') }, `${address}-friend@example.com`, 'admin');
    const token = await tokenTo(`${address}-friend@example.com`);
    expect((await done(owner, admin.user.id)).status).toBeLessThan(300);
    expect((await accept(token)).body.errors).toMatchObject([{ path: 'token' }]);
  });

  test('accepted several times at once makes one member', async () => {
    const owner = await identity.register();
    await invite(owner, 'eager@example.com');
    const token = await tokenTo('eager@example.com');
    const answers = await Promise.all([1, 2, 3].map(() => accept(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect((await owner.api.get('/v1/members')).body.data.length).toBe(2);
  });

  test('fills nobody’s mailbox, and is counted for each organization alone', async () => {
    const owner = await identity.register();
    for (let count = 0; count < 10; count += 1) expect((await invite(owner, 'full@example.com')).status).toBe(201);
    expect((await invite(owner, 'full@example.com')).status).toBe(429);
    expect((await invite(await identity.register(), 'full@example.com')).status).toBe(201);
  });

  test('waits where all organizations together have filled a mailbox, and no inviter learns of it', async () => {
    const email = 'flooded@example.com';
    for (let count = 0; count < 11; count += 1) expect((await invite(await identity.register(), email)).status).toBe(201);
    const putOff = await waitFor(
      async () => identity.service.logs().find((line) => line.includes('could not be sent') && line.includes('rate_limited')),
      { what: 'the eleventh to be put off' },
    );
    expect(tokensTo(email)).toHaveLength(10);
    await identity.rows(`update login_failures set at = at - interval '15 minutes'`);
    await identity.rows('update mails set next_attempt_at = now() where id = $1', [JSON.parse(putOff).mailId]);
    await tokenTo(email, 11);
  });
});
