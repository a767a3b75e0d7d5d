import { type Answer, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, type Person, startDoor } from './setup.ts';

const limit = 5;
let door: Door;
beforeAll(async () => {
  door = await startDoor({ RATE_LIMIT_DEFAULT: String(limit), RATE_LIMIT_WINDOW_MS: '60000', TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => door.dispose());

const repeat = async (times: number, ask: () => Promise<Answer>): Promise<Answer[]> => {
  const answers: Answer[] = [];
  for (let asked = 0; asked < times; asked += 1) answers.push(await ask());
  return answers;
};
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);
const asKey = (apiKey: string) => () => door.as({ apiKey }).get('/v1/jobs');
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

/** What a refusal says, once it was seen to agree with itself. */
const refusalOf = ({ status, headers, body }: Answer) => {
  expect([status, body.code, headers.get('content-type')]).toEqual([429, 'rate_limited', 'application/problem+json; charset=utf-8']);
  const [, policy, quota, window] = /^"(\w+)";q=(\d+);w=(\d+)$/.exec(headers.get('ratelimit-policy') ?? '') ?? [];
  const [, samePolicy, left, reset] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? [];
  expect([samePolicy, left, reset]).toEqual([policy, '0', headers.get('retry-after')]);
  expect(Number(reset)).toBeGreaterThan(0);
  expect(Number(reset)).toBeLessThanOrEqual(Number(window));
  return { policy, quota: Number(quota), window: Number(window) };
};

describe('a limit', () => {
  test('holds for each key by itself, and every answer says what is left', async () => {
    const person = await door.register();
    const [one, other] = [await door.createKey(person), await door.createKey(person)];
    const arrivedBefore = door.jobs.arrived.length;
    const answers = await repeat(limit, asKey(one.key));
    expect(statuses(answers)).toEqual(times(limit, 200));
    expect(answers.map(({ headers }) => headers.get('ratelimit')?.replace(/;t=\d+/, ''))).toEqual(
      [4, 3, 2, 1, 0].map((left) => `"default";r=${left}`),
    );
    expect(answers.every(({ headers }) => headers.get('ratelimit-policy') === `"default";q=${limit};w=60`)).toBe(true);
    expect(refusalOf(await asKey(one.key)())).toEqual({ policy: 'default', quota: limit, window: 60 });
    expect(door.jobs.arrived).toHaveLength(arrivedBefore + limit);
    // As a bearer it is the same key.
    expect((await door.as({ token: one.key }).get('/v1/jobs')).status).toBe(429);
    expect((await asKey(other.key)()).status).toBe(200);
  });

  test('holds for a session, whichever of its tokens is shown', async () => {
    const person = await door.register();
    const refreshed = await door
      .as({})
      .post('/v1/auth/refresh', { refreshToken: person.refreshToken }, { headers: { 'x-forwarded-for': '192.0.2.99' } });
    expect(refreshed.status).toBe(200);
    const tokens = [person.accessToken, refreshed.body.accessToken as string];
    expect(new Set(tokens).size).toBe(2);
    let asked = 0;
    const answers = await repeat(limit, () => door.as({ token: tokens[asked++ % 2] ?? '' }).get('/v1/jobs'));
    expect(statuses(answers)).toEqual(times(limit, 200));
    for (const token of tokens) expect((await door.as({ token }).get('/v1/jobs')).status).toBe(429);
  });

  test('of its own goes before the default, and ends with its window', async () => {
    const person = await door.register();
    const few = await door.createKey(person, { rateLimit: { limit: 2, windowMs: 1_000 } });
    const many = await door.createKey(person, { rateLimit: { limit: 8, windowMs: 90_500 } });
    expect(statuses(await repeat(2, asKey(few.key)))).toEqual([200, 200]);
    expect(refusalOf(await asKey(few.key)())).toEqual({ policy: 'default', quota: 2, window: 1 });
    await waitFor(async () => (await asKey(few.key)()).status === 200, { what: 'its window to end', intervalMs: 100 });
    expect(statuses(await repeat(8, asKey(many.key)))).toEqual(times(8, 200));
    expect(refusalOf(await asKey(many.key)())).toEqual({ policy: 'default', quota: 8, window: 91 });
  });

  test('holds for an organization, ten times as much, and not for its neighbours', async () => {
    const [person, neighbour] = [await door.register(), await door.register()];
    const roomy = { rateLimit: { limit: 1_000, windowMs: 60_000 } };
    const [one, other, theirs] = [
      await door.createKey(person, roomy),
      await door.createKey(person, roomy),
      await door.createKey(neighbour),
    ];
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => asKey(index % 2 === 0 ? one.key : other.key)()));
    expect(statuses(answers).filter((status) => status === 200)).toHaveLength(10 * limit);
    expect(refusalOf(answers.find(({ status }) => status === 429) as Answer)).toEqual({
      policy: 'organization',
      quota: 10 * limit,
      window: 60,
    });
    expect((await door.as({ token: person.accessToken }).get('/v1/jobs')).status).toBe(429);
    expect((await asKey(theirs.key)()).status).toBe(200);
    // Whoever has used it up can be shut out all the same.
    const owner = door.as({ token: person.accessToken });
    expect((await owner.get('/v1/api-keys')).status).toBe(200);
    expect((await owner.delete(`/v1/api-keys/${one.id}`)).status).toBe(204);
    expect((await owner.post('/v1/auth/logout', { refreshToken: person.refreshToken })).status).toBe(204);
  });
});

describe('an address', () => {
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  let accounts = 0;
  const logIn = (address: string) => () => {
    accounts += 1;
    return door.as({}).post('/v1/auth/login', { email: `nobody-${accounts}@example.com`, password: 'x'.repeat(20) }, from(address));
  };
  const guess = (address: string) => () => door.as({ token: 'a.b.c' }).get('/v1/jobs', from(address));
  let person: Person;
  beforeAll(async () => {
    person = await door.register();
  });

  test('has a limit on the routes that everybody may use', async () => {
    const answers = await repeat(limit, logIn('192.0.2.1'));
    expect(statuses(answers)).toEqual(times(limit, 401));
    expect(answers.at(-1)?.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
    expect(refusalOf(await logIn('192.0.2.1')())).toEqual({ policy: 'default', quota: limit, window: 60 });
    expect((await door.as({}).get('/.well-known/jwks.json', from('192.0.2.1'))).status).toBe(429);
    expect((await logIn('192.0.2.2')()).status).toBe(401);
  });

  test('is one with its neighbours in IPv6, and the same in both spellings of IPv4', async () => {
    let last = 0;
    expect(statuses(await repeat(limit, () => logIn(`2001:db8:7:7::${++last}`)()))).toEqual(times(limit, 401));
    expect((await logIn('2001:db8:7:7:ffff::1')()).status).toBe(429);
    expect((await logIn('2001:db8:7:8::1')()).status).toBe(401);
    expect(statuses(await repeat(limit, logIn('192.0.2.20')))).toEqual(times(limit, 401));
    expect((await logIn('::ffff:192.0.2.20')()).status).toBe(429);
  });

  test('that guesses credentials is counted, and whoever has good ones is not', async () => {
    const { key } = await door.createKey(person);
    const answers = await repeat(limit, guess('192.0.2.30'));
    expect(statuses(answers)).toEqual(times(limit, 401));
    expect(refusalOf(await guess('192.0.2.30')())).toEqual({ policy: 'default', quota: limit, window: 60 });
    expect((await door.as({}).get('/v1/jobs', from('192.0.2.30'))).status).toBe(429);
    const good = await door.as({ apiKey: key }).get('/v1/jobs', from('192.0.2.30'));
    expect([good.status, good.headers.get('ratelimit')?.replace(/;t=.*/, '')]).toEqual([200, '"default";r=4']);
  });

  test('that tries a key which is not for it is counted, and the key is not', async () => {
    const { key } = await door.createKey(person, { allowedIps: ['192.0.2.41'] });
    const tried = (address: string) => () => door.as({ apiKey: key }).get('/v1/jobs', from(address));
    expect(statuses(await repeat(limit + 1, tried('192.0.2.40')))).toEqual([...times(limit, 403), 429]);
    expect((await tried('192.0.2.41')()).headers.get('ratelimit')).toMatch(/^"default";r=4;/);
  });

  test('that is not known shares one limit with all that are not', async () => {
    expect(statuses(await repeat(limit + 1, logIn('unknown')))).toEqual([...times(limit, 401), 429]);
    expect((await logIn('also unknown')()).status).toBe(429);
  });
});

test('requests of nobody’s routes are refused without a count', async () => {
  const answer = await door.as({}).get('/v1/nothing');
  expect([answer.status, answer.headers.get('ratelimit')]).toEqual([404, null]);
});
