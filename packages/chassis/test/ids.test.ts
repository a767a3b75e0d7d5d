import { newId, newIds } from '@settler/chassis/ids';
import { resultId } from '@settler/contracts/ids';
import { expect, test } from 'vitest';

test('ids in a row are ids like any other, each once and in their order, however many', () => {
  const nextId = newIds('result');
  const many = 2 ** 20;
  const ids = Array.from({ length: many + 2 }, () => nextId());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.slice(0, many).every((id, at) => at === 0 || id > (ids[at - 1] as string))).toBe(true);
  for (const id of [ids[0], ids[many - 1], ids[many], ids[many + 1]]) expect(resultId.safeParse(id).success, id).toBe(true);
  expect((ids[many] as string).slice(0, -4)).not.toBe((ids[0] as string).slice(0, -4));
  // No other id of the same moment begins alike.
  expect(newId('result').slice(0, -4)).not.toBe((ids[many] as string).slice(0, -4));
});
