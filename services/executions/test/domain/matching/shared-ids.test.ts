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

test('of ids that rise from row to row none may be shared, and all that are shared are found where one does not', () => {
  const byLength = (one: string, other: string): number =>
    Buffer.byteLength(one) - Buffer.byteLength(other) || Buffer.compare(Buffer.from(one), Buffer.from(other));
  const id = fc.string({ unit: fc.constantFrom('a', 'b', 'z', 'é', '0'), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.uniqueArray(id, { maxLength: 80 }), fc.nat(80), fc.boolean(), (ids, place, isAgain) => {
      const rising = ids.sort(byLength);
      expect([...mayShare(rising)]).toEqual([]);
      const other = rising[place] ?? 'a';
      const changed = isAgain ? rising.toSpliced(place, 0, other) : [...rising, other];
      expect([...mayShare(changed)]).toEqual(expect.arrayContaining(rowsThatShare(changed)));
    }),
  );
  const many = Array.from({ length: 20_000 }, (_, row) => String(row));
  expect([...mayShare(many)]).toEqual([]);
  for (const row of [4_095, 4_096, 4_097, 19_999]) {
    const shared = many.with(row, many[row - 1] as string);
    expect([...mayShare(shared)], String(row)).toEqual(expect.arrayContaining([row - 1, row]));
  }
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
