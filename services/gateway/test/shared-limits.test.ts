import { type StartedRedis, type StartedService, startRedis, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './setup.ts';

const limit = 200;
const replicaCount = 3;

describe('limits that replicas share', () => {
  let redis: StartedRedis;
  let door: Door;
  let replicas: readonly Pick<StartedService, 'url'>[];

  beforeAll(async () => {
    door = await startDoor(async (island) => {
      redis = await startRedis(await island.sparePort());
      return { REDIS_URL: redis.url, RATE_LIMIT_DEFAULT: String(limit), RATE_LIMIT_WINDOW_MS: '600000' };
    });
    const others = await Promise.all(Array.from({ length: replicaCount - 1 }, () => door.startReplica()));
    replicas = [door.gateway, ...others];
  });
  afterAll(async () => {
    await door?.dispose();
    await redis?.stop();
  });

  /** How many of so many requests to each replica, side by side, were let through. */
  const letThrough = async (apiKey: string, each: number): Promise<number> => {
    const statuses: number[] = [];
    // One after the other at each: all at once they would wait for one another longer than a gateway waits for Redis.
    const ask = async (url: string) => {
      for (let asked = 0; asked < each; asked += 1) statuses.push((await door.as({ apiKey }, url).get('/v1/jobs')).status);
    };
    await Promise.all(replicas.map(({ url }) => ask(url)));
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
    return statuses.filter((status) => status === 200).length;
  };

  test('are those of all of them together', async () => {
    const { key } = await door.createKey(await door.register());
    // So that no request waits for the key to be verified.
    for (const { url } of replicas) await door.as({ apiKey: key }, url).get('/v1/jobs');
    const served = replicaCount + (await letThrough(key, 100));
    expect(served).toBeGreaterThanOrEqual(limit);
    expect(served).toBeLessThanOrEqual(limit * 1.05);
  });

  test('cost few requests a wait while Redis hangs, and are shared again afterwards', async () => {
    const { key } = await door.createKey(await door.register());
    const ask = async () => {
      const startedAt = performance.now();
      const { status, headers } = await door.as({ apiKey: key }, replicas[0]?.url).get('/v1/jobs');
      expect(status).toBe(200);
      return { ms: performance.now() - startedAt, left: Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]) };
    };
    const before = await ask();
    redis.hang();
    try {
      const waits: number[] = [];
      for (let asked = 0; asked < 20; asked += 1) waits.push((await ask()).ms);
      expect(waits.filter((ms) => ms >= 100).length).toBeLessThan(10);
    } finally {
      redis.resume();
    }
    // Redis has counted at most the few that it was asked about.
    await waitFor(async () => (await ask()).left > before.left - 15 || undefined, {
      what: 'Redis to count again',
      timeoutMs: 10_000,
      intervalMs: 500,
    });
  });

  test('are those of each of them while Redis is away, and shared again when it is back', async () => {
    const { key } = await door.createKey(await door.register());
    await redis.kill();
    // Each counts for itself: nobody is refused for what cannot be known, and nobody may do everything.
    const alone = await letThrough(key, limit + 20);
    expect(alone).toBeLessThanOrEqual(limit * replicaCount);
    expect(alone).toBeGreaterThan(limit);
    await redis.restart();
    const { key: later } = await door.createKey(await door.register());
    await waitFor(
      async () => {
        const before = (await door.as({ apiKey: later }, replicas[0]?.url).get('/v1/jobs')).headers.get('ratelimit') ?? '';
        const after = (await door.as({ apiKey: later }, replicas[1]?.url).get('/v1/jobs')).headers.get('ratelimit') ?? '';
        const left = (header: string): number => Number(/r=(\d+)/.exec(header)?.[1]);
        return left(after) === left(before) - 1;
      },
      { what: 'two replicas to count together again', timeoutMs: 30_000, intervalMs: 300 },
    );
  });
});
