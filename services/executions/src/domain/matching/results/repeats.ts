/**
 * Which one a result is, from 1, of those that nothing else tells apart. Of records without ids, those that say the same: they stand one
 * behind the other, as the order of results has it. Of rows with ids that cannot be read or contradict each other, those of one id and side,
 * wherever they stand: each has an amount of its own. Where neither is so, or a row has a line and no id, nothing is there twice.
 */
import type { Side } from '../../side.ts';
import { compareRows, type RecordBatch } from '../batch.ts';
import { isPresent, textAt } from '../columns/text-column.ts';
import { rowsThatMayShare } from '../shared-ids.ts';
import type { MatchResult } from './result.ts';

/** To be asked once for each result, in their order. */
export const createRepeats = (source: RecordBatch, target: RecordBatch): ((result: MatchResult) => number) => {
  let before: MatchResult | undefined;
  let number = 1;
  const numberOfId = { source: createIdNumbers(source), target: createIdNumbers(target) };
  const hasName = (result: MatchResult): boolean =>
    (result.outcome === 'invalid' && result.line !== null) ||
    (result.source.every((row) => hasId(source, row)) && result.target.every((row) => hasId(target, row)));
  const areEqual = (batch: RecordBatch, ones: readonly number[], others: readonly number[]): boolean =>
    ones.length === others.length && ones.every((row, index) => compareRows(batch, row, others[index] as number) === 0);
  return (result) => {
    if (result.outcome === 'invalid') {
      const side: Side = result.source.length === 0 ? 'target' : 'source';
      const [row] = result[side];
      if (row !== undefined && hasId(side === 'source' ? source : target, row)) return numberOfId[side](row);
    }
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

/** A file of which nothing can be read may have a million ids: only those are counted that another row may have too. */
const createIdNumbers = ({ texts, length }: RecordBatch): ((row: number) => number) => {
  const counts = new Map<string, number>();
  let mayShare: Uint8Array | undefined;
  return (row) => {
    const ids = texts.get('id');
    if (ids === undefined) return 1;
    if (mayShare === undefined) {
      mayShare = new Uint8Array(length);
      for (const shared of rowsThatMayShare(ids)) mayShare[shared] = 1;
    }
    if (mayShare[row] === 0) return 1;
    const id = textAt(ids, row);
    const number = (counts.get(id) ?? 0) + 1;
    counts.set(id, number);
    return number;
  };
};

const hasId = ({ texts }: RecordBatch, row: number): boolean => {
  const ids = texts.get('id');
  return ids !== undefined && isPresent(ids, row);
};
