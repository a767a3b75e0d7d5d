/** Records and runs as the tests of matching write them. */
import { rules as rulesSchema } from '@settler/contracts/rules';
import { findApart, type Separated } from '../../../src/domain/matching/apart.ts';
import { type Fields, type RecordBatch, recordAt } from '../../../src/domain/matching/batch.ts';
import { type CarriedRecord, createBatchBuilder, type Row } from '../../../src/domain/matching/batch-builder.ts';
import { dayOf } from '../../../src/domain/matching/day.ts';
import { reconcile } from '../../../src/domain/matching/reconcile.ts';
import type { MatchResult } from '../../../src/domain/matching/results/result.ts';

export type Records = readonly (Fields | Row)[];

/** `carried`: open items of earlier runs. */
export const batchOf = (rows: Records, idMapped = true, carried: readonly CarriedRecord[] = []): RecordBatch => {
  const builder = createBatchBuilder({ idMapped });
  builder.addRows(
    rows.map((row, index) => ('record' in row || 'invalid' in row ? (row as Row) : { line: index + 2, record: row as Fields })),
  );
  return builder.build(carried);
};

export const euro = (id: string, amount: string, more: Fields = {}): Fields => ({
  id,
  amount,
  currency: 'EUR',
  date: '2026-04-01',
  reference: id,
  ...more,
});

export const asOf = dayOf('2026-05-01') ?? 0;

export const run = (
  source: Records,
  target: Records,
  rules: unknown,
  idMapped = true,
  open: readonly Fields[] = [],
  separated: readonly Separated[] = [],
) => {
  const carried = open.map((record) => ({ record, occurrence: 1 }));
  const batches = { source: batchOf(source, idMapped, carried), target: batchOf(target, idMapped) };
  const parsed = rulesSchema.parse(rules);
  const apart = findApart(separated, batches);
  const now = reconcile({ ...batches, rules: parsed, asOf, apart });
  const results: MatchResult[] = Array.from({ length: now.length }, (_, place) => now.at(place));
  const name = (side: 'source' | 'target', rows: readonly number[]) =>
    rows.map((row) => {
      const record = recordAt(batches[side], row);
      return record['id'] ?? record;
    });
  return {
    ...batches,
    rules: parsed,
    apart,
    now,
    summary: now.summary,
    results,
    /** Outcome, and the ids of both sides. */
    said: results.map((result) => [result.outcome, name('source', result.source), name('target', result.target)]),
  };
};

export const pass = (match: unknown, more = {}) => ({ passes: [{ name: 'one', match, ...more }] });
