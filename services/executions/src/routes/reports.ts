import type { Endpoints } from '@settler/chassis/endpoint';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { exceptionCategory, executionStatus } from '@settler/contracts/events/executions';
import { executionSummary, outcome } from '@settler/contracts/executions';
import { executionId, jobId } from '@settler/contracts/ids';
import { currency } from '@settler/contracts/money';
import { day, instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { ExecutionQueries } from '../application/queries.ts';
import { ageBuckets } from '../domain/exceptions.ts';
import { changes } from '../domain/run-diff.ts';
import { fees, report, trend } from './examples.ts';
import { rateFields } from './exchange-rates.ts';

const record = z.record(z.string(), z.unknown());
const change = z.enum(changes).meta({
  id: 'Change',
  description: '`matched_otherwise`: with others than before. `added`, `gone`: only one of the two runs has it.',
});
const total = z.object({
  count: z.number().int().describe('How many.'),
  amount: z.string().describe('What they come to, as a decimal with the digits of the currency.'),
});
const sideOf = z.enum(['source', 'target']).describe('The side that the records are of.');
const currencyOf = z.string().describe('ISO 4217; empty for what has none that could be read.');
const ofOne = { side: sideOf, currency: currencyOf };
const reportAnswer = z
  .object({
    executionId,
    status: executionStatus.describe('Of the execution.'),
    summary: executionSummary.nullable().describe('As the execution has it; null until it has completed.'),
    matchRate: z.number().nullable().describe('Matched source records ÷ source records, 0 to 1; null until it has completed.'),
    outcomes: z
      .array(
        z.object({
          outcome,
          ...ofOne,
          pass: z.string().nullable().describe('The pass that decided it; null where none did.'),
          ...total.shape,
        }),
      )
      .describe('Counts and sums of records.'),
    ageing: z
      .array(
        z.object({
          bucket: z.enum(ageBuckets).describe('Whole days.'),
          currency: currencyOf,
          ...total.shape,
        }),
      )
      .describe(
        'Open exceptions of the job, by whole days since Settler first saw the record, with the sum of their amounts, whatever their signs; `90+` is more than 90.',
      ),
    comparison: z
      .object({
        executionId: executionId.describe('What it is held against: the execution that it is a trial on, or the last one of the job.'),
        matchRate: z
          .object({ before: z.number().describe('Of that execution.'), after: z.number().describe('Of this one.') })
          .describe('0 to 1 each.'),
        diff: z
          .object({
            lines: z.array(z.object({ change, ...ofOne, ...total.shape })).describe('What has changed; the rest is as it was.'),
            examples: z
              .array(z.object({ change, side: sideOf, record: record.describe('As it is.') }))
              .describe('Up to 20 of each change.'),
          })
          .nullable()
          .describe('Record by record; null where there are too many.'),
        reason: z.literal('too_many_records').nullable().describe('Why there is no diff: more than a million records.'),
        handMatches: z
          .object({
            held: z.number().int().describe('How many are in this run.'),
            contradicted: z.array(z.string()).describe('Ids of matches that the rules would break.'),
            changed: z.array(z.string()).describe('Ids of matches of which a record has changed.'),
          })
          .describe(
            'Matches by hand: how many are in this run, and up to 100 ids each of those that the rules would break if they were asked, and of those of which a record has changed.',
          ),
      })
      .nullable()
      .describe('Of a dry run: how it differs from another execution, record by record.'),
    base: z
      .object({
        currency: currency.describe('The one currency.'),
        ratesOn: day.nullable().describe('The day whose rates were taken; null where the execution has none, because it has not ended.'),
        totals: z
          .array(z.object({ outcome, side: sideOf, ...total.shape }))
          .describe('Added exactly, and rounded once each, half to even. Without the currencies that are `missing`.'),
        rates: z
          .array(z.object({ ...rateFields, inverted: z.boolean().describe('Whether amounts were divided by it.') }))
          .describe('Of each other currency the one that was used.'),
        missing: z.array(currency).describe('Currencies without a rate: their records are in no total here.'),
      })
      .nullable()
      .describe('The totals in one currency; null where neither the request nor the organization names one.'),
    certificate: z
      .object({
        holds: z
          .boolean()
          .describe(
            'Whether every record and every cent is accounted for. Only of a completed execution: before, and of one that failed or was cancelled, it is false and there are no lines.',
          ),
        lines: z
          .array(
            z.object({
              ...ofOne,
              ingested: total.describe('What the reader counted, before matching.'),
              opening: total.describe('Open items of earlier runs that the input did not deliver again.'),
              accounted: total.describe('What the results hold.'),
              byOutcome: z.record(z.string(), total).describe('The same by outcome.'),
              difference: total.describe('ingested + opening − accounted: nothing, where it holds.'),
            }),
          )
          .describe('One for each side and currency.'),
      })
      .describe('Whether what went in came out.'),
  })
  .meta({ id: 'Report' });

const feesAnswer = z
  .object({
    executionId,
    status: executionStatus.describe('Of the execution.'),
    lines: z.array(
      z.object({
        pass: z.string().describe('The pass of the rules.'),
        currency: z.string().describe('Of both sides.'),
        results: z.number().int().describe('Matched and mismatched results of the pass whose two sides have one currency and amounts.'),
        gross: z.string().describe('What the source has.'),
        net: z.string().describe('What the target has of it.'),
        agreed: z.string().nullable().describe('The fee by the rules of the pass; null where it has none.'),
        declared: z.string().nullable().describe('The field `fee` of the target records, or else of the source; null where none has one.'),
        charged: z.string().describe('gross − net'),
        drift: z.string().describe('charged − agreed, or − declared where nothing is agreed.'),
        mismatches: z
          .object({ count: z.number().int().describe('How many results.'), drift: z.string().describe('What they come to.') })
          .describe('The part of the drift that is exceptions, as `fee_mismatch`.'),
      }),
    ),
  })
  .meta({ id: 'Fees' });

const trendPoint = z
  .object({
    executionId,
    jobVersion: z.number().int().describe('The configuration of the job that it ran.'),
    createdAt: instant.describe('When it was accepted.'),
    completedAt: instant.nullable(),
    summary: executionSummary.nullable().describe('What it found.'),
    opened: z
      .array(z.object({ category: exceptionCategory.describe('What was wrong.'), currency: currencyOf, ...total.shape }))
      .describe('The exceptions that it opened, with the sum of their amounts, whatever their signs.'),
  })
  .meta({ id: 'TrendPoint' });

const byId = z.object({ id: executionId });
const reportQuery = z.strictObject({
  baseCurrency: currency
    .optional()
    .describe(
      'Tells the totals in this currency besides, by the exchange rates of the organization; without it in that of the organization.',
    ),
  ratesOn: day
    .optional()
    .describe('The rates of this day, or else the newest before it; without it the day on which the execution ended, in UTC.'),
});

export const reportRoutes = (endpoint: Endpoints['endpoint'], queries: ExecutionQueries): void => {
  endpoint('readReport', {
    description:
      'Counts and sums per outcome, side, currency and pass; how old the open exceptions of the job are; and the certificate that nothing was lost. A run that has not completed has a report that says how it stands, and certifies nothing; a dry run has one as well. It stays when the results are kept no longer. Ageing and `base` are computed when it is read.',
    params: byId,
    query: reportQuery,
    answers: { 200: reportAnswer },
    examples: { answers: { 200: report } },
    handle: async ({ params, principal, query }) => {
      const report = await queries.report(principal.organizationId, params.id, query);
      if (report === undefined) throw notFound('execution');
      return { status: 200, body: report };
    },
  });

  endpoint('readFees', {
    description:
      'Per pass and currency, what was charged against what was agreed in the rules or declared in the records. It is added up from the results: an execution that has not completed is a `conflict`, one whose results are kept no longer is `gone`. Results of several currencies, and what was matched by hand, are not in it.',
    params: byId,
    answers: { 200: feesAnswer },
    examples: { answers: { 200: fees } },
    refuses: [409, 410],
    handle: async ({ params, principal }) => {
      const fees = await queries.fees(principal.organizationId, params.id);
      if (fees === undefined) throw notFound('execution');
      return { status: 200, body: fees };
    },
  });

  endpoint('readTrend', {
    description:
      'One line for each completed run of a job that was no dry run, newest first: its summary, and the exceptions that it opened.',
    query: z.strictObject({
      ...pageQuery,
      jobId: jobId.describe('The job that is followed.'),
      since: instantInput.optional().describe('Only runs that were accepted at this moment or later.'),
    }),
    answers: { 200: pageOf(trendPoint) },
    examples: { answers: { 200: trend } },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.trend(principal.organizationId, query) }),
  });
};
