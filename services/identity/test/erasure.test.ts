import { type Broker, createBroker } from '@settler/chassis/broker';
import { newId } from '@settler/chassis/ids';
import { createLogger } from '@settler/chassis/logger';
import { auditType } from '@settler/contracts/audit';
import {
  askedToErase,
  erasureAcknowledgementExample,
  erasureAcknowledgementType,
  erasureRequest,
} from '@settler/contracts/internal/erasure';
import { auditSubject, erasureAcknowledgementSubject } from '@settler/contracts/subjects';
import { lockWaits, startService, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Identity, type Person, password, startIdentity } from './setup.ts';

let identity: Identity;
/** As the other services speak. */
const brokers = new Map<string, Broker>();

beforeAll(async () => {
  identity = await startIdentity({ ERASURE_RETRY_MS: '300' });
  const logger = createLogger('jobs', 'fatal');
  for (const service of askedToErase)
    brokers.set(service, createBroker({ service, url: identity.island.brokerUrl(service), logger, onLost: () => {} }));
});
afterAll(async () => {
  for (const broker of brokers.values()) await broker.close();
  await identity.dispose();
});

type Service = (typeof askedToErase)[number];

const say = async (
  service: Service,
  subject: string,
  organizationId: string,
  type: string,
  about: string,
  data: object,
  time = new Date(),
) => {
  const envelope = {
    specversion: '1.0',
    id: newId('event'),
    source: `/settler/${service}`,
    type,
    subject: about,
    time: time.toISOString(),
    datacontenttype: 'application/json',
    organizationid: organizationId,
    aggregateversion: 1,
    data,
  };
  (await brokers.get(service)?.connection())?.publish(subject, JSON.stringify(envelope));
};
const acknowledge = (service: Service, { organizationId }: Person, erasureId: string) =>
  say(service, erasureAcknowledgementSubject(service), organizationId, erasureAcknowledgementType, erasureId, {
    ...erasureAcknowledgementExample,
    erasureId,
    service,
  });
const askedOf = async (erasureId: string): Promise<string[]> => {
  const said = await identity.rows(
    "select subject, body from outbox union all select subject, body from outbox_sent where subject like 'work.%'",
  );
  return said
    .filter(({ subject, body }) => subject.startsWith('work.') && erasureRequest.parse(JSON.parse(body).data).erasureId === erasureId)
    .map(({ subject }) => subject);
};
const erase = ({ api }: Person, userId: string, headers = {}) => api.delete(`/v1/members/${userId}/personal-data`, { headers });
const erasureOf = async ({ api }: Person, id: string) => (await api.get(`/v1/erasures/${id}`)).body;
const done = (body: { services: { service: string; doneAt: string | null }[] }) =>
  body.services.filter(({ doneAt }) => doneAt !== null).map(({ service }) => service);
const until = (owner: Person, id: string, services: readonly string[]) =>
  waitFor(async () => done(await erasureOf(owner, id)).join() === services.toSorted().join(), { what: `the steps of ${services}` });
const revoked = async (): Promise<string[]> =>
  (await identity.gateway.get('/internal/revocations?after=0')).body.revoked.map(({ id }: { id: string }) => id);

let people = 0;
const member = async (owner: Person, role = 'developer', known?: Person): Promise<Person> => {
  people += 1;
  const email = known?.email ?? `member-${people}@example.com`;
  const mails = () => identity.service.logs().filter((text) => text.startsWith(`mail to ${email}`));
  const before = mails().length;
  await owner.api.post('/v1/invitations', { email, role }, { headers: { 'idempotency-key': `of ${people}` } });
  const line = await waitFor(() => mails()[before], { what: 'the mail' });
  const { body } = await identity.anonymous('203.0.113.7').post('/v1/invitations/accept', { token: line.split('token=')[1], password });
  const { accessToken, refreshToken, user } = body;
  const { sid: sessionId } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString());
  const { organizationId } = owner;
  const api = identity.as({ subject: user.id, organizationId, role, sessionId, scopes: ['*'], address: '203.0.113.7' });
  return { email, userId: user.id, organizationId, sessionId, accessToken, refreshToken, api };
};
const entriesBy = (actorId: string) => identity.rows('select address from audit_entries where actor_id = $1', [actorId]);

describe('personal data', () => {
  test('are exported: the account, and what it left in this organization alone', async () => {
    const owner = await identity.register();
    const elsewhere = await identity.register();
    const { userId, email, sessionId, api } = await member(owner, 'developer', elsewhere);
    const key = (await api.post('/v1/api-keys', { name: 'mine', scopes: ['jobs:read'] })).body;
    await waitFor(async () => (await entriesBy(userId)).filter(({ address }) => address !== null).length === 2, { what: 'the trail' });
    const answer = await owner.api.get(`/v1/members/${userId}/export`);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        user: { id: userId, email, name: null },
        membership: { role: 'developer', disabled: false },
        sessions: [{ id: sessionId, endedAt: null }],
        apiKeys: [{ id: key.id, name: 'mine' }],
        addresses: [{ address: '203.0.113.7', entries: 2 }],
      },
    });
    await waitFor(async () => (await owner.api.get('/v1/audit-events?action=user.exported')).body.data.length === 1, { what: 'the entry' });
    expect((await owner.api.get('/v1/members/usr_01jqv8m0c4e7r9t2w5y8a1b3d6/export')).status).toBe(404);
    expect((await owner.api.get(`/v1/members/${(await identity.register()).userId}/export`)).status).toBe(404);
  });

  test('are exported of somebody who has left, until they are erased, also where the account goes on elsewhere', async () => {
    const owner = await identity.register();
    const elsewhere = await identity.register();
    const { userId, email, api } = await member(owner, 'viewer', elsewhere);
    const exported = () => owner.api.get(`/v1/members/${userId}/export`);
    const entries = async () => (await entriesBy(userId)).filter(({ address }) => address !== null).length;
    expect((await api.delete(`/v1/me/organizations/${owner.organizationId}`)).status).toBe(204);
    await waitFor(async () => (await entries()) > 0, { what: 'the trail' });
    expect((await exported()).body).toMatchObject({
      user: { id: userId, email },
      membership: null,
      sessions: [{ endedAt: expect.any(String) }],
      addresses: [{ address: '203.0.113.7' }],
    });
    expect((await owner.api.delete(`/v1/members/${userId}/personal-data`)).status).toBe(202);
    expect((await exported()).status).toBe(404);
  });

  test('are erased: access ends at once, what is here goes, and it is over when every service has answered', async () => {
    const owner = await identity.register();
    const person = await member(owner);
    const { userId, email } = person;
    const { id: keyId } = (await person.api.post('/v1/api-keys', { name: 'mine', scopes: ['jobs:read'] })).body;
    const again = { headers: { 'idempotency-key': 'once more' } };
    const logIn = () => identity.anonymous('203.0.113.7').post('/v1/auth/login', { email, password }, again);
    expect([(await logIn()).status, (await logIn()).headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    await identity.anonymous('203.0.113.7').post('/v1/auth/login', { email, password: 'wrong' });
    await identity.anonymous().post('/v1/auth/password/forgot', { email });
    await waitFor(async () => (await identity.rows('select 1 from password_resets where user_id = $1', [userId])).length === 1, {
      what: 'a token',
    });
    await waitFor(async () => (await entriesBy(userId)).filter(({ address }) => address !== null).length === 3, { what: 'the trail' });

    expect((await erase(owner, userId, { 'if-match': '"7"' })).status).toBe(412);
    const asked = await erase(owner, userId);
    expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/erasures/${asked.body.id}`]);
    const { id } = asked.body;
    expect(await revoked()).toEqual(expect.arrayContaining([person.sessionId, keyId]));
    expect((await owner.api.get('/v1/members')).body.data.map((one: { userId: string }) => one.userId)).toEqual([owner.userId]);
    await until(owner, id, ['identity']);
    expect(await erasureOf(owner, id)).toMatchObject({ id, userId, status: 'running', completedAt: null });
    expect((await askedOf(id)).filter((subject, index, all) => all.indexOf(subject) === index).sort()).toEqual([
      'work.erasures.executions',
      'work.erasures.jobs',
      'work.erasures.webhooks',
    ]);

    for (const service of askedToErase) await acknowledge(service, owner, id);
    await until(owner, id, ['identity', ...askedToErase]);
    expect(await erasureOf(owner, id)).toMatchObject({ status: 'completed', completedAt: expect.stringMatching(/Z$/) });
    await waitFor(async () => (await owner.api.get('/v1/audit-events?action=user.erased')).body.data.length === 1, { what: 'the entry' });
    expect((await entriesBy(userId)).filter(({ address }) => address !== null)).toEqual([]);
    expect((await owner.api.get('/v1/audit-events/verify')).body.valid).toBe(true);
    expect((await identity.anonymous().post('/v1/auth/login', { email, password })).status).toBe(401);
    expect((await logIn()).status).toBe(401);
    const tables = await identity.rows("select tablename from pg_tables where schemaname = 'public'");
    for (const { tablename } of tables)
      expect(await identity.rows(`select * from ${tablename} as one where one::text like $1`, [`%${email}%`]), tablename).toEqual([]);
    for (const [table, column] of [
      ['sessions', 'user_id'],
      ['users', 'id'],
      ['memberships', 'user_id'],
      ['password_resets', 'user_id'],
    ])
      expect(await identity.rows(`select 1 from ${table} where ${column} = $1`, [userId]), table).toEqual([]);
    // The address may register again, as somebody else.
    expect((await identity.register({ email })).userId).not.toBe(userId);
  });

  test('include the keys that a key of theirs has made, and what is said of their sessions', async () => {
    const owner = await identity.register();
    const { userId, api, refreshToken } = await member(owner, 'admin');
    const { organizationId } = owner;
    const address = '203.0.113.8';
    const made = (await api.post('/v1/api-keys', { name: 'first', scopes: ['api-keys:write', 'api-keys:read'] })).body;
    const first = identity.as({
      ...{ kind: 'apiKey', subject: made.id, ownerId: userId, organizationId },
      ...{ scopes: ['api-keys:write', 'api-keys:read'], address },
    });
    const second = (await first.post('/v1/api-keys', { name: 'second', scopes: ['api-keys:read'] })).body;
    const refresh = (token: string) => identity.anonymous(address).post('/v1/auth/refresh', { refreshToken: token });
    for (let token = refreshToken, times = 0; times < 2; times += 1) token = (await refresh(token)).body.refreshToken;
    await identity.rows("update refresh_tokens set replaced_at = replaced_at - interval '1 minute'");
    expect((await refresh(refreshToken)).status).toBe(401);
    const saidOfAddress = () => identity.rows('select action from audit_entries where address = $1 order by position', [address]);
    await waitFor(async () => (await saidOfAddress()).length === 2, { what: 'the trail' });
    expect((await saidOfAddress()).map(({ action }) => action)).toEqual(['api-key.created', 'session.reuse_detected']);

    const { apiKeys, addresses } = (await owner.api.get(`/v1/members/${userId}/export`)).body;
    expect(apiKeys.map(({ name }: { name: string }) => name)).toEqual(['second', 'first']);
    expect(addresses.map((one: { address: string }) => one.address).sort()).toEqual(['203.0.113.7', address]);

    const { id } = (await erase(owner, userId)).body;
    expect(await revoked()).toEqual(expect.arrayContaining([made.id, second.id]));
    await until(owner, id, ['identity']);
    expect(await saidOfAddress()).toEqual([]);
  });

  test('of who is a member elsewhere too: the account stays, and so does everything there', async () => {
    const owner = await identity.register();
    const elsewhere = await identity.register();
    const { userId, email } = await member(owner, 'viewer', elsewhere);
    const { id } = (await erase(owner, userId)).body;
    await until(owner, id, ['identity']);
    expect((await identity.anonymous().post('/v1/auth/refresh', { refreshToken: elsewhere.refreshToken })).status).toBe(200);
    const { body } = await identity.anonymous().post('/v1/auth/login', { email, password });
    expect(body.organization.id).toBe(elsewhere.organizationId);
    expect(await identity.rows('select scope from idempotency_keys where strpos(body, $1) > 0', [email])).toEqual([]);
    expect((await elsewhere.api.get(`/v1/erasures/${id}`)).status).toBe(404);
    expect((await erase(elsewhere, owner.userId)).status).toBe(404);
  });

  test('are erased once at a time, and also of who has left', async () => {
    const owner = await identity.register();
    const { userId } = await member(owner);
    expect((await owner.api.delete(`/v1/members/${userId}`)).status).toBe(204);
    const [one, other] = await Promise.all([erase(owner, userId), erase(owner, userId)]);
    expect([one.status, other.status, other.body]).toEqual([202, 202, one.body]);
  });

  test('of who has come back while an erasure goes on are erased by another one', async () => {
    const owner = await identity.register();
    const elsewhere = await identity.register();
    const { userId } = await member(owner, 'viewer', elsewhere);
    const first = (await erase(owner, userId)).body;
    await until(owner, first.id, ['identity']);
    await acknowledge('jobs', owner, first.id);
    // For a minute after it no address of the user is taken into the trail.
    await identity.rows("update erasures set requested_at = requested_at - interval '2 minutes' where id = $1", [first.id]);

    const back = await member(owner, 'developer', elsewhere);
    const key = (await back.api.post('/v1/api-keys', { name: 'mine', scopes: ['jobs:read'] })).body;
    await waitFor(async () => (await entriesBy(userId)).some(({ address }) => address !== null), { what: 'the trail' });
    expect((await erase(owner, userId, { 'if-match': '"77"' })).status).toBe(412);
    const second = (await erase(owner, userId)).body;
    expect(second.id).not.toBe(first.id);
    expect(await revoked()).toEqual(expect.arrayContaining([back.sessionId, key.id]));
    expect((await owner.api.get('/v1/members')).body.data.map((one: { userId: string }) => one.userId)).toEqual([owner.userId]);
    expect((await owner.api.get(`/v1/members/${userId}/export`)).status).toBe(404);
    await until(owner, second.id, ['identity']);
    expect((await entriesBy(userId)).filter(({ address }) => address !== null)).toEqual([]);

    for (const service of askedToErase) await acknowledge(service, owner, first.id);
    await waitFor(async () => (await erasureOf(owner, first.id)).status === 'completed', { what: 'the end of the first' });
    expect(await erasureOf(owner, second.id)).toMatchObject({ userId, status: 'running' });
    expect((await erase(owner, userId)).body).toEqual(second);
    for (const service of askedToErase) await acknowledge(service, owner, second.id);
    await waitFor(async () => (await erasureOf(owner, second.id)).status === 'completed', { what: 'the end of the second' });
  });

  test('of who has come back as an owner while an erasure goes on are erased by owners alone', async () => {
    const owner = await identity.register();
    const admin = await member(owner, 'admin');
    const elsewhere = await identity.register();
    const { userId } = await member(owner, 'viewer', elsewhere);
    const first = (await erase(owner, userId)).body;
    await member(owner, 'owner', elsewhere);
    expect((await erase({ ...owner, api: admin.api }, userId)).status).toBe(403);
    const second = await erase(owner, userId);
    expect([second.status, second.body.id === first.id]).toEqual([202, false]);
  });

  test('of who has come back and left, or was invited again, while an erasure goes on are erased by another one', async () => {
    const owner = await identity.register();
    const elsewhere = await identity.register();
    const { userId, email } = await member(owner, 'viewer', elsewhere);
    const first = (await erase(owner, userId, { 'if-match': '"1"' })).body;
    for (const revision of ['"1"', '"2"']) expect((await erase(owner, userId, { 'if-match': revision })).body).toEqual(first);
    expect((await erase(owner, userId, { 'if-match': '"77"' })).status).toBe(412);

    const back = await member(owner, 'viewer', elsewhere);
    expect((await back.api.delete(`/v1/me/organizations/${owner.organizationId}`)).status).toBe(204);
    expect((await owner.api.get(`/v1/members/${userId}/export`)).status).toBe(200);
    const second = (await erase(owner, userId)).body;
    expect(second.id).not.toBe(first.id);
    expect((await owner.api.get(`/v1/members/${userId}/export`)).status).toBe(404);

    await until(owner, second.id, ['identity']);
    await owner.api.post('/v1/invitations', { email, role: 'viewer' }, { headers: { 'idempotency-key': 'an answer that is kept' } });
    const third = (await erase(owner, userId)).body;
    expect(third.id).not.toBe(second.id);
    expect((await owner.api.get('/v1/invitations')).body.data).toEqual([]);
    await until(owner, third.id, ['identity']);
    expect(
      await identity.rows('select scope from idempotency_keys where organization_id = $1 and strpos(body, $2) > 0', [
        owner.organizationId,
        email,
      ]),
    ).toEqual([]);
  });

  test('are in no invitation any more, where who has left was invited again', async () => {
    const owner = await identity.register();
    const { userId, email } = await member(owner);
    expect((await owner.api.delete(`/v1/members/${userId}`)).status).toBe(204);
    const { body: invitation } = await owner.api.post('/v1/invitations', { email, role: 'owner' });
    // Nobody withdraws this way what they may not withdraw.
    const admin = await member(owner, 'admin');
    expect((await erase(admin, userId)).status).toBe(403);
    expect((await owner.api.get('/v1/invitations')).body.data).toHaveLength(1);
    const { body } = await erase(owner, userId);
    await until(owner, body.id, ['identity']);
    expect((await owner.api.get('/v1/invitations')).body.data).toEqual([]);
    expect(await identity.rows('select from users where email = $1 union all select from invitations where email = $1', [email])).toEqual(
      [],
    );
    const withdrawn = () =>
      identity.rows("select from audit_entries where resource_id = $1 and action = 'invitation.withdrawn'", [invitation.id]);
    await waitFor(async () => (await withdrawn()).length === 1, { what: 'the entry' });
  });

  test('of owners are erased by owners alone, and of the last one not at all', async () => {
    const owner = await identity.register();
    const second = await member(owner, 'owner');
    const admin = await member(owner, 'admin');
    const key = await identity.keyOf(owner);
    for (const { api } of [admin, key]) expect((await erase({ ...owner, api }, second.userId)).status).toBe(403);
    expect((await erase(owner, second.userId)).status).toBe(202);
    expect((await erase(owner, owner.userId)).status).toBe(409);
    const own = await erase({ ...owner, api: admin.api }, admin.userId);
    await until(owner, own.body.id, ['identity']);
    await waitFor(
      async () =>
        (await identity.rows("select 1 from audit_entries where actor_id = $1 and action = 'user.removed'", [admin.userId])).length === 1,
      { what: 'the last entry' },
    );
    expect((await entriesBy(admin.userId)).filter(({ address }) => address !== null)).toEqual([]);
  });

  test('that were still on their way do not come back', async () => {
    const owner = await identity.register();
    const { userId } = await member(owner);
    const before = new Date();
    const { id } = (await erase(owner, userId)).body;
    await until(owner, id, ['identity']);
    const record = {
      actor: { type: 'user', id: userId },
      address: '203.0.113.7',
      action: 'job.paused',
      resource: { type: 'job', id: 'job_1' },
    };
    const ended = { action: 'session.ended', resource: { type: 'session', id: owner.sessionId }, after: { userId: owner.userId } };
    const { organizationId } = owner;
    for (const one of [{ ...record, ...ended }, record])
      await say('jobs', auditSubject('jobs', organizationId), organizationId, auditType, organizationId, one, before);
    await waitFor(async () => (await owner.api.get('/v1/audit-events?action=job.paused')).body.data.length === 1, { what: 'the entry' });
    expect((await entriesBy(userId)).filter(({ address }) => address !== null)).toEqual([]);
  });

  test('go on being erased after the process was killed in the middle, and services that do not answer are asked again', async () => {
    const owner = await identity.register();
    const { userId, email } = await member(owner);
    await waitFor(async () => (await entriesBy(userId)).length === 1, { what: 'the trail' });
    const database = await identity.database('admin');
    await database.query('begin');
    await database.query('select 1 from audit_entries where actor_id = $1 for update', [userId]);
    const { id } = (await erase(owner, userId)).body;
    await waitFor(async () => (await identity.rows(`${lockWaits} and locktype = 'transactionid'`)).length > 0, {
      what: 'it to be in the middle',
    });
    identity.service.kill('SIGKILL');
    await identity.service.exited;
    await database.query('rollback');
    expect(
      done({
        services: (await identity.rows('select service, done_at as "doneAt" from erasure_steps where erasure_id = $1', [id])) as never,
      }),
    ).toEqual([]);
    await startService('identity', identity.island.environmentFor('identity', { ERASURE_RETRY_MS: '300' }));
    await until(owner, id, ['identity']);
    expect(await identity.rows('select 1 from users where email = $1', [email])).toEqual([]);
    await waitFor(async () => (await askedOf(id)).filter((subject) => subject === 'work.erasures.jobs').length >= 2, {
      what: 'jobs to be asked again',
    });
    for (const service of askedToErase) await acknowledge(service, owner, id);
    await waitFor(async () => (await erasureOf(owner, id)).status === 'completed', { what: 'the end' });
  });
});
