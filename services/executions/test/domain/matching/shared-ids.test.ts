import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textColumnOf } from '../../../src/domain/matching/columns/text-column.ts';
import { rowsThatMayShare } from '../../../src/domain/matching/shared-ids.ts';

const mayShare = (ids: readonly string[]) => rowsThatMayShare(textColumnOf(ids.length, (row) => ids[row]));

const rowsThatShare = (ids: readonly string[]): number[] => {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return ids.flatMap((id, row) => (id !== '' && (counts.get(id) ?? 0) > 1 ? [row] : []));
};

test('all rows that share their id are among those that may, in order, and rows without one are not', () => {
  // Ends of words and beginnings alike, so that neither may be left out of a hash, and what is behind an id must be.
  const id = fc.tuple(
    fc.constantFrom('', 'a', 'ab', 'long-enough-for-words-'),
    fc.integer({ min: 0, max: 60 }),
    fc.constantFrom('', 'é', 'xyz'),
  );
  fc.assert(
    fc.property(fc.array(id, { maxLength: 80 }), fc.array(fc.nat(80), { maxLength: 5 }), (parts, absent) => {
      const ids = parts.map((part, row) => (absent.includes(row) ? '' : part.join('')));
      const found = [...mayShare(ids)];
      expect(found).toEqual(expect.arrayContaining(rowsThatShare(ids)));
      expect(found.every((row, index) => ids[row] !== '' && (index === 0 || row > (found[index - 1] as number)))).toBe(true);
    }),
  );
});

test('of many rows hardly any may share an id that does not', () => {
  const ids = Array.from({ length: 100_000 }, (_, row) => (row % 1_000 === 0 ? 'again' : `P${(row * 7_919).toString(36)}`));
  const found = mayShare(ids);
  expect(found.length).toBeGreaterThanOrEqual(100);
  expect(found.length).toBeLessThan(1_000);
  expect([...found]).toEqual(expect.arrayContaining(rowsThatShare(ids)));
});

test('ids are as long as they are', () => {
  const long = 'x'.repeat(300_000);
  expect([...mayShare([`${long}1`, 'a', `${long}2`, `${long}1`, ''])]).toEqual([0, 3]);
  expect([...mayShare([])]).toEqual([]);
});
