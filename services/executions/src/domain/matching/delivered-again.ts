/**
 * Open items of earlier runs that this input delivers again: the delivered record is the same one, in its newest version, and takes
 * part in place of the item. By id where records have one; else by what they say, and by which of those that say the same it is.
 */
import { compareContents, type RecordBatch, usable } from './batch.ts';
import { groupsOfOneId } from './repeated-ids.ts';

/** @returns pairs of a delivered row and the carried row that it stands for. `occurrences` are of the carried rows, from 1. */
export const deliveredAgain = (batch: RecordBatch, occurrences: readonly number[]): readonly (readonly [number, number])[] => {
  if (occurrences.length === 0) return [];
  return batch.idMapped ? sameIds(batch) : sameContents(batch, occurrences);
};

/** Rows that contradict each other under one id are not usable, and nobody knows which of them the item is. */
const sameIds = (batch: RecordBatch): (readonly [number, number])[] =>
  groupsOfOneId(batch).flatMap((rows) => {
    const carried = rows.find((row) => row >= batch.carriedFrom);
    const delivered = rows.find((row) => row < batch.carriedFrom);
    return carried === undefined || delivered === undefined ? [] : [[delivered, carried] as const];
  });

const sameContents = (batch: RecordBatch, occurrences: readonly number[]): (readonly [number, number])[] => {
  const { carriedFrom, length, states } = batch;
  const numbersOf = (row: number): string => `${batch.days[row]} ${batch.amounts[row]} ${batch.currencies[row]}`;
  // Most rows differ in these already.
  const items = new Map<string, { readonly row: number; readonly delivered: number[] }[]>();
  for (let row = carriedFrom; row < length; row += 1) {
    const key = numbersOf(row);
    const known = items.get(key) ?? [];
    items.set(key, known);
    if (!known.some((item) => compareContents(batch, item.row, row) === 0)) known.push({ row, delivered: [] });
  }
  for (let row = 0; row < carriedFrom; row += 1) {
    if (states[row] !== usable) continue;
    items
      .get(numbersOf(row))
      ?.find((item) => compareContents(batch, item.row, row) === 0)
      ?.delivered.push(row);
  }
  const pairs: (readonly [number, number])[] = [];
  for (let row = carriedFrom; row < length; row += 1) {
    const item = items.get(numbersOf(row))?.find((one) => compareContents(batch, one.row, row) === 0);
    const delivered = item?.delivered[(occurrences[row - carriedFrom] as number) - 1];
    if (delivered !== undefined) pairs.push([delivered, row]);
  }
  return pairs;
};
