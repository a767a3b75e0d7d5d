import { organizationCreated, userRegistered } from '@settler/contracts/events/identity';
import { waitFor } from '@settler/harness';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, password, startIdentity } from './setup.ts';

describe('accounts', () => {
  let identity: Identity;

  beforeAll(async () => {
    identity = await startIdentity({ DENIED_LOGINS_AUDIT_MS: '200' });
  });
  afterAll(() => identity.dispose());

  const logIn = (body: Record<string, unknown>, address?: string) => identity.anonymous(address).post('/v1/auth/login', body);

  test('registering makes the user, the organization and a session, and says so to the world without personal data', async () => {
    const answer = await identity.anonymous().post('/v1/auth/register', {
      email: '  Ada@Example.COM ',
      password,
      organizationName: 'Harbour Café',
      name: 'Ada',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({
      user: { email: 'ada@example.com', name: 'Ada' },
      organization: { name: 'Harbour Café', slug: 'harbour-cafe', baseCurrency: 'EUR' },
      expiresIn: 900,
      tokenType: 'Bearer',
    });
    const database = await identity.database('system');
    const { rows } = await database.query(
      'select body from outbox where organization_id = $1 union all select body from outbox_sent where organization_id = $1',
      [answer.body.organization.id],
    );
    const events = rows.map(({ body }) => JSON.parse(body));
    const dataOf = (type: string) => events.find((event) => event.type === type)?.data;
    expect(dataOf('organization.created')).toEqual({ ...organizationCreated.example, ...dataOf('organization.created') });
    expect(dataOf('organization.created')).toMatchObject({ organizationId: answer.body.organization.id, slug: 'harbour-cafe' });
    expect(Object.keys(dataOf('user.registered')).sort()).toEqual(Object.keys(userRegistered.example).sort());
    expect(JSON.stringify(events).toLowerCase()).not.toMatch(/ada@|"ada"/);
    const logged = () => identity.service.logs().join('\n').toLowerCase();
    await waitFor(() => logged().includes('/v1/auth/register'), { what: 'the request in the log' });
    expect(logged()).not.toContain('ada@');
  });

  test('the access token is an RS256 at+jwt of fifteen minutes that the published keys verify', async () => {
    const { accessToken, userId, organizationId } = await identity.register();
    const answer = await identity.anonymous().get('/.well-known/jwks.json');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(answer.body.keys).toHaveLength(2);
    expect(Object.keys(answer.body.keys[0]).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const { payload, protectedHeader } = await jwtVerify(accessToken, createLocalJWKSet(answer.body), {
      audience: 'settler-api',
      typ: 'at+jwt',
    });
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: answer.body.keys[0].kid });
    expect(payload).toMatchObject({
      iss: identity.island.serviceUrl('gateway'),
      sub: userId,
      org: organizationId,
      role: 'owner',
      scopes: ['*'],
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
    expect(payload['sid']).toMatch(/^ses_/);
    expect(payload.jti).toBeTruthy();
  });

  test('a taken e-mail address is a conflict, however it is written', async () => {
    const { email } = await identity.register();
    const again = await identity
      .anonymous()
      .post('/v1/auth/register', { email: ` ${email.toUpperCase()}`, password, organizationName: 'Other' });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ code: 'conflict' });
  });

  test('organizations of the same name get different slugs', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map((number) =>
        identity.anonymous().post('/v1/auth/register', { email: `same-${number}@example.com`, password, organizationName: 'The Same' }),
      ),
    );
    const slugs = answers.map(({ body }) => body.organization.slug);
    expect(new Set(slugs).size).toBe(3);
    for (const slug of slugs) expect(slug).toMatch(/^the-same(-[0-9a-f]{6})?$/);
  });

  test.each([
    [{ email: 'no address', password, organizationName: 'X' }, 'email'],
    [{ email: 'a@example.com', password: 'fourteen chars', organizationName: 'X' }, 'password'],
    [{ email: 'a@example.com', password: 'x'.repeat(1025), organizationName: 'X' }, 'password'],
    [{ email: 'a@example.com', password: 'PASSWORDPASSWORD', organizationName: 'X' }, 'password'],
    [{ email: 'password.is@example.com', password: 'password.is@example.com', organizationName: 'X' }, 'password'],
    [{ email: 'a@example.com', password, organizationName: ' ' }, 'organizationName'],
    [{ email: 'a@example.com', password, organizationName: 'a\u0000b' }, 'organizationName'],
    [{ email: 'a\u0000@example.com', password, organizationName: 'X' }, 'email'],
    [{ email: 'a@example.com', password, organizationName: 'X', admin: true }, 'admin'],
    [{ email: 'a@example.com', password }, 'organizationName'],
    [{ email: 7, password, organizationName: 'X' }, 'email'],
  ])('registering with a fault (#%#) names where it is', async (body, path) => {
    const answer = await identity.anonymous().post('/v1/auth/register', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('a long password counts to its last character, and one may have 64 and more', async () => {
    const long = `${'long '.repeat(200)}end`;
    const { email } = await identity.register({ password: long });
    expect((await logIn({ email, password: long })).status).toBe(200);
    expect((await logIn({ email, password: `${long.slice(0, -1)}D` })).status).toBe(401);
  });

  test('an unknown user and a wrong password cannot be told apart', async () => {
    const { email } = await identity.register();
    const wrong = await logIn({ email, password: 'not the password at all' });
    const unknown = await logIn({ email: 'nobody@example.com', password: 'not the password at all' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="settler"');
    const { traceId: _one, ...wrongBody } = wrong.body;
    const { traceId: _other, ...unknownBody } = unknown.body;
    expect(unknownBody).toEqual(wrongBody);
    expect(unknown.status).toBe(401);
  });

  test('both take the time of a hash', async () => {
    const { email } = await identity.register();
    const time = async (body: Record<string, unknown>, address: string) => {
      const start = performance.now();
      await logIn({ ...body, password: 'not the password at all' }, address);
      return performance.now() - start;
    };
    const rounds = [0, 1, 2, 3, 4, 5, 6, 7];
    const known: number[] = [];
    const unknown: number[] = [];
    for (const round of rounds) {
      known.push(await time({ email }, `198.51.100.${round}`));
      unknown.push(await time({ email: `nobody-${round}@example.com` }, `198.51.100.${round}`));
    }
    const median = (times: number[]) => times.toSorted((one, other) => one - other)[4] ?? 0;
    // Without the dummy hash the second would be a tenth of the first.
    expect(median(unknown)).toBeGreaterThan(median(known) / 2);
  });

  test('logging in gives a session of its own in the newest organization, or in the one that is named', async () => {
    const { email, organizationId, sessionId } = await identity.register();
    const answer = await logIn({ email: email.toUpperCase(), password });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user: { email }, organization: { id: organizationId }, expiresIn: 900, tokenType: 'Bearer' });
    expect(claimsOf(answer.body.accessToken)['sid']).not.toBe(sessionId);
    expect((await logIn({ email, password, organizationId })).body.organization.id).toBe(organizationId);
  });

  test('an organization that is not one’s own does not exist', async () => {
    const { email, refreshToken } = await identity.register();
    const other = await identity.register();
    const unknown = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
    for (const organizationId of [other.organizationId, unknown]) {
      expect((await logIn({ email, password, organizationId })).status).toBe(404);
      expect((await identity.anonymous().post('/v1/auth/refresh', { refreshToken, organizationId })).status).toBe(404);
    }
  });

  test('who is a member of several organizations chooses among them', async () => {
    const person = await identity.register();
    const host = await identity.register();
    const database = await identity.database('admin');
    await database.query("insert into memberships values ($1, $2, 'viewer', now() + interval '1 second')", [
      host.organizationId,
      person.userId,
    ]);
    const newest = await logIn({ email: person.email, password });
    expect(newest.body.organization.id).toBe(host.organizationId);
    expect(claimsOf(newest.body.accessToken)).toMatchObject({ role: 'viewer', org: host.organizationId });
    const list = await person.api.get('/v1/me/organizations');
    expect(list.body.data.map(({ id, role }: { id: string; role: string }) => [id, role])).toEqual([
      [host.organizationId, 'viewer'],
      [person.organizationId, 'owner'],
    ]);
    const page = await person.api.get('/v1/me/organizations?limit=1');
    const rest = await person.api.get(`/v1/me/organizations?limit=1&cursor=${page.body.nextCursor}`);
    expect([...page.body.data, ...rest.body.data]).toEqual(list.body.data);
    expect(rest.body.nextCursor).toBeNull();

    const { refreshToken } = newest.body;
    const moved = await identity.anonymous().post('/v1/auth/refresh', { refreshToken, organizationId: person.organizationId });
    expect(claimsOf(moved.body.accessToken)).toMatchObject({ role: 'owner', org: person.organizationId });
    for (const [api, went] of [
      [person.api, 'in'],
      [host.api, 'out'],
    ] as const) {
      const entry = await waitFor(async () => (await api.get('/v1/audit-events?action=session.moved')).body.data[0], { what: 'the entry' });
      expect(entry).toMatchObject({ actor: { type: 'user', id: person.userId }, after: { userId: person.userId, went } });
    }
  });

  test('a token of before gives the newest within the grace, with which its tab goes on', async () => {
    const { refreshToken: first, sessionId } = await identity.register();
    const refresh = async (refreshToken: string) => {
      const { status, body } = await identity.anonymous().post('/v1/auth/refresh', { refreshToken });
      expect(status).toBe(200);
      return body.refreshToken;
    };
    const newest = await refresh(await refresh(first));
    const late = await refresh(first);
    await identity.rows("update refresh_tokens set replaced_at = replaced_at - interval '10 minutes' where session_id = $1", [sessionId]);
    expect(await refresh(late)).not.toBe(newest);
  });

  test('who one is, and the organization, are read with a token and not without', async () => {
    const { api, userId, organizationId } = await identity.register({ organizationName: 'Read Me' });
    expect((await api.get('/v1/me')).body).toEqual({ type: 'user', id: userId, organizationId, role: 'owner', scopes: ['*'] });
    const key = identity.as({ kind: 'apiKey', subject: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6', organizationId, scopes: ['jobs:read'] });
    expect((await key.get('/v1/me')).body).toMatchObject({ type: 'apiKey', id: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6', scopes: ['jobs:read'] });
    const organization = await api.get('/v1/organization');
    expect(organization.body).toMatchObject({ id: organizationId, name: 'Read Me', baseCurrency: 'EUR' });
    expect(organization.headers.get('etag')).toMatch(/^"1-/);
    expect((await api.get('/v1/organization', { headers: { 'if-none-match': organization.headers.get('etag') ?? '' } })).status).toBe(304);

    for (const path of ['/v1/me', '/v1/me/organizations', '/v1/organization']) {
      expect((await identity.anonymous().get(path)).status).toBe(401);
      expect((await identity.anonymous().as({}).get(path)).status).toBe(401);
    }
    expect((await key.get('/v1/organization')).body).toMatchObject({ code: 'forbidden', requiredScope: 'members:read' });
    expect((await key.get('/v1/me/organizations')).status).toBe(403);
  });

  test('the tenth failure of an account makes the next one wait, from wherever it is not known', async () => {
    const [email, registeredAt, known] = ['known@example.com', '203.0.113.8', '203.0.113.9'];
    const registration = { email, password, organizationName: 'Known' };
    expect((await identity.anonymous(registeredAt).post('/v1/auth/register', registration)).status).toBe(201);
    expect((await logIn({ email, password }, known)).status).toBe(200);
    for (let failure = 0; failure < 10; failure += 1)
      expect((await logIn({ email, password: 'wrong' }, `203.0.113.${failure + 20}`)).status).toBe(401);
    const limited = await logIn({ email, password }, '203.0.113.77');
    expect(limited.status).toBe(429);
    expect(limited.body.code).toBe('rate_limited');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(890);
    expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(900);
    for (const address of [registeredAt, known]) expect((await logIn({ email, password }, address)).status).toBe(200);
  });

  test('failed logins come into the trail of the user’s organizations as a count, and those of nobody do not', async () => {
    const { email, userId, api } = await identity.register();
    await Promise.all([1, 2, 3].map(() => logIn({ email, password: 'wrong' })));
    await logIn({ email: 'nobody-here@example.com', password: 'wrong' });
    // All in one round, wherever the last one has ended.
    const database = await identity.database('admin');
    await database.query('update login_failures set said_at = null where user_id = $1', [userId]);
    const entry = await waitFor(
      async () => {
        const { data } = (await api.get('/v1/audit-events?action=user.login_denied')).body;
        return data.find(({ after }: { after: { failures: number } }) => after.failures === 3);
      },
      { what: 'the entry' },
    );
    expect(entry).toMatchObject({ actor: { type: 'system', id: 'identity' }, address: null, resource: { type: 'user', id: userId } });
  });

  test('many guesses at once find out no more than ten one after the other', async () => {
    const { email } = await identity.register();
    const guesses = Array.from({ length: 40 }, (_, index) => logIn({ email, password: `guess ${index}` }, '192.0.2.44'));
    const answers = await Promise.all([...guesses, logIn({ email, password }, '192.0.2.45')]);
    const told = Object.groupBy(answers, ({ status }) => status);
    // The right one is one of many that are told nothing.
    expect([told[401]?.length, told[429]?.length]).toEqual([10, 31]);
    expect(answers.at(-1)?.status).toBe(429);
    expect((await logIn({ email, password }, '192.0.2.45')).status).toBe(429);
  });

  test('a hundred failures of one address make it wait for every account; neighbours in one IPv6 network are one address', async () => {
    const database = await identity.database('admin');
    const attempt = (number: number) => logIn({ email: `stranger-${number}@example.com`, password: 'wrong' }, `2001:db8:1:2::${number}`);
    expect((await attempt(1)).status).toBe(401);
    // What a hundred requests would leave, without their hashes.
    await database.query(
      'insert into login_failures (account, address) select sha256(i::text::bytea), address from generate_series(1, 98) i, (select address from login_failures order by position desc limit 1)',
    );
    expect((await attempt(2)).status).toBe(401);
    expect((await attempt(3)).status).toBe(429);
    expect((await logIn({ email: 'stranger-4@example.com', password: 'wrong' }, '2001:db8:1:3::1')).status).toBe(401);
  });

  test('registering taken addresses is throttled as logging in is', async () => {
    const { email } = await identity.register();
    const attempt = () => identity.anonymous('192.0.2.200').post('/v1/auth/register', { email, password, organizationName: 'X' });
    for (let failure = 0; failure < 10; failure += 1) expect((await attempt()).status).toBe(409);
    expect((await attempt()).status).toBe(429);
  });

  test('the same registration under one Idempotency-Key happens once, and its replay keeps the tokens to itself', async () => {
    const body = { email: 'once@example.com', password, organizationName: 'Once' };
    const post = (more = {}) =>
      identity.anonymous().post('/v1/auth/register', { ...body, ...more }, { headers: { 'idempotency-key': 'register-once' } });
    const first = await post();
    expect(first.status).toBe(201);
    const second = await post();
    expect(second.status).toBe(201);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    const { accessToken: _access, refreshToken: _refresh, ...shown } = first.body;
    expect(second.body).toEqual(shown);
    expect((await post({ organizationName: 'Twice' })).status).toBe(422);
  });

  test('a login under an Idempotency-Key is recorded with its session, and a failed one is not recorded', async () => {
    const { email } = await identity.register();
    const post = (given: string) =>
      identity.anonymous().post('/v1/auth/login', { email, password: given }, { headers: { 'idempotency-key': `login-${given}` } });
    expect((await post('wrong')).status).toBe(401);
    expect((await post('wrong')).headers.get('idempotent-replayed')).toBeNull();
    const first = await post(password);
    expect(first.status).toBe(200);
    const second = await post(password);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).not.toHaveProperty('refreshToken');
    const database = await identity.database('system');
    const { rows } = await database
      .query('select count(*)::int as sessions from sessions join users on users.id = user_id where email = $1', [email])
      .catch(
        // The machinery has no right to read users, and should not get it for a test.
        async () =>
          (await identity.database('admin')).query(
            'select count(*)::int as sessions from sessions where user_id = (select id from users where email = $1)',
            [email],
          ),
      );
    expect(rows[0].sessions).toBe(2);
  });

  test.each(['login', 'register'])('a known Idempotency-Key of a %s is no way to try more passwords than the limit', async (path) => {
    const address = '192.0.2.210';
    const registration = { email: `${path}-oracle@example.com`, password, organizationName: 'Oracle' };
    const body = path === 'register' ? registration : { email: registration.email, password };
    const headers = { 'idempotency-key': 'known' };
    const attempt = (from: string, given = password) =>
      identity.anonymous(from).post(`/v1/auth/${path}`, { ...body, password: given }, { headers });
    if (path === 'login') await identity.anonymous('192.0.2.211').post('/v1/auth/register', registration);
    expect((await attempt('192.0.2.211')).status).toBe(path === 'login' ? 200 : 201);
    for (let guess = 0; guess < 10; guess += 1) expect((await attempt(address, `another guess ${guess}`)).status).toBe(422);
    expect((await attempt(address)).status).toBe(429);
    // Who made the request is known there, and is told the same again.
    expect((await attempt('192.0.2.211')).headers.get('idempotent-replayed')).toBe('true');
  });
});
