import { describe, expect, it } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { createBatchBuilder } from '../../../src/domain/matching/batch-builder.ts';
import { keptAgain } from '../../../src/domain/matching/kept-again.ts';
import { euro } from './records.ts';

const { id: _, ...nameless } = euro('s1', '1.00');
const nobody = { source: [], target: [] };
const free = () => false;

const batchesOf = (source: readonly Fields[], given: readonly Fields[] = []) => {
  const batchOf = (records: readonly Fields[], matched: readonly Fields[]) => {
    const builder = createBatchBuilder({ idMapped: records.every(({ id }) => id !== undefined) });
    builder.addRows(records.map((record) => ({ record })));
    return builder.build(
      [],
      matched.map((record, index) => ({ record, occurrence: index + 1 })),
    );
  };
  return { source: batchOf(source, given), target: batchOf([], []) };
};
const kept = (row: number, executionId = 'exe_1') => ({ row, executionId });

describe('records that kept a match where they are stored', () => {
  it('keep it, and nobody who says the same does', () => {
    const batches = batchesOf([nameless, nameless, nameless]);
    expect(keptAgain({ ...nobody, source: [kept(1)] }, batches, { isFree: free, runAt: 2 })).toEqual({ ...nobody, source: [kept(1)] });
  });

  it('keep it in place of one that stands before them and repeats them', () => {
    const batches = batchesOf([euro('s1', '1.00'), euro('s2', '1.00'), euro('s1', '1.00')]);
    const found = keptAgain({ ...nobody, source: [kept(1), kept(2, 'exe_0')] }, batches, { isFree: free, runAt: 2 });
    expect(found).toEqual({ ...nobody, source: [kept(1), kept(0, 'exe_0')] });
  });

  it('leave it to others that say the same where a match by hand has taken them, and to nobody where there are none', () => {
    const stored = { ...nobody, source: [kept(0)] };
    expect(keptAgain(stored, batchesOf([nameless, nameless], [nameless]), { isFree: free, runAt: 2 }).source).toEqual([kept(1)]);
    expect(keptAgain(stored, batchesOf([nameless], [nameless]), { isFree: free, runAt: 2 }).source).toEqual([]);
    expect(keptAgain(stored, batchesOf([euro('s1', '1.00')], [euro('s1', '1.00')]), { isFree: free, runAt: 2 }).source).toEqual([]);
  });

  it('are free where somebody has taken them apart in that run or in a newer one', () => {
    const stored = { ...nobody, source: [kept(0), kept(1)] };
    const isFree = (_side: string, row: number, runAt: number) => row === 1 && runAt <= 2;
    const keptOf = (runAt: number) =>
      keptAgain(stored, batchesOf([euro('s1', '1.00'), euro('s2', '1.00')]), { isFree, runAt }).source.map(({ row }) => row);
    expect([keptOf(2), keptOf(3)]).toEqual([[0], [0, 1]]);
  });
});
