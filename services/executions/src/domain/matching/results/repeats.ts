/**
 * Which one a result is, from 1, of those that say the same of records without ids: nothing else tells them apart. They stand one behind
 * the other, as the order of results has it. Where all records have ids, or what cannot be read has a line, nothing is said twice.
 */
import { compareRows, type RecordBatch } from '../batch.ts';
import { isPresent } from '../columns/text-column.ts';
import type { MatchResult } from './result.ts';

export const createRepeats = (source: RecordBatch, target: RecordBatch): ((result: MatchResult) => number) => {
  let before: MatchResult | undefined;
  let number = 1;
  const hasName = (result: MatchResult): boolean =>
    (result.outcome === 'invalid' && result.line !== null) ||
    (result.source.every((row) => hasId(source, row)) && result.target.every((row) => hasId(target, row)));
  const areEqual = (batch: RecordBatch, ones: readonly number[], others: readonly number[]): boolean =>
    ones.length === others.length && ones.every((row, index) => compareRows(batch, row, others[index] as number) === 0);
  return (result) => {
    if (hasName(result)) return 1;
    const isRepeated =
      before !== undefined &&
      before.outcome === result.outcome &&
      areEqual(source, before.source, result.source) &&
      areEqual(target, before.target, result.target);
    number = isRepeated ? number + 1 : 1;
    before = result;
    return number;
  };
};

const hasId = ({ texts }: RecordBatch, row: number): boolean => {
  const ids = texts.get('id');
  return ids !== undefined && isPresent(ids, row);
};
