import { describe, expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { createRepeats } from '../../../src/domain/matching/results/repeats.ts';
import type { MatchResult } from '../../../src/domain/matching/results/result.ts';
import { batchOf } from './records.ts';

const cash = { amount: '1.00', currency: 'EUR', reference: 'cash' };
const other = { ...cash, reference: 'other' };
const result = (
  outcome: MatchResult['outcome'],
  source: readonly number[],
  target: readonly number[],
  line: number | null = null,
): MatchResult => ({
  ...{ pass: null, cardinality: null, score: null, margin: null, delta: null, category: null, reason: null, conditions: [] },
  ...{ outcome, source, target, line },
});
const numbers = (source: readonly Fields[], target: readonly Fields[], hasIds: boolean, results: readonly MatchResult[]) =>
  results.map(createRepeats(batchOf(source, hasIds), batchOf(target, hasIds)));

describe('results that say the same', () => {
  test('are numbered where their records have no ids, and begin anew with each that says something else', () => {
    const [source, target] = [
      [cash, cash, cash, other],
      [cash, cash, cash, cash],
    ];
    expect(
      numbers(source, target, false, [
        result('mismatched', [0], [0]),
        result('mismatched', [1], [1]),
        result('mismatched', [2], [2, 3]),
        result('ambiguous', [0], [0]),
        result('ambiguous', [1], [1]),
        result('ambiguous', [3], [1]),
      ]),
    ).toEqual([1, 2, 1, 1, 2, 1]);
  });

  test('are where they contradict each other under one id of one side, wherever they stand', () => {
    const rows = (...ids: readonly string[]) => ids.map((id, index) => ({ ...cash, id, reference: `r${index}` }));
    const invalid = (row: number) => result('invalid', [row], [], row + 2);
    expect(
      numbers(rows('a', 'b', 'a', 'c', 'a'), rows('a'), true, [
        ...[0, 1, 2, 3, 4].map(invalid),
        result('invalid', [], [0], 2),
        result('mismatched', [0], [0]),
      ]),
    ).toEqual([1, 1, 2, 1, 3, 1, 1]);
  });

  test('are not where their records have ids and can be read, or cannot and have lines', () => {
    const [one, two] = [
      { ...cash, id: 'a' },
      { ...cash, id: 'a', reference: 'other' },
    ];
    expect(numbers([one, two], [], true, [result('mismatched', [0], []), result('mismatched', [0], [])])).toEqual([1, 1]);
    expect(numbers([cash, cash], [], false, [result('invalid', [0], [], 3), result('invalid', [1], [], 4)])).toEqual([1, 1]);
    expect(numbers([cash, cash], [], false, [result('invalid', [0], []), result('invalid', [1], [])])).toEqual([1, 2]);
  });
});
