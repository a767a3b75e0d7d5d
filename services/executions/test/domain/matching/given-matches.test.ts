import { rules as rulesSchema } from '@settler/contracts/rules';
import { describe, expect, it } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { createBatchBuilder } from '../../../src/domain/matching/batch-builder.ts';
import { contradicted } from '../../../src/domain/matching/contradicted.ts';
import { findGiven, type GivenMatch } from '../../../src/domain/matching/given-matches.ts';
import { reconcile } from '../../../src/domain/matching/reconcile.ts';
import { asOf, euro, pass, batchOf as recordsOf } from './records.ts';

const rules = rulesSchema.parse(pass([{ field: 'reference', type: 'exact' }]));
const batchOf = (delivered: readonly Fields[], given: readonly Fields[], idMapped: boolean) => {
  const builder = createBatchBuilder({ idMapped });
  builder.addRows(delivered.map((record) => ({ record })));
  return builder.build(
    [],
    given.map((record, index) => ({ record, occurrence: idMapped ? 1 : index + 1 })),
  );
};
const runWith = (
  delivered: Record<'source' | 'target', readonly Fields[]>,
  given: typeof delivered,
  matches: readonly GivenMatch[],
  idMapped = true,
) => {
  const batches = { source: batchOf(delivered.source, given.source, idMapped), target: batchOf(delivered.target, given.target, idMapped) };
  const found = findGiven(matches, batches);
  const now = reconcile({ ...batches, rules, asOf, given: found.held, waiting: found.waiting });
  const results = Array.from({ length: now.length }, (_, place) => now.at(place));
  return {
    fates: found.fates,
    summary: now.summary,
    said: results.map(({ outcome, source, target, given: match }) => [outcome, source, target, match]),
    reasons: results.map(({ reason }) => reason),
  };
};

describe('a match by hand in a run', () => {
  const other = euro('t9', '1.00', { reference: 's1' });
  const given = { source: [euro('s1', '1.00')], target: [euro('t1', '2.00'), euro('t2', '3.00')] };
  const match = { source: [0], target: [0, 1] };

  it('is taken before the rules are asked, in whatever order its records come', () => {
    const { said, fates, summary } = runWith({ source: given.source, target: [other, ...given.target.toReversed()] }, given, [match]);
    expect(fates).toEqual(['held']);
    expect(said).toEqual([
      ['missing_in_source', [], [0], undefined],
      ['matched', [0], [2, 1], 0],
    ]);
    expect(summary).toMatchObject({ matched: 1, missingInSource: 1, matchRate: 1, source: { records: 1 }, target: { records: 3 } });
  });

  it('is no match where one of its records says something else, and the rules decide', () => {
    const { said, fates } = runWith({ source: [euro('s1', '1.01')], target: [other, ...given.target] }, given, [match]);
    expect(fates).toEqual(['changed']);
    expect(said.filter(([outcome]) => outcome === 'matched')).toEqual([['matched', [0], [0], undefined]]);
  });

  it('keeps its records for each other where not all are there, and counts nothing that is not', () => {
    const { said, fates, summary, reasons } = runWith({ source: given.source, target: [other] }, given, [match]);
    expect(fates).toEqual(['absent']);
    expect(said.map(([outcome]) => outcome)).toEqual(['missing_in_target', 'missing_in_source']);
    expect(reasons).toEqual(['it was matched by hand with records that are not here', null]);
    expect(summary).toMatchObject({ source: { records: 1 }, target: { records: 1 } });
    expect(runWith({ source: [euro('s2', '1.00', { reference: 't1' })], target: given.target }, given, [match])).toMatchObject({
      fates: ['absent'],
      summary: { matched: 0, missingInTarget: 1, missingInSource: 2 },
      reasons: [null, ...given.target.map(() => 'it was matched by hand with records that are not here')],
    });
    expect(runWith({ source: [], target: [] }, given, [match])).toMatchObject({
      said: [],
      fates: ['absent'],
      summary: { target: { records: 0 } },
    });
  });

  it('finds, without ids, as many of those that say the same as were matched', () => {
    const anonymous = (reference: string): Fields => ({ amount: '1.00', currency: 'EUR', reference });
    const same = { source: [anonymous('a'), anonymous('a')], target: [anonymous('b'), anonymous('b')] };
    const two = [
      { source: [0], target: [0] },
      { source: [1], target: [1] },
    ];
    expect(runWith({ source: [...same.source, anonymous('a')], target: same.target }, same, two, false)).toMatchObject({
      fates: ['held', 'held'],
      summary: { matched: 2, missingInTarget: 1 },
    });
    expect(runWith({ source: same.source, target: [anonymous('b')] }, same, two, false).fates).toEqual(['held', 'absent']);
  });
});

describe('a match by hand that the rules would not have made', () => {
  const records = (...references: readonly string[]) =>
    recordsOf(references.map((reference, index) => euro(`r${index}`, '1.00', { reference })));
  const isBroken = (source: readonly string[], target: readonly string[], given: readonly GivenMatch[], own = rules) =>
    contradicted({ source: records(...source), target: records(...target), rules: own, asOf, given });

  it('is contradicted where they take one of its records for another match, on either side', () => {
    const pair = { source: [0], target: [0] };
    expect(isBroken(['a', 'b'], ['x', 'a', 'b'], [pair])).toEqual([true]);
    expect(isBroken(['x', 'a', 'b'], ['a', 'b'], [pair])).toEqual([true]);
    expect(isBroken(['a', 'b'], ['b', 'a'], [pair, { source: [1], target: [1] }])).toEqual([true, true]);
    expect(isBroken(['a', 'b', 'c'], ['x', 'a', 'c'], [pair, { source: [2], target: [2] }])).toEqual([true, false]);
  });

  it('is not where they would match the same records, or leave them alone', () => {
    expect(
      isBroken(
        ['a', 'b', 'c'],
        ['a', 'x', 'c'],
        [
          { source: [0], target: [0] },
          { source: [1], target: [1] },
        ],
      ),
    ).toEqual([false, false]);
    const groups = rulesSchema.parse(
      pass([{ field: 'reference', type: 'exact' }], { cardinality: 'many-to-one', sum: { tolerance: { percent: '100' } } }),
    );
    expect(isBroken(['a', 'a'], ['a'], [{ source: [0, 1], target: [0] }], groups)).toEqual([false]);
    expect(isBroken(['a', 'a'], ['a'], [{ source: [0], target: [0] }], groups)).toEqual([true]);
    expect(contradicted({ source: records('a'), target: records('a'), rules, asOf })).toEqual([]);
  });

  it('is not by records that they find to differ', () => {
    const verified = rulesSchema.parse(
      pass([
        { field: 'reference', type: 'exact' },
        { field: 'id', type: 'exact', verify: true },
      ]),
    );
    expect(isBroken(['a', 'b'], ['x', 'a'], [{ source: [0], target: [0] }], verified)).toEqual([false]);
  });
});
