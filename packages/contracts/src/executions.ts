/** What an execution says of itself: shared by the API's answers, the events and the jobs service's copy of the last run. */
import { z } from 'zod';
import { total } from './money.ts';

const sideTotals = z.object({
  records: z.number().int().nonnegative().describe('Records of this side, carried-over and invalid ones included.'),
  amount: total.nullable().describe('Their sum; null where several currencies are in it, or none.'),
});

const counts = {
  source: sideTotals.describe('What the source has.'),
  target: sideTotals.describe('What the target has.'),
  matched: z.number().int().nonnegative().describe('Results whose records belong together and agree.'),
  mismatched: z.number().int().nonnegative().describe('Results whose records belong together and differ.'),
  missingInTarget: z.number().int().nonnegative().describe('Source records without counterpart.'),
  missingInSource: z.number().int().nonnegative().describe('Target records without counterpart.'),
  duplicates: z.number().int().nonnegative().describe('Records that repeat another one.'),
  ambiguous: z.number().int().nonnegative().describe('Results with several candidates, of which a person has to choose.'),
  invalid: z.number().int().nonnegative().describe('Records that could not be read.'),
};

export const executionSummary = z
  .object({
    ...counts,
    matchRate: z
      .number()
      .min(0)
      .max(1)
      .describe(
        'Matched source records ÷ source records, 0 to 1 with four decimals: 1 where all are matched and 0 where none is, and never by rounding.',
      ),
    byCurrency: z.record(z.string(), z.object(counts)).describe('The same for each currency by itself.'),
  })
  .meta({ id: 'ExecutionSummary', description: 'What an execution found. Counts are of results, except `records`.' });
export type ExecutionSummary = z.infer<typeof executionSummary>;

export const outcomes = ['matched', 'mismatched', 'missing_in_target', 'missing_in_source', 'duplicate', 'ambiguous', 'invalid'] as const;
export const outcome = z.enum(outcomes).meta({
  id: 'Outcome',
  description: 'What became of the records: every record of an execution is in one result, and every result has one outcome.',
});
export type Outcome = z.infer<typeof outcome>;
