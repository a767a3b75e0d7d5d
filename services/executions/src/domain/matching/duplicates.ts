/** `duplicates`: records that say the same as another one. Those left without a counterpart are duplicates, not missing. */
import type { Rules } from '@settler/contracts/rules';
import type { Side } from '../side.ts';
import { compareRows, type RecordBatch, usable, wasKnown } from './batch.ts';
import { fieldTexts } from './columns/field.ts';
import { isPresent, textAt } from './columns/text-column.ts';
import type { Collector } from './results/collector.ts';

export const flagDuplicates = (source: RecordBatch, target: RecordBatch, collector: Collector, { duplicates }: Rules): void => {
  if (duplicates?.action !== 'flag') return;
  const reason = `says the same as another record in ${duplicates.by.join(', ')}`;
  for (const [side, batch] of [
    ['source', source],
    ['target', target],
  ] as const) {
    for (const row of repeatedRows(side, batch, collector, duplicates.by)) collector.alone('duplicate', side, row, { reason });
  }
};

const repeatedRows = (side: Side, batch: RecordBatch, { isOpen }: Collector, by: readonly string[]): number[] => {
  const columns = by.map((field) => fieldTexts(batch, field, []));
  const groups = new Map<string, number[]>();
  for (let row = 0; row < batch.length; row += 1) {
    // What is absent equals nothing, here as everywhere.
    if (batch.states[row] !== usable || !columns.every((column) => isPresent(column, row))) continue;
    // Ten euros and ten dollars are not the same, whether or not the rules think of the currency.
    const key = JSON.stringify([batch.currencies[row], ...columns.map((column) => textAt(column, row))]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  // What was open before is what is missing, and what has come now repeats it, whatever the ids of both.
  const byAge = (one: number, other: number): number =>
    Number(wasKnown(batch, other)) - Number(wasKnown(batch, one)) || compareRows(batch, one, other);
  return [...groups.values()].flatMap((rows) => {
    if (rows.length === 1) return [];
    const left = rows.filter((row) => isOpen(side, row)).sort(byAge);
    // Where none of them has a counterpart the first one is what is missing; only the others repeat it.
    return left.length === rows.length ? left.slice(1) : left;
  });
};
