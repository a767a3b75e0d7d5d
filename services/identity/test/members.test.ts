import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

type Role = 'owner' | 'admin' | 'developer' | 'viewer';

const logIn = (email: string, organizationId?: string) =>
  identity.anonymous().post('/v1/auth/login', { email, password, ...(organizationId === undefined ? {} : { organizationId }) });
const refresh = (refreshToken: string, organizationId?: string) =>
  identity.anonymous().post('/v1/auth/refresh', { refreshToken, ...(organizationId === undefined ? {} : { organizationId }) });
const revoked = async (id: string): Promise<boolean> => {
  const { body } = await identity.gateway.get('/internal/revocations?after=0');
  return body.revoked.some((one: { kind: string; id: string }) => one.kind === 'session' && one.id === id);
};
const sidOf = (accessToken: string): string => String(claimsOf(accessToken)['sid']);

/** Somebody who registered elsewhere and is a member here too, as the gateway calls for them once they have logged in here. */
const join = async ({ organizationId }: Person, role: Role) => {
  const person = await identity.member({ organizationId }, role);
  const { accessToken, refreshToken } = (await logIn(person.email, organizationId)).body;
  const { scopes } = claimsOf(accessToken) as { scopes: string[] };
  const api = identity.as({ subject: person.userId, organizationId, role, sessionId: sidOf(accessToken), scopes });
  return { ...person, accessToken, refreshToken, sessionId: sidOf(accessToken), api, path: `/v1/members/${person.userId}` };
};

const saidOf = async (id: string): Promise<{ subject: string; data: Record<string, unknown>; body: string }[]> => {
  const database = await identity.database('system');
  const { rows } = await database.query('select subject, body from outbox union all select subject, body from outbox_sent');
  return rows
    .map(({ subject, body }) => ({ subject, body, data: JSON.parse(body).data }))
    .filter(({ data }) => data.userId === id || data.resource?.id === id || data.organizationId === id);
};

describe('the organization', () => {
  test('has a name that is one line and can be seen', async () => {
    const owner = await identity.register();
    for (const name of ['two\u2028lines', '\u202e', '\u200b', '\u2066\u2069', ' \ufeff\u00ad ', '\u3164'])
      expect([name, (await owner.api.patch('/v1/organization', { name })).body.errors?.[0]?.path]).toEqual([name, 'name']);
    for (const name of ['شرکت می\u200cخواهم', '👩\u200d👧 e\u0301 — 株式会社', '\u202egnp.exe'])
      expect((await owner.api.patch('/v1/organization', { name })).body.name).toBe(name);
  });

  test('is renamed and keeps its slug, and the world is told', async () => {
    const owner = await identity.register();
    const before = (await owner.api.get('/v1/organization')).body;
    const changed = await owner.api.patch('/v1/organization', { name: 'Harbour Tea', baseCurrency: 'CHF' });
    expect(changed).toMatchObject({ status: 200, body: { ...before, name: 'Harbour Tea', baseCurrency: 'CHF' } });
    expect(changed.headers.get('etag')).toMatch(/^"2-/);
    expect((await owner.api.get('/v1/organization')).body).toEqual(changed.body);
    expect((await owner.api.patch('/v1/organization', { baseCurrency: 'ZZZ' })).body.errors).toEqual([
      { path: 'baseCurrency', message: 'must be an ISO 4217 currency code such as "EUR"' },
    ]);
    expect((await owner.api.patch('/v1/organization', { name: 'x' }, { headers: { 'if-match': '"1"' } })).status).toBe(412);
    const said = await saidOf(owner.organizationId);
    expect(said.map(({ subject }) => subject).filter((subject) => subject.includes('organization.updated')).length).toBe(1);
  });
});

describe('members', () => {
  test('are listed page by page, the newest first, and nobody else’s', async () => {
    const owner = await identity.register();
    const second = await join(owner, 'admin');
    const third = await join(owner, 'viewer');
    const all = (await owner.api.get('/v1/members')).body;
    expect(all).toMatchObject({
      data: [
        { userId: third.userId, email: third.email, name: null, role: 'viewer', disabled: false },
        { userId: second.userId, role: 'admin' },
        { userId: owner.userId, role: 'owner' },
      ],
      nextCursor: null,
    });
    const page = (await owner.api.get('/v1/members?limit=2')).body;
    const rest = (await owner.api.get(`/v1/members?limit=2&cursor=${page.nextCursor}`)).body;
    expect([...page.data, ...rest.data]).toEqual(all.data);
  });

  test('get another role, which their old sessions do not have, and log in with it at once', async () => {
    const owner = await identity.register();
    const member = await join(owner, 'developer');
    const changed = await owner.api.patch(member.path, { role: 'viewer' });
    expect(changed).toMatchObject({ status: 200, body: { userId: member.userId, role: 'viewer', disabled: false } });
    expect(changed.headers.get('etag')).toMatch(/^"2-/);
    expect((await owner.api.patch(member.path, { role: 'admin' }, { headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect(await revoked(member.sessionId)).toBe(true);
    expect((await refresh(member.refreshToken)).status).toBe(401);
    const again = await logIn(member.email, owner.organizationId);
    expect(claimsOf(again.body.accessToken)).toMatchObject({ role: 'viewer', org: owner.organizationId });
    expect(await revoked(sidOf(again.body.accessToken))).toBe(false);
    const said = await saidOf(member.userId);
    expect(said.filter(({ subject }) => subject.includes('role_changed')).map(({ data }) => data)).toMatchObject([
      { userId: member.userId, role: 'viewer', previousRole: 'developer' },
    ]);
    expect(said.map(({ body }) => body).join()).not.toContain(member.email);
  });

  test('that are shut out come in nowhere, until they are let in again; elsewhere nothing changes', async () => {
    const owner = await identity.register();
    const member = await join(owner, 'developer');
    const home = (await logIn(member.email, member.organizationId)).body;
    expect((await owner.api.patch(member.path, { disabled: true })).body.disabled).toBe(true);
    expect((await refresh(member.refreshToken)).status).toBe(401);
    expect(await revoked(member.sessionId)).toBe(true);
    expect((await logIn(member.email, owner.organizationId)).status).toBe(404);
    expect((await logIn(member.email)).body.organization.id).toBe(member.organizationId);
    expect((await refresh(home.refreshToken, owner.organizationId)).status).toBe(404);
    const list = (await identity.as({ subject: member.userId, organizationId: member.organizationId }).get('/v1/me/organizations')).body;
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual([member.organizationId]);
    expect((await refresh(home.refreshToken)).status).toBe(200);
    expect((await owner.api.patch(member.path, { disabled: false })).body.disabled).toBe(false);
    expect((await logIn(member.email, owner.organizationId)).status).toBe(200);
  });

  test('are known to executions as long as they may come in, and those of another organization never', async () => {
    const [owner, other] = [await identity.register(), await identity.register()];
    const member = await join(owner, 'viewer');
    const active = async ({ organizationId }: Person, { userId }: Person) => {
      const executions = identity.as({ issuer: 'executions', organizationId });
      const { status, body } = await executions.get(`/internal/members/${userId}`);
      expect([status, body.userId]).toEqual([200, userId]);
      return body.active;
    };
    expect([await active(owner, member), await active(other, member), await active(owner, other)]).toEqual([true, false, false]);
    await owner.api.patch(member.path, { disabled: true });
    expect(await active(owner, member)).toBe(false);
    await owner.api.patch(member.path, { disabled: false });
    expect(await active(owner, member)).toBe(true);
    await owner.api.delete(member.path);
    expect(await active(owner, member)).toBe(false);
    const executions = identity.as({ issuer: 'executions', organizationId: owner.organizationId });
    expect((await executions.get('/internal/members/x')).status).toBe(404);
  });

  test('that are removed are gone, with what a session had here before it moved on', async () => {
    const owner = await identity.register();
    const member = await join(owner, 'admin');
    const moved = (await refresh(member.refreshToken, member.organizationId)).body;
    expect((await refresh(moved.refreshToken)).status).toBe(200);
    expect((await owner.api.delete(member.path, { headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await owner.api.delete(member.path)).status).toBe(204);
    expect(await revoked(member.sessionId)).toBe(true);
    expect((await owner.api.delete(member.path)).status).toBe(404);
    expect((await logIn(member.email, owner.organizationId)).status).toBe(404);
    expect((await logIn(member.email)).status).toBe(200);
    const subjects = (await saidOf(member.userId)).map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject.includes('user.removed')).length).toBe(1);
  });

  test('that want to go leave by themselves, whatever they may do, and from wherever they are', async () => {
    const owner = await identity.register();
    const member = await join(owner, 'viewer');
    const leave = (who: Person, organizationId = owner.organizationId, options = {}) =>
      who.api.delete(`/v1/me/organizations/${organizationId}`, options);
    // The last owner cannot, and nobody leaves what they are not in.
    expect((await leave(owner)).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('last owner') });
    const stranger = await identity.register();
    expect((await leave(stranger)).body.code).toBe('not_found');
    expect((await leave(member, owner.organizationId, { headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await leave(member)).status).toBe(204);
    expect(await revoked(member.sessionId)).toBe(true);
    expect((await owner.api.get('/v1/members')).body.data.map(({ userId }: { userId: string }) => userId)).toEqual([owner.userId]);
    expect((await logIn(member.email)).status).toBe(200);
    const said = await saidOf(member.userId);
    expect(said.filter(({ subject }) => subject.includes('user.removed'))).toHaveLength(1);
    expect(said.filter(({ data }) => data['action'] === 'user.removed')).toMatchObject([{ data: { actor: { id: member.userId } } }]);

    // Out of a session in another organization, which goes on.
    const other = await join(owner, 'owner');
    const own = sidOf((await logIn(other.email, other.organizationId)).body.accessToken);
    const { userId: subject, organizationId } = other;
    const elsewhere = { ...other, api: identity.as({ subject, organizationId, role: 'owner', sessionId: own }) };
    expect((await leave(elsewhere)).status).toBe(204);
    expect([await revoked(other.sessionId), await revoked(own)]).toEqual([true, false]);

    // Also who was shut out for a while.
    const disabled = await join(owner, 'viewer');
    expect((await owner.api.patch(`/v1/members/${disabled.userId}`, { disabled: true })).status).toBe(200);
    const home = sidOf((await logIn(disabled.email, disabled.organizationId)).body.accessToken);
    const outside = { subject: disabled.userId, organizationId: disabled.organizationId, role: 'owner', sessionId: home };
    expect((await leave({ ...disabled, api: identity.as(outside) })).status).toBe(204);
  });

  test('that were removed from their last organization found another with the account that they have', async () => {
    const owner = await identity.register();
    const member = await join(owner, 'viewer');
    const database = await identity.database('admin');
    await database.query('delete from memberships where user_id = $1 and organization_id = $2', [member.userId, member.organizationId]);
    const found = (secret = password) =>
      identity.anonymous().post('/v1/auth/register', { email: member.email, password: secret, organizationName: 'Anew' });
    expect((await found()).status).toBe(409);
    await owner.api.patch(member.path, { disabled: true });
    expect((await found()).status).toBe(409);
    expect((await logIn(member.email)).body).toMatchObject({ status: 403, detail: 'Your membership is disabled.' });
    expect((await owner.api.delete(member.path)).status).toBe(204);
    expect((await logIn(member.email)).body).toMatchObject({ status: 403, detail: expect.stringContaining('register one') });
    expect((await found('another password of several words')).status).toBe(409);
    const answers = await Promise.all([found(), found(), found()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const { user, organization } = answers.find(({ status }) => status === 201)?.body ?? {};
    expect(user.id).toBe(member.userId);
    expect((await logIn(member.email)).body.organization).toEqual(organization);
    expect((await logIn(member.email, owner.organizationId)).status).toBe(404);
  });

  test('a login at the moment of the removal leaves no session behind', async () => {
    const owner = await identity.register();
    for (let round = 0; round < 5; round += 1) {
      const member = await join(owner, 'viewer');
      const logins = [1, 2, 3].map(() => logIn(member.email, owner.organizationId));
      const refreshes = [refresh(member.refreshToken)];
      expect((await owner.api.delete(member.path)).status).toBe(204);
      const answers = await Promise.all([...logins, ...refreshes]);
      for (const { status, body } of answers) {
        expect([200, 401, 404]).toContain(status);
        if (status === 200) expect(await revoked(sidOf(body.accessToken))).toBe(true);
      }
    }
  });

  test('the last owner stays one, whoever asks at the same time', async () => {
    const owner = await identity.register();
    const place = `/v1/members/${owner.userId}`;
    expect((await owner.api.patch(place, { role: 'admin' })).status).toBe(409);
    expect((await owner.api.patch(place, { disabled: true })).status).toBe(409);
    expect((await owner.api.delete(place)).status).toBe(409);
    const other = await join(owner, 'owner');
    const answers = await Promise.all([owner.api.delete(other.path), other.api.delete(place), owner.api.delete(place)]);
    expect(answers.map(({ status }) => status)).toContain(204);
    const database = await identity.database('admin');
    const { rows } = await database.query("select 1 from memberships where organization_id = $1 and role = 'owner'", [
      owner.organizationId,
    ]);
    expect(rows.length).toBe(1);
  });

  test('an owner that is shut out does not count as one', async () => {
    const owner = await identity.register();
    const other = await join(owner, 'owner');
    expect((await owner.api.patch(other.path, { disabled: true })).status).toBe(200);
    expect((await owner.api.delete(`/v1/members/${owner.userId}`)).status).toBe(409);
    expect((await other.api.delete(`/v1/members/${owner.userId}`)).status).toBe(403);
  });

  test('admins touch no owner and make none, and keys do neither', async () => {
    const owner = await identity.register();
    const admin = await join(owner, 'admin');
    const viewer = await join(owner, 'viewer');
    const second = await join(owner, 'owner');
    const key = await identity.keyOf(owner);
    for (const { api } of [admin, key]) {
      expect((await api.patch(viewer.path, { role: 'owner' })).status).toBe(403);
      expect((await api.patch(second.path, { role: 'viewer' })).status).toBe(403);
      expect((await api.patch(second.path, { disabled: true })).status).toBe(403);
      expect((await api.delete(second.path)).status).toBe(403);
    }
    expect((await admin.api.patch(viewer.path, { role: 'developer' })).status).toBe(200);
    expect((await key.api.patch(viewer.path, { role: 'admin' })).status).toBe(200);
  });

  test('a key gives no role that can do more than the key', async () => {
    const owner = await identity.register();
    const viewer = await join(owner, 'viewer');
    const { api } = await identity.keyOf(owner, ['members:read', 'members:write']);
    const answer = await api.patch(viewer.path, { role: 'developer' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', requiredScope: 'jobs:read' } });
  });

  test('of another organization do not exist here', async () => {
    const owner = await identity.register();
    const stranger = await identity.register();
    expect((await owner.api.patch(`/v1/members/${stranger.userId}`, { role: 'viewer' })).status).toBe(404);
    expect((await owner.api.delete(`/v1/members/${stranger.userId}`)).status).toBe(404);
  });
});
