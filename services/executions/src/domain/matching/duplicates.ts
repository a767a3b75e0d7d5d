/** `duplicates`: records that say the same as another one. Those left without a counterpart are duplicates, not missing. */
import type { Rules } from '@settler/contracts/rules';
import type { RecordBatch } from './batch.ts';
import { alone, type MatchResult, type Open } from './result.ts';
import { textColumn } from './text.ts';

export const flagDuplicates = (source: RecordBatch, target: RecordBatch, open: Open, { duplicates }: Rules): MatchResult[] => {
  if (duplicates?.action !== 'flag') return [];
  return [...ofSide('source', source, open.source, duplicates.by), ...ofSide('target', target, open.target, duplicates.by)];
};

const ofSide = (side: 'source' | 'target', batch: RecordBatch, open: ReadonlySet<number>, by: readonly string[]): MatchResult[] => {
  // Ten euros and ten dollars are not the same, whether or not the rules think of the currency.
  const columns = [batch.currencies, ...by.map((field) => textColumn(batch, field, []))];
  const groups = Map.groupBy(
    batch.records.keys().filter((row) => batch.states[row] === 'usable'),
    (row) => JSON.stringify(columns.map((column) => column[row] ?? null)),
  );
  return [...groups.values()].flatMap((rows) => {
    const left = rows.filter((row) => open.has(row));
    // Where none of them has a counterpart the first one is what is missing; only the others repeat it.
    const repeated = left.length === rows.length ? left.slice(1) : left;
    return repeated.map((row) => alone('duplicate', side, batch, row, `says the same as another record in ${by.join(', ')}`));
  });
};
