import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { executionStatus } from '@settler/contracts/events/executions';
import { executionSummary, outcome } from '@settler/contracts/executions';
import { executionId, fileId, jobId } from '@settler/contracts/ids';
import { decimal } from '@settler/contracts/money';
import { rules } from '@settler/contracts/rules';
import { day, instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import { planExecution, requireRunnable } from '../application/commands/plan-execution.ts';
import type { Definitions, ExecutionStore } from '../application/ports.ts';
import type { ExecutionQueries } from '../application/queries.ts';

export interface ExecutionNeeds {
  readonly queries: ExecutionQueries;
  readonly store: ExecutionStore;
  readonly definitions: Definitions;
  readonly newId: () => string;
}

/** Whether it is an object, the adapter says: a schema would name every one that is not, and keep everybody waiting. */
const inlineRecord = z.custom<Readonly<Record<string, unknown>>>().meta({ type: 'object', additionalProperties: true });
const runInput = z
  .strictObject({ fileId: fileId.optional(), records: z.array(inlineRecord).max(500_000).optional() })
  .refine((input) => (input.fileId === undefined) !== (input.records === undefined), 'must have either fileId or records');
const runBody = z.strictObject({
  source: runInput.optional(),
  target: runInput.optional(),
  dryRun: z.boolean().default(false).describe('Matches and reports, and stores no results and no exceptions.'),
  overlap: z.boolean().default(false).describe('Queues this run behind one that is queued or running, in place of a 409.'),
  period: z
    .strictObject({ from: day, to: day })
    .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before `from`' })
    .optional()
    .describe(
      'Only records of these days are taken, both included. Open items take part besides, and so do records without a date, which `problems` tells; where no record of a side has one, the run fails with `no_dates`.',
    ),
  note: z.string().max(1_000).optional(),
});

export const executionAnswer = z
  .object({
    id: executionId,
    jobId,
    jobVersion: z.number().int(),
    status: executionStatus,
    progress: z.object({
      stage: z.enum(['queued', 'reading', 'matching', 'writing', 'done']),
      done: z.number().int(),
      total: z.number().int().nullable(),
    }),
    summary: executionSummary.nullable(),
    error: z.object({ code: z.string(), message: z.string(), side: z.string().optional(), line: z.number().int().optional() }).nullable(),
    problems: z
      .array(z.object({ side: z.string(), code: z.string(), message: z.string(), line: z.number().int().optional() }))
      .describe(
        'What is probably not meant as it was said: `no_such_field`, a rule about a field that no record has; `no_date`, records without one in a run of a period; `nothing_readable`.',
      ),
    dryRun: z.boolean(),
    period: z.object({ from: day, to: day }).nullable(),
    note: z.string().nullable(),
    triedOn: executionId.nullable().describe('Of a trial of other rules: the execution on whose records it is one.'),
    waitingFor: z.string().nullable(),
    attempt: z.number().int(),
    createdBy: z.object({ type: z.string(), id: z.string() }),
    createdAt: instant,
    startedAt: instant.nullable(),
    completedAt: instant.nullable(),
    resultsDroppedAt: instant
      .nullable()
      .describe('Since when its results are gone, which are kept for a time (`RESULTS_RETENTION_MONTHS`); its report stays.'),
  })
  .meta({ id: 'Execution' });

/** What results are narrowed by, in the list and in a file. */
export const resultQuery = {
  outcome: outcome.optional(),
  pass: z.string().max(200).optional(),
  q: z.string().min(1).max(200).optional(),
  minAmount: decimal.optional(),
};

const record = z.record(z.string(), z.unknown());
export const resultAnswer = z
  .object({
    id: z.string(),
    outcome,
    source: z.array(record),
    target: z.array(record),
    pass: z.string().nullable().describe('Null of what was matched by hand, or in an earlier run.'),
    cardinality: z.string().nullable(),
    score: z.number().nullable(),
    margin: z.number().nullable(),
    delta: z.object({ amount: z.string().nullable(), days: z.number().int().nullable() }).nullable(),
    conditions: z.array(record),
    category: z.string().nullable(),
    reason: z.string().nullable(),
    line: z.number().int().nullable(),
    dueOn: z.iso.date().nullable().describe('Until this day a missing counterpart may still come.'),
    exceptionId: z.string().nullable(),
    manual: z
      .object({
        matchId: z.string().describe('The match: the result that it was made as, in the execution that it was made in.'),
        by: z.object({ type: z.string(), id: z.string() }),
        at: instant,
        note: z.string().nullable(),
        approvedBy: z.object({ type: z.string(), id: z.string() }).optional().describe('The second person, where it took one.'),
      })
      .nullable()
      .describe('Who matched it by hand, when and why; null for what the rules found.'),
  })
  .meta({ id: 'Result' });

const tryBody = z.strictObject({ rules, note: z.string().max(1_000).optional() });

const byId = z.object({ id: executionId });

export const executionRoutes = (endpoint: Endpoints['endpoint'], { queries, store, definitions, newId }: ExecutionNeeds): void => {
  const answer = async (status: number, organizationId: string, id: string, headers: Record<string, string> = {}) => {
    const found = await queries.read(organizationId, id);
    if (found === undefined) throw notFound('execution');
    return resource(status, found.view, found.revision, headers);
  };

  endpoint('createExecution', {
    params: z.object({ id: jobId }),
    body: runBody,
    answers: { 202: executionAnswer },
    prepare: async ({ params, body, principal }) => planExecution(await definitions.read(params.id, principal), body),
    handle: async ({ principal, address }, planned) => {
      const id = newId();
      await store.queue(id, planned, { principal, address });
      return answer(202, principal.organizationId, id, { location: `/v1/executions/${id}` });
    },
  });

  endpoint('tryRules', {
    params: byId,
    body: tryBody,
    answers: { 202: executionAnswer },
    prepare: async ({ params, principal }) => {
      const found = await queries.read(principal.organizationId, params.id);
      if (found === undefined) throw notFound('execution');
      requireRunnable(await definitions.read(found.view.jobId, principal));
    },
    handle: async ({ params, body, principal, address }) => {
      const id = newId();
      await store.tryRules(id, params.id, { rules: body.rules, note: body.note ?? null }, { principal, address });
      return answer(202, principal.organizationId, id, { location: `/v1/executions/${id}` });
    },
  });

  endpoint('listExecutions', {
    query: z.strictObject({ ...pageQuery, jobId: jobId.optional(), status: executionStatus.optional(), since: instantInput.optional() }),
    answers: { 200: pageOf(executionAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readExecution', {
    params: byId,
    answers: { 200: executionAnswer },
    handle: ({ params, principal }) => answer(200, principal.organizationId, params.id),
  });

  endpoint('cancelExecution', {
    params: byId,
    answers: { 202: executionAnswer },
    handle: async ({ params, principal, address }) => {
      await store.cancel(params.id, { principal, address });
      return answer(202, principal.organizationId, params.id);
    },
  });

  endpoint('listResults', {
    params: byId,
    query: z.strictObject({ ...pageQuery, ...resultQuery }),
    answers: { 200: pageOf(resultAnswer) },
    refuses: [409, 410],
    handle: async ({ params, principal, query }) => {
      const page = await queries.results(principal.organizationId, params.id, query);
      if (page === undefined) throw notFound('execution');
      return { status: 200, body: page };
    },
  });
};
