import { request as httpRequest } from 'node:http';
import { type StartedService, startService, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Line, startLine } from './line.ts';
import { type Door, type Key, type Person, startDoor, takenFor } from './setup.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

let door: Door;
/** In the place of identity: passes everything on, unless it is told to say nothing about revocations. */
let between: StandIn;
let isSilent = false;
/** Or to refuse whoever asks. */
let isRefusing = false;
/** Between identity and the broker: cut, it is as if the broker had stopped. */
let line: Line;
let replicas: {
  readonly strict: StartedService;
  readonly short: StartedService;
  readonly unled: StartedService;
};
let person: Person;
let key: Key;

const statusOf = async (gateway: { url: string }, credentials: { token?: string; apiKey?: string }) =>
  (await door.as(credentials, gateway.url).get('/v1/jobs')).status;
const is = (status: number, gateway: { url: string }, credentials: { token?: string; apiKey?: string }) =>
  waitFor(async () => (await statusOf(gateway, credentials)) === status, { what: `the answer ${status}` });

beforeAll(async () => {
  [door, between] = await Promise.all([
    startDoor({}, async (island) => {
      line = await startLine(new URL(island.brokerUrl('identity')));
      return { NATS_IDENTITY_URL: line.url };
    }),
    startStandIn(),
  ]);
  between.answer((request, response) => {
    if (isSilent && request.url?.startsWith('/internal/revocations')) return;
    if (isRefusing) return response.writeHead(401).end();
    const { method, headers, url } = request;
    const onwards = httpRequest(door.identity.url + url, { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => response.destroy());
    request.pipe(onwards);
  });
  const [strict, short, unled] = await Promise.all([
    door.startReplica({ AUTH_GRACE_MS: '0' }),
    door.startReplica({ AUTH_GRACE_MS: '1200' }),
    // Time enough for an answer that comes through this process, however busy it is.
    door.startReplica({ IDENTITY_URL: between.url, REVOCATION_POLL_MS: '1500' }),
  ]);
  replicas = { strict, short, unled };
  person = await door.register();
  key = await door.createKey(person);
  for (const gateway of [door.gateway, strict, short, unled]) {
    expect(await statusOf(gateway, { apiKey: key.key })).toBe(200);
    expect(await statusOf(gateway, { token: person.accessToken })).toBe(200);
  }
});
afterAll(async () => {
  await door.dispose();
  line.cut();
});

describe('a gateway that identity does not believe', () => {
  test('is not ready, and says why, until it is believed', async () => {
    const port = await door.island.sparePort();
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, body: await answer.json() };
    };
    isRefusing = true;
    const starting = door.startReplica({ IDENTITY_URL: between.url, PORT: String(port) });
    await waitFor(() => ask('/health/live').catch(() => undefined), { what: 'it to listen' });
    const asked = between.arrived.length;
    await waitFor(() => between.arrived.length > asked + 2, { what: 'it to ask again' });
    expect(await ask('/health/ready')).toEqual({ status: 503, body: { status: 'unavailable' } });
    expect(await ask('/health')).toMatchObject({ status: 503, body: { dependencies: { revocations: 'down', identity: 'up' } } });
    isRefusing = false;
    const replica = await starting;
    expect(await ask('/health/ready')).toEqual({ status: 200, body: { status: 'ok' } });
    // From then on, that identity is away makes nobody turn to another gateway, which would not have it either.
    isRefusing = true;
    await waitFor(() => replica.logs().filter((line) => line.includes('does not answer about revocations')).length > 1, {
      what: 'it to notice',
    });
    expect((await ask('/health/ready')).status).toBe(200);
    isRefusing = false;
  });
});

describe('a revocation', () => {
  /** How long each of two replicas goes on saying yes after it was done. */
  const reaches = async (credentials: { token?: string; apiKey?: string }): Promise<number> => {
    const sinceMs = performance.now();
    const goesOn = (gateway: StartedService) => takenFor(async () => (await statusOf(gateway, credentials)) !== 401, sinceMs);
    return Math.max(...(await Promise.all([door.gateway, replicas.short].map(goesOn))));
  };

  test('of a key and of a session reaches every replica within a second, and stands while identity is away', async () => {
    const other = await door.register();
    const revoked = await door.createKey(other);
    for (const gateway of [door.gateway, replicas.short]) {
      expect(await statusOf(gateway, { apiKey: revoked.key })).toBe(200);
      expect(await statusOf(gateway, { token: other.accessToken })).toBe(200);
    }
    await door.revokeKey(other, revoked);
    expect(await reaches({ apiKey: revoked.key })).toBeLessThan(1_000);
    await door.logOut(other);
    expect(await reaches({ token: other.accessToken })).toBeLessThan(1_000);
    door.identity.kill('SIGSTOP');
    try {
      for (const gateway of [door.gateway, replicas.short]) {
        // Past the time in which what was heard last counts as fresh.
        await waitFor(() => gateway.logs().some((line) => line.includes('identity does not answer about revocations')), {
          what: 'it to notice',
        });
        expect(await statusOf(gateway, { token: other.accessToken })).toBe(401);
        // It is not known any more that the key was good, and nobody can say whether it is.
        expect(await statusOf(gateway, { apiKey: revoked.key })).not.toBe(200);
      }
    } finally {
      door.identity.kill('SIGCONT');
    }
  });

  /** Somebody who has come by invitation, with a session in this organization alone. */
  const invited = async (owner: Person, email: string): Promise<Person> => {
    await door.calling(owner).post('/v1/invitations', { email, role: 'developer' });
    const mail = await waitFor(() => door.identity.logs().find((text) => text.startsWith(`mail to ${email}`)), { what: 'the mail' });
    const { body } = await door.accept(mail.split('token=')[1] ?? '');
    const { user, organization, accessToken, refreshToken } = body;
    return { email, userId: user.id, organizationId: organization.id, sessionId: '', accessToken, refreshToken };
  };

  const acts: readonly [string, (owner: Person, member: Person, key: Key) => Promise<unknown>][] = [
    ['a logout', (_owner, member) => door.logOut(member)],
    ['shutting a member out', (owner, { userId }) => door.calling(owner).patch(`/v1/members/${userId}`, { disabled: true })],
    ['another role', (owner, { userId }) => door.calling(owner).patch(`/v1/members/${userId}`, { role: 'viewer' })],
    ['removing a member', (owner, { userId }) => door.calling(owner).delete(`/v1/members/${userId}`)],
    ['revoking a key', (owner, _member, made) => door.revokeKey(owner, made)],
  ];

  test('of any kind reaches every replica within a second while the broker is away', async () => {
    line.cut();
    await waitFor(async () => (await door.calling(person).get('/health')).body.status === 'degraded', { what: 'identity to notice' });
    const owner = await door.register();
    const made = await door.createKey(owner);
    const members = await Promise.all(acts.map((_act, index) => invited(owner, `member-${index}@example.com`)));
    for (const [index, [what, act]] of acts.entries()) {
      const member = members[index] as Person;
      const credentials = what === 'revoking a key' ? { apiKey: made.key } : { token: member.accessToken };
      for (const gateway of [door.gateway, replicas.short]) expect(await statusOf(gateway, credentials), what).toBe(200);
      await act(owner, member, made);
      expect(await reaches(credentials), what).toBeLessThan(1_000);
      // It is that one alone that does not count any more.
      expect(await statusOf(door.gateway, { token: owner.accessToken })).toBe(200);
    }
  });

  test('that nobody can have heard of, because identity stalls at that moment, is not missed for longer either', async () => {
    const other = await door.register();
    const revoked = await door.createKey(other);
    const { strict } = replicas;
    await is(200, strict, { apiKey: revoked.key });
    await door.revokeKey(other, revoked);
    door.identity.kill('SIGSTOP');
    try {
      expect(await takenFor(async () => (await statusOf(strict, { apiKey: revoked.key })) === 200)).toBeLessThan(1_000);
    } finally {
      door.identity.kill('SIGCONT');
    }
    await is(401, strict, { apiKey: revoked.key });
  });

  test('counts where revocations cannot be followed, because identity is asked about each request', async () => {
    isSilent = true;
    await waitFor(() => replicas.unled.logs().some((line) => line.includes('does not answer about revocations')), { what: 'it to notice' });
    const other = await door.register();
    const revoked = await door.createKey(other);
    expect(await statusOf(replicas.unled, { apiKey: revoked.key })).toBe(200);
    expect(await statusOf(replicas.unled, { token: other.accessToken })).toBe(200);
    const asked = () =>
      between.arrived.filter(({ url }) => url === '/internal/api-keys/verify' || url.startsWith('/internal/sessions/')).length;
    // What was heard last counts for a while; from then on every request is a question.
    await waitFor(
      async () => {
        const before = asked();
        for (let calls = 0; calls < 3; calls += 1) {
          expect(await statusOf(replicas.unled, { apiKey: revoked.key })).toBe(200);
          expect(await statusOf(replicas.unled, { token: other.accessToken })).toBe(200);
        }
        return asked() - before === 6;
      },
      { what: 'it to ask about each request' },
    );
    await door.revokeKey(other, revoked);
    expect(await statusOf(replicas.unled, { apiKey: revoked.key })).toBe(401);
    await door.logOut(other);
    expect(await statusOf(replicas.unled, { token: other.accessToken })).toBe(401);
    isSilent = false;
  });
});

describe('while identity is away', () => {
  const stream = async (gateway: { url: string }) => {
    door.executions.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    const answer = await fetch(`${gateway.url}/v1/executions/exe_1/events`, { headers: { 'x-api-key': key.key } });
    expect(answer.status).toBe(200);
    return { hasEnded: answer.text().then(() => true) };
  };

  test('what was verified serves for the grace and no longer, and what was not does not serve at all', async () => {
    const unseen = await door.createKey(person);
    for (const gateway of [replicas.strict, replicas.short]) await is(200, gateway, { apiKey: key.key });
    const streams = { strict: await stream(replicas.strict), short: await stream(replicas.short) };
    const stoppedAt = performance.now();
    door.identity.kill('SIGSTOP');
    try {
      await is(503, replicas.strict, { apiKey: key.key });
      await is(503, replicas.strict, { token: person.accessToken });
      expect(performance.now() - stoppedAt).toBeLessThan(3_000);
      const refused = await door.as({ apiKey: key.key }, replicas.strict.url).get('/v1/jobs');
      expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'upstream_unavailable', '1']);
      expect(await streams.strict.hasEnded).toBe(true);

      await is(503, replicas.short, { apiKey: key.key });
      expect(performance.now() - stoppedAt).toBeGreaterThan(1_200);
      expect(await streams.short.hasEnded).toBe(true);

      // The default grace is long.
      expect(await statusOf(door.gateway, { apiKey: key.key })).toBe(200);
      expect(await statusOf(door.gateway, { token: person.accessToken })).toBe(200);
      expect(await statusOf(door.gateway, { apiKey: unseen.key })).toBe(503);
      // Junk needs nobody to be recognised.
      expect(await statusOf(door.gateway, { apiKey: 'stl_live_junk' })).toBe(401);
    } finally {
      door.identity.kill('SIGCONT');
    }
    for (const gateway of [replicas.strict, replicas.short, door.gateway]) {
      await is(200, gateway, { apiKey: key.key });
      await is(200, gateway, { token: person.accessToken });
    }
    expect(await statusOf(door.gateway, { apiKey: unseen.key })).toBe(200);
  });

  test('nobody who was verified notices that it is killed and started again', async () => {
    await is(200, door.gateway, { apiKey: key.key });
    const seen = new Map<number, number>();
    let isOver = false;
    const load = (async () => {
      while (!isOver) {
        for (const credentials of [{ apiKey: key.key }, { token: person.accessToken }]) {
          const status = await statusOf(door.gateway, credentials);
          seen.set(status, (seen.get(status) ?? 0) + 1);
        }
      }
    })();
    door.identity.kill('SIGKILL');
    await door.identity.exited;
    await waitFor(() => (seen.get(200) ?? 0) > 50, { what: 'requests to be served without identity' });
    const environment = door.island.environmentFor('identity', { JWT_PRIVATE_KEY: door.signingKey });
    await startService('identity', environment);
    await waitFor(
      () => door.gateway.logs().at(-1)?.includes('"status":200') && door.gateway.logs().some((line) => line.includes('answers again')),
      {
        what: 'the gateway to find identity again',
      },
    );
    isOver = true;
    await load;
    expect([...seen.keys()]).toEqual([200]);
    const fresh = await door.createKey(person);
    expect(await statusOf(door.gateway, { apiKey: fresh.key })).toBe(200);
  });
});
