/** What an execution says of itself: shared by the API's answers, the events and the jobs service's copy of the last run. */
import { z } from 'zod';
import { total } from './money.ts';

const sideTotals = z.object({
  /** Records of this side, carried-over and invalid ones included. */
  records: z.number().int().nonnegative(),
  /** Their sum; null where several currencies are in it, or none. */
  amount: total.nullable(),
});

const counts = {
  source: sideTotals,
  target: sideTotals,
  matched: z.number().int().nonnegative(),
  mismatched: z.number().int().nonnegative(),
  missingInTarget: z.number().int().nonnegative(),
  missingInSource: z.number().int().nonnegative(),
  duplicates: z.number().int().nonnegative(),
  ambiguous: z.number().int().nonnegative(),
  invalid: z.number().int().nonnegative(),
};

/**
 * Counts are of results, except `records`. `matchRate` = matched source records ÷ source records, 0–1, with four decimals: 1 where all are
 * matched and 0 where none is, and never by rounding.
 */
export const executionSummary = z
  .object({ ...counts, matchRate: z.number().min(0).max(1), byCurrency: z.record(z.string(), z.object(counts)) })
  .meta({ id: 'ExecutionSummary' });
export type ExecutionSummary = z.infer<typeof executionSummary>;

export const outcomes = ['matched', 'mismatched', 'missing_in_target', 'missing_in_source', 'duplicate', 'ambiguous', 'invalid'] as const;
export const outcome = z.enum(outcomes).meta({ id: 'Outcome' });
export type Outcome = z.infer<typeof outcome>;
