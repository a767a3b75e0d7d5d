import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Identity, shareIdentity } from './setup.ts';

describe('API keys', () => {
  let identity: Identity;
  let owner: Awaited<ReturnType<Identity['register']>>;

  beforeAll(async () => {
    identity = await shareIdentity();
    owner = await identity.register();
  });
  afterAll(() => identity.dispose());

  const asOwner = () => owner.api;
  const verify = async (key: string) => (await identity.gateway.post('/internal/api-keys/verify', { key })).body;
  const create = async (more: object = {}) => (await asOwner().post('/v1/api-keys', { name: 'shop', scopes: ['jobs:read'], ...more })).body;
  const actions = async (id: string): Promise<string[]> => {
    const database = await identity.database('system');
    const { rows } = await database.query('select body from outbox union all select body from outbox_sent');
    const said = rows.map(({ body }) => JSON.parse(body).data).filter(({ resource }) => resource?.id === id);
    return said.map(({ action }) => action).sort();
  };
  const revocationsOf = async (id: string): Promise<number> => {
    const database = await identity.database('system');
    return (await database.query('select 1 from revocations where subject_id = $1', [id])).rows.length;
  };

  test('are changed in what is named and in nothing else, and what gateways remember of them is forgotten', async () => {
    const { id, key: _shownOnce, ...before } = await create({ allowedIps: ['192.0.2.0/24'], rateLimit: { limit: 10, windowMs: 60_000 } });
    const changed = await asOwner().patch(`/v1/api-keys/${id}`, { name: 'till', rateLimit: null });
    expect(changed).toMatchObject({ status: 200, body: { ...before, id, name: 'till', rateLimit: null } });
    expect(changed.headers.get('etag')).toMatch(/^"2-/);
    expect(changed.body).not.toHaveProperty('key');
    expect(await revocationsOf(id)).toBe(1);
    expect(await actions(id)).toEqual(['api-key.created', 'api-key.updated']);
    expect((await asOwner().patch(`/v1/api-keys/${id}`, { name: 'door' }, { headers: { 'if-match': '"1"' } })).status).toBe(412);
  });

  test('take the ranges of addresses that gateways read, and say of another what is wrong with it', async () => {
    const ask = (allowedIps: string[]) => asOwner().post('/v1/api-keys', { name: 'shop', scopes: ['jobs:read'], allowedIps });
    expect((await ask(['127.0.0.1', '::ffff:10.0.0.0/104', '::ffff:192.0.2.1', '2001:db8::/32', '0.0.0.0/0'])).status).toBe(201);
    for (const [wrong, message] of [
      ['::ffff:10.0.0.0/24', /^must have a length between 96 and 128 after the slash, because .* write 10\.0\.0\.0/],
      ['10.0.0.0/33', 'must have a length between 0 and 32 after the slash'],
      ['10.0.0.0/08', 'must have a length between 0 and 32 after the slash'],
      ['fe80::1%eth0', 'must be an IP address or a range such as 192.0.2.0/24'],
      ['10.0.0', 'must be an IP address or a range such as 192.0.2.0/24'],
    ] as const)
      expect(await ask(['127.0.0.1', wrong])).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'allowedIps[1]', message: expect.stringMatching(message) }] },
      });
  });

  test('are asked for with what is missing, and with instants that are told by example', async () => {
    expect((await asOwner().post('/v1/api-keys', { scopes: null, expiresAt: 'tomorrow' })).body.errors).toEqual([
      { path: 'name', message: 'is missing' },
      { path: 'scopes', message: 'must be a list, not null' },
      { path: 'expiresAt', message: 'must be an instant such as 2026-04-01T09:30:00Z' },
    ]);
    expect((await asOwner().post('/v1/invitations', { email: 'a@example.com' })).body.errors).toEqual([
      { path: 'role', message: 'is missing' },
    ]);
    expect((await asOwner().get('/v1/api-keys?__proto__=1')).body.detail).toBe('The query has a field called __proto__.');
  });

  test('are answered for by the user behind whoever created them', async () => {
    const first = await create({ scopes: ['api-keys:write', 'jobs:read'] });
    expect(first).toMatchObject({ ownerId: owner.userId, createdBy: { type: 'user', id: owner.userId } });
    const key = {
      kind: 'apiKey' as const,
      subject: first.id,
      organizationId: owner.organizationId,
      scopes: ['api-keys:write', 'jobs:read'],
    };
    const byKey = identity.as({ ...key, ownerId: owner.userId });
    const second = (await byKey.post('/v1/api-keys', { name: 'till', scopes: ['jobs:read'] })).body;
    expect(second).toMatchObject({ ownerId: owner.userId, createdBy: { type: 'apiKey', id: first.id } });
    expect(await verify(second.key)).toMatchObject({ valid: true, ownerId: owner.userId });
    const byNobody = (await identity.as(key).post('/v1/api-keys', { name: 'door', scopes: ['jobs:read'] })).body;
    expect(await verify(byNobody.key)).toMatchObject({ valid: true, ownerId: null });
  });

  test('are changed and rotated by nobody who cannot do what they can', async () => {
    const { id } = await create({ scopes: ['jobs:read', 'audit:read'] });
    const developer = identity.as({
      subject: owner.userId,
      organizationId: owner.organizationId,
      role: 'developer',
      scopes: ['api-keys:read', 'api-keys:write', 'jobs:read'],
    });
    for (const answer of [
      await developer.patch(`/v1/api-keys/${id}`, { expiresAt: '2099-01-01T00:00:00.000Z' }),
      await developer.post(`/v1/api-keys/${id}/rotate`, {}),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', requiredScope: 'audit:read' } });
    expect((await developer.patch(`/v1/api-keys/${id}`, { scopes: ['jobs:read'] })).status).toBe(200);
    expect((await asOwner().get(`/v1/api-keys/${id}`)).body.scopes).toEqual(['jobs:read']);
  });

  test('are rotated into one that can do the same, and end after the grace', async () => {
    const old = await create({ allowedIps: ['192.0.2.0/24'] });
    const rotated = await asOwner().post(`/v1/api-keys/${old.id}/rotate`, { graceSeconds: 600 });
    expect(rotated.status).toBe(201);
    expect(rotated.headers.get('location')).toBe(`/v1/api-keys/${rotated.body.id}`);
    expect(rotated.body).toMatchObject({
      name: old.name,
      scopes: old.scopes,
      allowedIps: old.allowedIps,
      expiresAt: null,
      status: 'active',
    });
    expect([rotated.body.id, rotated.body.key]).not.toEqual([old.id, old.key]);
    expect(await verify(old.key)).toMatchObject({ valid: true, apiKeyId: old.id });
    expect(await verify(rotated.body.key)).toMatchObject({ valid: true, apiKeyId: rotated.body.id });
    const { expiresAt } = (await asOwner().get(`/v1/api-keys/${old.id}`)).body;
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 600_000)).toBeLessThan(30_000);
    expect(await actions(old.id)).toEqual(['api-key.created', 'api-key.rotated']);
    expect(await revocationsOf(old.id)).toBe(1);
  });

  test('are rotated with a day of grace where nothing is said, and nothing and an empty object are one request', async () => {
    const { id } = await create();
    const rotate = (body?: object) => asOwner().post(`/v1/api-keys/${id}/rotate`, body, { headers: { 'idempotency-key': 'with nothing' } });
    const rotated = await rotate();
    expect(rotated).toMatchObject({ status: 201, body: { key: expect.stringMatching(/^stl_live_/) } });
    const graceMs = Date.parse((await asOwner().get(`/v1/api-keys/${id}`)).body.expiresAt) - Date.now();
    expect(Math.abs(graceMs - 24 * 3600_000)).toBeLessThan(60_000);
    const again = await rotate({});
    expect([again.status, again.body.id, again.headers.get('idempotent-replayed')]).toEqual([201, rotated.body.id, 'true']);
    // What has to say something has to be there, and so has what is said to be nothing.
    for (const [path, raw] of [
      ['/v1/api-keys', undefined],
      [`/v1/api-keys/${id}/rotate`, 'null'],
    ] as const) {
      const answer = await asOwner().post(
        path,
        undefined,
        raw === undefined ? {} : { raw, headers: { 'content-type': 'application/json' } },
      );
      expect([path, answer.status, answer.body.errors]).toEqual([path, 400, [{ path: '', message: 'a JSON body is required' }]]);
    }
  });

  test('are rotated without a grace where they were seen by somebody they should not', async () => {
    const old = await create();
    const { body } = await asOwner().post(`/v1/api-keys/${old.id}/rotate`, { graceSeconds: 0 });
    expect(await verify(old.key)).toEqual({ valid: false });
    expect(await verify(body.key)).toMatchObject({ valid: true });
    expect((await asOwner().post(`/v1/api-keys/${old.id}/rotate`, {})).body.code).toBe('conflict');
  });

  test('are rotated once, however many ask for it at once', async () => {
    const old = await create();
    const answers = await Promise.all([1, 2, 3, 4].map(() => asOwner().post(`/v1/api-keys/${old.id}/rotate`, { graceSeconds: 600 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    const successor = answers.find(({ status }) => status === 201)?.body;
    expect((await asOwner().get(`/v1/api-keys/${old.id}`)).body).toMatchObject({ status: 'active', successorId: successor.id });
    expect(successor.successorId).toBe(null);
    const late = await asOwner().post(`/v1/api-keys/${old.id}/rotate`, {});
    expect(late.body).toMatchObject({ code: 'conflict', detail: expect.stringContaining(successor.id) });
    expect((await asOwner().post(`/v1/api-keys/${successor.id}/rotate`, {})).status).toBe(201);
  });

  test('leave the invitations that they have made to the key that takes their place', async () => {
    const person = await identity.register();
    const inviting = await identity.keyOf(person);
    const invited = await inviting.api.post('/v1/invitations', { email: 'rotated@example.com', role: 'viewer' });
    expect(invited.status).toBe(201);
    const rotated = await person.api.post(`/v1/api-keys/${inviting.id}/rotate`, { graceSeconds: 600 });
    expect(rotated.status).toBe(201);
    await identity.rows("update api_keys set expires_at = now() - interval '1 second' where id = $1", [inviting.id]);
    const kept = await identity.rows('select invited_by_id from invitations where id = $1', [invited.body.id]);
    expect(kept).toEqual([{ invited_by_id: rotated.body.id }]);
  });

  test('that were rotated are given no longer life than the grace, and a shorter one', async () => {
    const old = await create();
    const { body: successor } = await asOwner().post(`/v1/api-keys/${old.id}/rotate`, { graceSeconds: 600 });
    const extend = (expiresAt: string | null) => asOwner().patch(`/v1/api-keys/${old.id}`, { expiresAt });
    for (const end of [null, '2099-01-01T00:00:00.000Z'])
      expect(await extend(end)).toMatchObject({ status: 409, body: { code: 'conflict', detail: expect.stringContaining(successor.id) } });
    expect((await extend(new Date(Date.now() + 60_000).toISOString())).status).toBe(200);
    expect((await asOwner().patch(`/v1/api-keys/${old.id}`, { name: 'the old one' })).status).toBe(200);
    expect((await asOwner().patch(`/v1/api-keys/${successor.id}`, { expiresAt: '2099-01-01T00:00:00.000Z' })).status).toBe(200);
  });

  test('do not live longer by being rotated', async () => {
    const end = new Date(Date.now() + 60_000).toISOString();
    const old = await create({ expiresAt: end });
    const { body } = await asOwner().post(`/v1/api-keys/${old.id}/rotate`, { graceSeconds: 604_800 });
    expect(body.expiresAt).toBe(end);
    expect((await asOwner().get(`/v1/api-keys/${old.id}`)).body.expiresAt).toBe(end);
  });
});
