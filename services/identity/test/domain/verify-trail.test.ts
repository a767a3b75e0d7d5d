import { expect, test } from 'vitest';
import { verifyTrail } from '../../src/application/verify-trail.ts';

test('of a trail one verification goes on and one waits, which begins after everybody that it answers has asked', async () => {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const verify = verifyTrail({
    queries: {
      verify: async (organizationId, from) => {
        begun.push(`${organizationId} ${from}`);
        await new Promise<void>((resolve) => ends.push(resolve));
        return { valid: true, entries: begun.length };
      },
    },
    clock: () => new Date(),
    turn: (work) => work(),
  });
  const untilBegun = async (count: number) => {
    while (begun.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = verify('a', 'start');
  await untilBegun(1);
  const others = Array.from({ length: 5 }, () => verify('a', 'start'));
  const another = verify('b', 'start');
  await untilBegun(2);
  expect(begun).toEqual(['a start', 'b start']);
  for (const end of ends.splice(0)) end();
  expect([await first, await another]).toMatchObject([{ entries: 2 }, { entries: 2 }]);
  await untilBegun(3);
  const late = verify('a', 'start');
  ends.shift()?.();
  expect(new Set(await Promise.all(others))).toEqual(new Set([{ valid: true, entries: 3 }]));
  await untilBegun(4);
  ends.shift()?.();
  expect(await late).toMatchObject({ entries: 4 });
});

test('where there is no room nobody waits, and the next one asks anew', async () => {
  let isFull = true;
  const verify = verifyTrail({
    queries: { verify: async () => ({ valid: true, entries: 1 }) },
    clock: () => new Date(),
    turn: async (work) => {
      if (isFull) throw new Error('full');
      return work();
    },
  });
  await expect(verify('a', 'checkpoint')).rejects.toThrow('full');
  isFull = false;
  expect(await verify('a', 'checkpoint')).toMatchObject({ valid: true });
});
