import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

const logIn = (email: string, secret = password, address?: string) =>
  identity.anonymous(address).post('/v1/auth/login', { email, password: secret });
const refresh = (refreshToken: string) => identity.anonymous().post('/v1/auth/refresh', { refreshToken });
const revoked = async (id: string): Promise<boolean> => {
  const { body } = await identity.gateway.get('/internal/revocations?after=0');
  return body.revoked.some((one: { kind: string; id: string }) => one.kind === 'session' && one.id === id);
};
const sessionsOf = async ({ api }: Person): Promise<{ id: string; isCurrent: boolean }[]> => (await api.get('/v1/me/sessions')).body.data;

describe('one’s own sessions', () => {
  test('are listed, the newest first, and only those that have not ended', async () => {
    const person = await identity.register();
    const second = (await logIn(person.email)).body;
    const third = (await logIn(person.email)).body;
    await person.api.post('/v1/auth/logout', { refreshToken: second.refreshToken });
    await refresh(third.refreshToken);
    const list = await person.api.get('/v1/me/sessions');
    expect(list.body).toMatchObject({
      data: [
        { id: claimsOf(third.accessToken)['sid'], isCurrent: false, refreshedAt: expect.stringMatching(/Z$/) },
        { id: person.sessionId, isCurrent: true, refreshedAt: null, organizationId: person.organizationId },
      ],
      nextCursor: null,
    });
    const page = await person.api.get('/v1/me/sessions?limit=1');
    const rest = await person.api.get(`/v1/me/sessions?limit=1&cursor=${page.body.nextCursor}`);
    expect([...page.body.data, ...rest.body.data]).toEqual(list.body.data);
  });

  test('can be ended, and nobody else’s', async () => {
    const person = await identity.register();
    const other = await identity.register();
    const { refreshToken, accessToken } = (await logIn(person.email)).body;
    const id = String(claimsOf(accessToken)['sid']);
    expect((await other.api.delete(`/v1/me/sessions/${id}`)).status).toBe(404);
    expect((await person.api.delete(`/v1/me/sessions/${id}`, { headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await sessionsOf(person)).length).toBe(2);
    expect((await person.api.delete(`/v1/me/sessions/${id}`)).status).toBe(204);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect(await revoked(id)).toBe(true);
    expect((await identity.gateway.get(`/internal/sessions/${id}`)).body.active).toBe(false);
    expect((await sessionsOf(person)).map((session) => session.id)).toEqual([person.sessionId]);
    // Once more is as good as once.
    expect((await person.api.delete(`/v1/me/sessions/${id}`)).status).toBe(204);
  });

  test('ending one is in the audit trail, once', async () => {
    const person = await identity.register();
    const id = String(claimsOf((await logIn(person.email)).body.accessToken)['sid']);
    await person.api.delete(`/v1/me/sessions/${id}`);
    await person.api.delete(`/v1/me/sessions/${id}`);
    const entries = await waitFor(
      async () => {
        const { body } = await person.api.get('/v1/audit-events?action=session.ended');
        return body.data.length > 0 && body.data;
      },
      { what: 'the entry' },
    );
    expect(entries).toMatchObject([{ resource: { type: 'session', id }, after: { userId: person.userId, reason: 'revoked' } }]);
  });
});

describe('one’s own password', () => {
  const next = 'another password of several words';
  const change = ({ api }: Person, body: object) => api.post('/v1/me/password', body);

  test('can be changed; every other session ends, and this one goes on', async () => {
    const person = await identity.register();
    const other = (await logIn(person.email)).body;
    expect((await change(person, { currentPassword: password, newPassword: next })).status).toBe(204);
    expect((await logIn(person.email)).status).toBe(401);
    expect((await logIn(person.email, next)).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(401);
    expect(await revoked(String(claimsOf(other.accessToken)['sid']))).toBe(true);
    expect(await revoked(person.sessionId)).toBe(false);
    expect((await refresh(person.refreshToken)).status).toBe(200);
    const entries = await waitFor(
      async () => {
        const { body } = await person.api.get('/v1/audit-events?action=user.password_changed');
        return body.data.length > 0 && body.data;
      },
      { what: 'the entry' },
    );
    expect(entries).toMatchObject([{ resource: { type: 'user', id: person.userId }, after: { sessionsEnded: 1 } }]);
    expect(JSON.stringify(entries)).not.toContain('password of several');
  });

  test.each([
    ['fourteen chars', 'must have at least 15 characters'],
    ['passwordpassword', 'is one of the passwords that are tried first'],
    [password, 'is the one you have'],
  ])('a new one has to be good: %s is not', async (newPassword, message) => {
    const person = await identity.register();
    const answer = await change(person, { currentPassword: password, newPassword });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ path: 'newPassword', message: expect.stringContaining(message) }]);
  });

  test('guessing at the current one is throttled as logging in is', async () => {
    const person = await identity.register();
    const guess = (currentPassword: string) => change(person, { currentPassword, newPassword: next });
    for (let failure = 0; failure < 10; failure += 1) expect((await guess(`guess ${failure}`)).status).toBe(401);
    expect((await guess(password)).status).toBe(429);
    expect((await logIn(person.email)).status).toBe(429);
  });

  test('of two changes at once that both know the current one, one is done', async () => {
    const person = await identity.register();
    const answers = await Promise.all(
      [1, 2].map((number) => change(person, { currentPassword: password, newPassword: `${next} ${number}` })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect([
      [204, 401],
      [204, 409],
    ]).toContainEqual(statuses);
  });
});
