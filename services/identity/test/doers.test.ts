import { scopesFor } from '@settler/contracts/scopes';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

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

describe('a session that is ended by its refresh token is in the trail as the doing of', () => {
  const address = '203.0.113.9';
  interface Ender {
    readonly api: Api;
    readonly said: { readonly actor: object; readonly keyId?: string; readonly address: string | null };
    /** Whether the address is one of the user's whose session it is. */
    readonly isOwn: boolean;
  }
  const userOf = (subject: string, { organizationId }: Person) =>
    identity.as({ subject, organizationId, role: 'viewer', scopes: ['*'], address });
  const keyOf = async (person: Person) => {
    const { id } = await identity.keyOf(person, ['jobs:read']);
    const { organizationId, userId: ownerId } = person;
    return { id, api: identity.as({ kind: 'apiKey', subject: id, organizationId, ownerId, scopes: ['jobs:read'], address }) };
  };
  const nobody = { actor: { type: 'system', id: 'identity' }, address: null };

  test.each<[string, (owner: Person, stranger: Person) => Promise<Ender> | Ender]>([
    [
      'the user, who is logged in elsewhere',
      ({ userId }, stranger) => ({ api: userOf(userId, stranger), said: { actor: { type: 'user', id: userId }, address }, isOwn: true }),
    ],
    [
      'a key of the organization',
      async (owner) => {
        const { id, api } = await keyOf(owner);
        return { api, said: { actor: { type: 'apiKey', id }, keyId: id, address }, isOwn: true };
      },
    ],
    [
      'another member',
      async (owner) => {
        const { userId } = await join(owner, 'viewer');
        return { api: userOf(userId, owner), said: { actor: { type: 'user', id: userId }, address }, isOwn: false };
      },
    ],
    [
      'the system, where a key of another organization does it',
      async (_owner, stranger) => ({ api: (await keyOf(stranger)).api, said: nobody, isOwn: false }),
    ],
    [
      'the system, where a user of another organization does it',
      (_owner, stranger) => ({ api: userOf(stranger.userId, stranger), said: nobody, isOwn: false }),
    ],
  ])('%s', async (_who, ender) => {
    const owner = await identity.register();
    const { api, said, isOwn } = await ender(owner, await identity.register());
    const { accessToken, refreshToken } = (await identity.anonymous().post('/v1/auth/login', { email: owner.email, password })).body;
    expect((await api.post('/v1/auth/logout', { refreshToken })).status).toBe(204);
    expect((await identity.anonymous().post('/v1/auth/refresh', { refreshToken })).status).toBe(401);
    const entry = await waitFor(async () => (await owner.api.get('/v1/audit-events?action=session.ended')).body.data[0], {
      what: 'the entry',
    });
    expect(entry).toMatchObject({
      resource: { type: 'session', id: claimsOf(accessToken)['sid'] },
      after: { userId: owner.userId, reason: 'logout' },
    });
    expect({ actor: entry.actor, keyId: entry.keyId, address: entry.address }).toEqual(said);
    const { addresses } = (await owner.api.get(`/v1/members/${owner.userId}/export`)).body;
    expect(addresses.some((one: { address: string }) => one.address === address)).toBe(isOwn);
  });
});
