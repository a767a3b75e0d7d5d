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
import { changes } from '../domain/run-diff.ts';
import { rateFields } from './exchange-rates.ts';

const record = z.record(z.string(), z.unknown());
const change = z.enum(changes).meta({ id: 'Change' });
const total = z.object({ count: z.number().int(), amount: z.string() });
const reportAnswer = z
  .object({
    executionId,
    status: executionStatus,
    summary: executionSummary.nullable(),
    matchRate: z.number().nullable(),
    outcomes: z.array(
      z.object({ outcome, side: z.enum(['source', 'target']), currency: z.string(), pass: z.string().nullable(), ...total.shape }),
    ),
    ageing: z
      .array(z.object({ bucket: z.enum(['0-7', '8-30', '31-60', '61-90', '90+']), currency: z.string(), ...total.shape }))
      .describe(
        'Open exceptions of the job, by whole days since Settler first saw the record, with the sum of their amounts, whatever their signs; `90+` is more than 90.',
      ),
    comparison: z
      .object({
        executionId: executionId.describe('What it is held against: the execution that it is a trial on, or the last one of the job.'),
        matchRate: z.object({ before: z.number(), after: z.number() }),
        diff: z
          .object({
            lines: z.array(z.object({ change, side: z.enum(['source', 'target']), currency: z.string(), ...total.shape })),
            examples: z.array(z.object({ change, side: z.enum(['source', 'target']), record })).describe('Up to 20 of each change.'),
          })
          .nullable(),
        reason: z.literal('too_many_records').nullable().describe('Why there is no diff: more than a million records.'),
        handMatches: z
          .object({ held: z.number().int(), contradicted: z.array(z.string()), changed: z.array(z.string()) })
          .describe(
            'Matches by hand: how many are in this run, and up to 100 ids each of those that the rules would break if they were asked, and of those of which a record has changed.',
          ),
      })
      .nullable()
      .describe('Of a dry run: how it differs from another execution, record by record.'),
    base: z
      .object({
        currency,
        ratesOn: day.nullable().describe('The day whose rates were taken; null where the execution has none, because it has not ended.'),
        totals: z
          .array(z.object({ outcome, side: z.enum(['source', 'target']), ...total.shape }))
          .describe('Added exactly, and rounded once each, half to even. Without the currencies that are `missing`.'),
        rates: z
          .array(z.object({ ...rateFields, inverted: z.boolean().describe('Whether amounts were divided by it.') }))
          .describe('Of each other currency the one that was used.'),
        missing: z.array(currency).describe('Currencies without a rate: their records are in no total here.'),
      })
      .nullable()
      .describe('The totals in one currency; null where neither the request nor the organization names one.'),
    certificate: z.object({
      holds: z
        .boolean()
        .describe(
          'Whether every record and every cent is accounted for. Only of a completed execution: before, and of one that failed or was cancelled, it is false and there are no lines.',
        ),
      lines: z.array(
        z.object({
          side: z.enum(['source', 'target']),
          currency: z.string(),
          ingested: total,
          opening: total,
          accounted: total,
          byOutcome: z.record(z.string(), total),
          difference: total,
        }),
      ),
    }),
  })
  .meta({ id: 'Report' });

const feesAnswer = z
  .object({
    executionId,
    status: executionStatus,
    lines: z.array(
      z.object({
        pass: z.string(),
        currency: z.string(),
        results: z.number().int().describe('Matched and mismatched results of the pass whose two sides have one currency and amounts.'),
        gross: z.string().describe('What the source has.'),
        net: z.string().describe('What the target has of it.'),
        agreed: z.string().nullable().describe('The fee by the rules of the pass; null where it has none.'),
        declared: z.string().nullable().describe('The field `fee` of the target records, or else of the source; null where none has one.'),
        charged: z.string().describe('gross − net'),
        drift: z.string().describe('charged − agreed, or − declared where nothing is agreed.'),
        mismatches: z
          .object({ count: z.number().int(), drift: z.string() })
          .describe('The part of the drift that is exceptions, as `fee_mismatch`.'),
      }),
    ),
  })
  .meta({ id: 'Fees' });

const trendPoint = z
  .object({
    executionId,
    jobVersion: z.number().int(),
    createdAt: instant,
    completedAt: instant.nullable(),
    summary: executionSummary.nullable(),
    opened: z
      .array(z.object({ category: exceptionCategory, currency: z.string(), ...total.shape }))
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
    params: byId,
    query: reportQuery,
    answers: { 200: reportAnswer },
    handle: async ({ params, principal, query }) => {
      const report = await queries.report(principal.organizationId, params.id, query);
      if (report === undefined) throw notFound('execution');
      return { status: 200, body: report };
    },
  });

  endpoint('readFees', {
    params: byId,
    answers: { 200: feesAnswer },
    refuses: [409, 410],
    handle: async ({ params, principal }) => {
      const fees = await queries.fees(principal.organizationId, params.id);
      if (fees === undefined) throw notFound('execution');
      return { status: 200, body: fees };
    },
  });

  endpoint('readTrend', {
    query: z.strictObject({ ...pageQuery, jobId, since: instantInput.optional() }),
    answers: { 200: pageOf(trendPoint) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.trend(principal.organizationId, query) }),
  });
};
