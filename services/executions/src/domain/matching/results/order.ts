/**
 * The one order of results, which depends on the records and not on how they came: what needs a person first, then by date and
 * amount, and only then by what else the records say.
 */
import type { Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import { compareRows, noDay, type RecordBatch } from '../batch.ts';
import { orderOf } from '../columns/order.ts';
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
  const needs = new Uint32Array(length);
  const amounts = new Float64Array(length);
  const { first, range } = daysOf(source, target);
  for (let index = 0; index < length; index += 1) {
    const isTarget = results.sources[index] === -1;
    const batch = isTarget ? target : source;
    const row = (isTarget ? results.targets : results.sources)[index] as number;
    // Of one outcome, results of the source come before those that have only a target, and whatever has no day before what has one.
    const need = (needOfOutcome[results.outcomes[index] as number] as number) * 2 + (isTarget ? 1 : 0);
    const day = batch.days[row] as number;
    needs[index] = need * range + (day === noDay ? 0 : day - first + 1);
    amounts[index] = batch.amounts[row] as number;
  }
  const keys = [...amountKeys(amounts), needs];
  const order = keys.reduce<Uint32Array | undefined>((sorted, column) => orderOf(column, sorted), undefined) ?? new Uint32Array(0);
  settleEqual(order, keys, (one, other) => compareResults(results, source, target, one, other));
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
const amountKeys = (amounts: Float64Array): Uint32Array[] => {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const amount of amounts) {
    if (amount < least) least = amount;
    if (amount > most) most = amount;
  }
  const low = new Uint32Array(amounts.length);
  if (most - least < 2 ** 32 - 1) {
    for (let index = 0; index < amounts.length; index += 1) {
      const amount = amounts[index] as number;
      low[index] = Number.isNaN(amount) ? 0 : amount - least + 1;
    }
    return [low];
  }
  // Doubles sort as whole numbers once the sign is turned over; adding 0 makes one of the two zeros.
  const high = new Uint32Array(amounts.length);
  const amount = new Float64Array(1);
  const words = new Uint32Array(amount.buffer);
  for (let index = 0; index < amounts.length; index += 1) {
    amount[0] = Number.isNaN(amounts[index] as number) ? Number.NEGATIVE_INFINITY : (amounts[index] as number) + 0;
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
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
};

const compareResults = (results: ResultColumns, source: RecordBatch, target: RecordBatch, one: number, other: number): number => {
  for (const [side, batch] of [
    ['source', source],
    ['target', target],
  ] as const) {
    const ours = rowsOf(results, side, one);
    const theirs = rowsOf(results, side, other);
    for (let index = 0; index < Math.min(ours.length, theirs.length); index += 1) {
      const byRow = compareRows(batch, ours[index] as number, theirs[index] as number);
      if (byRow !== 0) return byRow;
    }
    if (ours.length !== theirs.length) return ours.length - theirs.length;
  }
  return one - other;
};
