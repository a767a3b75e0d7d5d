/**
 * The one order of results, which depends on the records and not on how they came: what needs a person first, then by date and
 * amount, and only then by what else the records say.
 */
import type { Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import type { Side } from '../../side.ts';
import { compareRows, noDay, type RecordBatch } from '../batch.ts';
import { orderOf } from '../columns/order.ts';
import { giveBack, lendWords } from '../columns/scratch.ts';
import { type ResultColumns, rowsOf } from './columns.ts';

const needOf: Readonly<Record<Outcome, number>> = {
  mismatched: 0,
  ambiguous: 1,
  missing_in_target: 2,
  missing_in_source: 3,
  duplicate: 4,
  invalid: 5,
  matched: 6,
};

export const orderOfResults = (results: ResultColumns, source: RecordBatch, target: RecordBatch): Uint32Array => {
  const { length } = results;
  const needs = lendWords(length);
  const { first, range } = daysOf(source, target);
  for (let index = 0; index < length; index += 1) {
    const isTarget = results.sources[index] === -1;
    const batch = isTarget ? target : source;
    const row = (isTarget ? results.targets : results.sources)[index] as number;
    // Of one outcome, results of the source come before those that have only a target, and whatever has no day before what has one.
    const need = (needOfOutcome[results.outcomes[index] as number] as number) * 2 + (isTarget ? 1 : 0);
    const day = batch.days[row] as number;
    needs[index] = need * range + (day === noDay ? 0 : day - first + 1);
  }
  const amountOf = (index: number): number => {
    const ofSource = results.sources[index] as number;
    return (ofSource === -1 ? target.amounts[results.targets[index] as number] : source.amounts[ofSource]) as number;
  };
  const keys = [...amountKeys(length, amountOf), needs];
  const order = keys.reduce<Uint32Array | undefined>((sorted, column) => orderOf(column, sorted), undefined) ?? new Uint32Array(0);
  settleEqual(order, keys, (one, other) => compareResults(results, source, target, one, other));
  giveBack(...keys);
  return order;
};

const needOfOutcome = Uint8Array.from(outcomes, (outcome) => needOf[outcome]);

/** The first day there is, and how many days there may be from it on, with one more for none: they and the needs share a word. */
const daysOf = (...batches: readonly RecordBatch[]): { readonly first: number; readonly range: number } => {
  let first = 2 ** 31 - 1;
  let last = -(2 ** 31);
  for (const { days } of batches) {
    for (let row = 0; row < days.length; row += 1) {
      const day = days[row] as number;
      if (day === noDay) continue;
      if (day < first) first = day;
      if (day > last) last = day;
    }
  }
  return last < first ? { first: 0, range: 1 } : { first, range: last - first + 2 };
};

/** Amounts as whole numbers that sort as they do, least significant first; those without an amount come before all others. */
const amountKeys = (length: number, amountOf: (index: number) => number): Uint32Array<ArrayBuffer>[] => {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < length; index += 1) {
    const amount = amountOf(index);
    if (amount < least) least = amount;
    if (amount > most) most = amount;
  }
  const low = lendWords(length);
  if (most - least < 2 ** 32 - 1) {
    for (let index = 0; index < length; index += 1) {
      const amount = amountOf(index);
      low[index] = Number.isNaN(amount) ? 0 : amount - least + 1;
    }
    return [low];
  }
  // Doubles sort as whole numbers once the sign is turned over; adding 0 makes one of the two zeros.
  const high = lendWords(length);
  const amount = new Float64Array(1);
  const words = new Uint32Array(amount.buffer);
  for (let index = 0; index < length; index += 1) {
    const value = amountOf(index);
    amount[0] = Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value + 0;
    const isNegative = (words[1] as number) >>> 31 === 1;
    low[index] = isNegative ? ~(words[0] as number) : (words[0] as number);
    high[index] = isNegative ? ~(words[1] as number) : (words[1] as number) | 0x80000000;
  }
  return [low, high];
};

/** Puts runs of equal keys in the order of `compare`. */
const settleEqual = (order: Uint32Array, keys: readonly Uint32Array[], compare: (one: number, other: number) => number): void => {
  const areEqual = (one: number, other: number): boolean => {
    for (const column of keys) if (column[one] !== column[other]) return false;
    return true;
  };
  let start = 0;
  for (let end = 1; end <= order.length; end += 1) {
    if (end < order.length && areEqual(order[start] as number, order[end] as number)) continue;
    if (end - start > fewMax) order.subarray(start, end).sort(compare);
    else insertInOrder(order, start, end, compare);
    start = end;
  }
};

/** Runs are many and short: so few are in order sooner than the runtime has copied them to where it sorts. */
const fewMax = 8;

const insertInOrder = (order: Uint32Array, start: number, end: number, compare: (one: number, other: number) => number): void => {
  for (let next = start + 1; next < end; next += 1) {
    const one = order[next] as number;
    let at = next;
    for (; at > start && compare(order[at - 1] as number, one) > 0; at -= 1) order[at] = order[at - 1] as number;
    order[at] = one;
  }
};

const compareResults = (results: ResultColumns, source: RecordBatch, target: RecordBatch, one: number, other: number): number =>
  compareSides(results, 'source', source, one, other) || compareSides(results, 'target', target, one, other) || one - other;

const compareSides = (results: ResultColumns, side: Side, batch: RecordBatch, one: number, other: number): number => {
  const firsts = side === 'source' ? results.sources : results.targets;
  const [ours, theirs] = [firsts[one] as number, firsts[other] as number];
  if (ours === -1 || theirs === -1) return Math.sign(ours + 1) - Math.sign(theirs + 1);
  const byFirst = compareRows(batch, ours, theirs);
  if (byFirst !== 0) return byFirst;
  const [ourRows, theirRows] = [rowsOf(results, side, one), rowsOf(results, side, other)];
  for (let index = 1; index < Math.min(ourRows.length, theirRows.length); index += 1) {
    const byRow = compareRows(batch, ourRows[index] as number, theirRows[index] as number);
    if (byRow !== 0) return byRow;
  }
  return ourRows.length - theirRows.length;
};
