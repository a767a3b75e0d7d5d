import { scopesFor } from '@settler/contracts/scopes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

type Api = Person['api'];

/** Somebody who is a member here too, as a gateway calls for them that has not heard of anything since. */
const join = async ({ organizationId }: Person, role: string, scopes = ['*']) => {
  const person = await identity.member({ organizationId }, role);
  return { ...person, organizationId, api: identity.as({ subject: person.userId, organizationId, role, scopes }) };
};

/** Everything that lasts. */
const attempts = async (owner: Person, api: Api) => {
  const [viewer, key] = [await join(owner, 'viewer'), await identity.keyOf(owner, ['jobs:read'])];
  const email = `${viewer.userId}@example.com`;
  const invitation = (await owner.api.post('/v1/invitations', { email, role: 'viewer' })).body;
  const member = `/v1/members/${viewer.userId}`;
  const answers = [
    await api.post('/v1/api-keys', { name: 'mine', scopes: ['jobs:read'] }),
    await api.patch(`/v1/api-keys/${key.id}`, { expiresAt: '2099-01-01T00:00:00.000Z' }),
    await api.post(`/v1/api-keys/${key.id}/rotate`, {}),
    await api.delete(`/v1/api-keys/${key.id}`),
    await api.post('/v1/invitations', { email: `other-${email}`, role: 'viewer' }),
    await api.delete(`/v1/invitations/${invitation.id}`),
    await api.patch(member, { role: 'developer' }),
    await api.delete(member),
    await api.delete(`${member}/personal-data`),
    await api.patch('/v1/organization', { name: 'Mine' }),
  ];
  return answers.map(({ status }) => status);
};
const each = (status: number) => Array.from({ length: 10 }, () => status);

const keysOf = async ({ api }: Person): Promise<{ id: string; status: string; createdBy: { id: string } }[]> =>
  (await api.get('/v1/api-keys?limit=200')).body.data;
const invitedBy = async ({ api }: Person, id: string): Promise<unknown[]> =>
  (await api.get('/v1/invitations?limit=200')).body.data.filter((one: { invitedBy: { id: string } }) => one.invitedBy.id === id);

describe('before a gateway knows of it, nothing that lasts is done by', () => {
  test.each([
    ['revoked', (owner: Person, path: string) => owner.api.delete(path)],
    ['rotated at once', (owner: Person, path: string) => owner.api.post(`${path}/rotate`, { graceSeconds: 0 })],
  ])('a key that was %s', async (_what, done) => {
    const owner = await identity.register();
    const key = await identity.keyOf(owner);
    expect((await done(owner, `/v1/api-keys/${key.id}`)).status).toBeLessThan(300);
    expect(await attempts(owner, key.api)).toEqual(each(401));
  });

  test('a key that has run out, or has lost the scope', async () => {
    const owner = await identity.register();
    const [late, less] = [await identity.keyOf(owner), await identity.keyOf(owner)];
    const database = await identity.database('admin');
    await database.query("update api_keys set expires_at = now() - interval '1 second' where id = $1", [late.id]);
    expect((await owner.api.patch(`/v1/api-keys/${less.id}`, { scopes: ['jobs:read', 'members:read'] })).status).toBe(200);
    expect(await attempts(owner, late.api)).toEqual(each(401));
    expect(await attempts(owner, less.api)).toEqual(each(403));
  });

  test.each([
    ['demoted', (owner: Person, path: string) => owner.api.patch(path, { role: 'viewer' })],
    ['shut out', (owner: Person, path: string) => owner.api.patch(path, { disabled: true })],
    ['removed', (owner: Person, path: string) => owner.api.delete(path)],
    ['erased', (owner: Person, path: string) => owner.api.delete(`${path}/personal-data`)],
  ])('a member who was %s', async (_what, done) => {
    const owner = await identity.register();
    const admin = await join(owner, 'admin');
    expect((await done(owner, `/v1/members/${admin.userId}`)).status).toBeLessThan(300);
    expect(await attempts(owner, admin.api)).toEqual(each(403));
  });

  test('a session that has ended, which turns no second factor on either', async () => {
    const owner = await identity.register();
    const { accessToken: _token, refreshToken } = (await identity.anonymous().post('/v1/auth/login', { email: owner.email, password }))
      .body;
    expect((await owner.api.delete(`/v1/me/sessions/${owner.sessionId}`)).status).toBe(204);
    const again = (await identity.anonymous().post('/v1/auth/refresh', { refreshToken })).body;
    const { sid } = JSON.parse(Buffer.from(again.accessToken.split('.')[1], 'base64url').toString());
    const who = { subject: owner.userId, organizationId: owner.organizationId, role: 'owner' };
    expect(await attempts({ ...owner, api: identity.as({ ...who, sessionId: sid }) }, owner.api)).toEqual(each(401));
    expect((await owner.api.post('/v1/me/totp')).status).toBe(401);
  });

  test('a key that gives what its creator has lost', async () => {
    const owner = await identity.register();
    const admin = await join(owner, 'admin');
    await owner.api.patch(`/v1/members/${admin.userId}`, { role: 'developer' });
    const made = (scopes: string[]) => admin.api.post('/v1/api-keys', { name: 'mine', scopes });
    expect(await made(['audit:read'])).toMatchObject({ status: 403, body: { requiredScope: 'audit:read' } });
    expect((await made(['jobs:read'])).status).toBe(201);
  });
});

describe('at the very moment', () => {
  test('of its revocation a key leaves no invitation, and no key that was asked for afterwards', async () => {
    const owner = await identity.register();
    for (let round = 0; round < 3; round += 1) {
      const leaked = await identity.keyOf(owner);
      let isOver = false;
      const late: string[] = [];
      const unexpected: number[] = [];
      const repeat = async (ask: (count: number) => ReturnType<Api['post']>) => {
        for (let count = 0; count < 25; count += 1) {
          const isLate = isOver;
          const { status, body } = await ask(count);
          if (status === 201 && isLate) late.push(body.id);
          else if (![201, 401, 429].includes(status)) unexpected.push(status);
        }
      };
      const asking = [
        repeat(() => leaked.api.post('/v1/api-keys', { name: 'mine', scopes: ['*'] })),
        repeat(() => leaked.api.post('/v1/api-keys', { name: 'mine', scopes: ['*'] })),
        repeat((count) => leaked.api.post('/v1/invitations', { email: `${leaked.id}-${count}@example.com`, role: 'admin' })),
      ];
      expect((await owner.api.delete(`/v1/api-keys/${leaked.id}`)).status).toBe(204);
      isOver = true;
      await Promise.all(asking);
      expect([late, unexpected]).toEqual([[], []]);
      expect(await invitedBy(owner, leaked.id)).toEqual([]);
    }
  });

  test('at which members and keys take one another’s rights, all of them are answered', async () => {
    const owner = await identity.register();
    for (let round = 0; round < 6; round += 1) {
      const [one, other] = [await join(owner, 'admin'), await join(owner, 'admin')];
      const scopes = [...scopesFor('admin')];
      const keys = [await identity.keyOf(one, scopes), await identity.keyOf(other, scopes), await identity.keyOf(one, scopes)];
      const [first, second, third] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
      const answers = await Promise.all([
        first.api.delete(`/v1/api-keys/${second.id}`),
        second.api.delete(`/v1/api-keys/${first.id}`),
        third.api.patch(`/v1/api-keys/${first.id}`, { scopes: ['api-keys:read'] }),
        first.api.post(`/v1/api-keys/${third.id}/rotate`, { graceSeconds: 0 }),
        third.api.post(`/v1/api-keys/${third.id}/rotate`, { graceSeconds: 0 }),
        one.api.delete(`/v1/members/${other.userId}/personal-data`),
        other.api.delete(`/v1/members/${one.userId}/personal-data`),
        second.api.patch(`/v1/members/${one.userId}`, { role: 'viewer' }),
        other.api.post('/v1/invitations', { email: `${other.userId}@example.com`, role: 'admin' }),
      ]);
      const odd = answers.map(({ status }) => status).filter((status) => ![200, 201, 202, 204, 401, 403, 404, 409].includes(status));
      expect(odd).toEqual([]);
      const living = (await keysOf(owner)).filter(({ status }) => status === 'active').map(({ id }) => id);
      const erased = answers[5]?.status === 202 ? other.userId : one.userId;
      expect(await invitedBy(owner, erased)).toEqual([]);
      for (const { id, createdBy } of await keysOf(owner)) if (createdBy.id === erased) expect(living).not.toContain(id);
    }
  });
});
