import { expect, test } from 'vitest';
import { createTurns } from '../../src/infrastructure/turns.ts';

test('work is done a few at a time, and what comes when too much waits is refused as nobody’s fault', async () => {
  const turn = createTurns(2, 3);
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
  };
  const asked = Array.from({ length: 7 }, () => turn(work));
  const settled = Promise.allSettled(asked);
  const isOver = settled.then(() => true);
  while (!(await Promise.race([isOver, new Promise((resolve) => setImmediate(resolve, false))]))) ends.shift()?.();
  expect((await settled).map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), 'rejected', 'rejected']);
  expect(most).toBe(2);
  // The gateway must not close the service to everybody because of it.
  await expect(asked[6]).rejects.toMatchObject({ code: 'upstream_unavailable', details: { headers: { 'x-settler-away': 'logins' } } });
});
