import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { executionStatus, executionStatuses } from '@settler/contracts/events/executions';
import { executionSummary, outcome } from '@settler/contracts/executions';
import { executionId, fileId, jobId } from '@settler/contracts/ids';
import { decimal } from '@settler/contracts/money';
import { rules } from '@settler/contracts/rules';
import { day, instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import { planExecution, requireRunnable } from '../application/commands/plan-execution.ts';
import type { Definitions, ExecutionStore } from '../application/ports.ts';
import type { ExecutionQueries } from '../application/queries.ts';
import { sides } from '../domain/side.ts';
import { completedExecution, newExecutions, queuedExecution, resultsPage, triedExecution, triedRules } from './examples.ts';
import { oneOfSeveral } from './one-of-several.ts';

export interface ExecutionNeeds {
  readonly queries: ExecutionQueries;
  readonly store: ExecutionStore;
  readonly definitions: Definitions;
  readonly newId: () => string;
}

/** Whether it is an object, the adapter says: a schema would name every one that is not, and keep everybody waiting. */
const inlineRecord = z.custom<Readonly<Record<string, unknown>>>().meta({
  type: 'object',
  description: 'Its fields, such as `id`, `amount`, `currency`, `date` and `reference`: those of the adapter, and any others.',
  additionalProperties: true,
});
const runInput = z
  .strictObject({
    fileId: fileId.optional().describe('A file that was uploaded before, for an adapter that reads files.'),
    records: z.array(inlineRecord).max(500_000).optional().describe('The records themselves, at most 500,000, for the `records` adapter.'),
  })
  .refine((input) => (input.fileId === undefined) !== (input.records === undefined), 'must have either fileId or records');
const runBody = z.strictObject({
  source: runInput.optional().describe('The input of the source, in place of the one that the job names: either a file or records.'),
  target: runInput.optional().describe('The input of the target, in the same way.'),
  dryRun: z.boolean().default(false).describe('Matches and reports, and stores no results and no exceptions.'),
  overlap: z.boolean().default(false).describe('Queues this run behind one that is queued or running, in place of a 409.'),
  period: z
    .strictObject(
      { from: day.describe('The first day.'), to: day.describe('The last day, included.') },
      'must be an object such as {"from": "2026-04-01", "to": "2026-04-30"}',
    )
    .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before `from`' })
    .optional()
    .describe(
      'Only records of these days are taken, both included. Open items take part besides, and so do records without a date, which `problems` tells; where no record of a side has one, the run fails with `no_dates`.',
    ),
  note: z.string().max(1_000).optional().describe('For people: why it is run.'),
});

const inputFile = z.object({
  fileId: fileId.describe('The file.'),
  sha256: z.string().describe('The hash of its bytes, in hexadecimal digits.'),
});

export const executionAnswer = z
  .object({
    id: executionId,
    jobId,
    jobVersion: z.number().int().describe('The configuration of the job that it runs.'),
    status: executionStatus.describe('`queued` and `running` go on; `completed`, `failed` and `cancelled` are over for good.'),
    progress: z
      .object({
        stage: z.enum(['queued', 'reading', 'matching', 'writing', 'done']).describe('What is being done.'),
        done: z.number().int().describe('How much of this stage is done.'),
        total: z.number().int().nullable().describe('How much there is to do; null while it cannot be known.'),
      })
      .describe('How far it has come.'),
    summary: executionSummary.nullable().describe('What it found; null until it has completed.'),
    error: z
      .object({
        code: z.string().describe('For programs, such as `no_such_column`; the reference of errors lists them.'),
        message: z.string().describe('For people.'),
        side: z.string().optional().describe('`source` or `target`, where it is of one.'),
        line: z.number().int().optional().describe('Of the file, where there is one.'),
      })
      .nullable()
      .describe('Why it has failed; null where it has not.'),
    problems: z
      .array(
        z.object({
          side: z.string().describe('`source` or `target`.'),
          code: z
            .string()
            .describe(
              'For programs, such as `no_records`, `nothing_readable`, `mixed_encoding`, `too_few_rows`, `no_date` and `no_such_field`.',
            ),
          message: z.string().describe('For people.'),
          line: z.number().int().optional().describe('Of the file: the first one of its kind.'),
        }),
      )
      .describe(
        'What is probably not meant as it was said: `no_such_field`, a rule about a field that no record has; `no_date`, records without one in a run of a period; `items_without_id`, open items from before the records had ids; `nothing_readable`; `no_records`, a side that has brought none.',
      ),
    dryRun: z.boolean().describe('Whether it stores no results and no exceptions.'),
    inputs: z
      .object({
        source: inputFile
          .nullable()
          .describe('Of the source; null where its records came otherwise, of a trial, and of a run that is older than this field.'),
        target: inputFile.nullable().describe('Of the target.'),
      })
      .describe('Which files it reads, also once they are deleted.'),
    period: z.object({ from: day, to: day }).nullable().describe('The days whose records it takes; null for all.'),
    note: z.string().nullable().describe('For people. A scheduled run says here which time it is of.'),
    triedOn: executionId.nullable().describe('Of a trial of other rules: the execution on whose records it is one.'),
    waitingFor: z
      .string()
      .nullable()
      .describe(
        'Why it waits, where that is not just for a free worker: for which other run of its job, or what became of its last attempt.',
      ),
    attempt: z.number().int().describe('How often a worker has begun it; after five it fails.'),
    createdBy: actor.describe('Who ran it; the system, where a schedule was due.'),
    createdAt: instant.describe('When it was accepted.'),
    startedAt: instant.nullable().describe('When a worker first began it.'),
    completedAt: instant.nullable().describe('When it was over, however it ended.'),
    resultsDroppedAt: instant
      .nullable()
      .describe('Since when its results are gone, which are kept for a time (`RESULTS_RETENTION_MONTHS`); its report stays.'),
  })
  .meta({ id: 'Execution' });

/** What results are narrowed by, in the list and in a file. */
export const resultQuery = {
  outcome: outcome.optional().describe('Only results of this outcome.'),
  pass: z.string().max(200).optional().describe('Only what the pass of this name has decided.'),
  q: z.string().min(1).max(200).optional().describe('Is contained in an id, reference, counterparty or description, in capitals or not.'),
  minAmount: decimal.optional().describe('A record of it has at least this amount, whatever its sign and its currency.'),
};

const record = z.record(z.string(), z.unknown());
export const resultAnswer = z
  .object({
    id: z.string().describe('Id of the result: `res_` and 26 characters.'),
    outcome,
    source: z.array(record).describe('Its records of the source; none, one, or several of a group.'),
    target: z.array(record).describe('Its records of the target.'),
    pass: z.string().nullable().describe('Null of what was matched by hand, or in an earlier run.'),
    cardinality: z.string().nullable().describe('How many met how many, such as `many-to-one`; null where nobody met.'),
    score: z.number().nullable().describe('How well they agree: 0 to 1.'),
    margin: z.number().nullable().describe('What would be lost of the score if this match were forbidden: 0 where another one is as good.'),
    delta: z
      .object({
        amount: z
          .string()
          .nullable()
          .describe(
            'Of what a condition on amounts, or the sum of a group, has compared, in the currency of the target; null where none has.',
          ),
        days: z.number().int().nullable().describe('Of the calendar, between what a condition on dates has compared; null where none has.'),
        fromExpected: z.string().optional().describe('Where there is a fee: target − what was to arrive after it.'),
      })
      .nullable()
      .describe('By how much they differ: target − source. Of a match by hand, amounts of one currency and dates of two records.'),
    conditions: z
      .array(record)
      .describe('What was compared: `field`, `type`, `source`, `target`, `delta` where there is one, `score`, and whether it `passed`.'),
    category: z.string().nullable().describe('What is wrong, as an exception would say; null for what needs nobody.'),
    reason: z.string().nullable().describe('Why, for people, where there is more to say.'),
    line: z.number().int().nullable().describe('Of the file, for a record that could not be read.'),
    dueOn: z.iso.date().nullable().describe('Until this day a missing counterpart may still come.'),
    exceptionId: z.string().nullable().describe('The exception that follows it up; null where it needs nobody.'),
    manual: z
      .object({
        matchId: z.string().describe('The match: the result that it was made as, in the execution that it was made in.'),
        by: actor.describe('Who matched them.'),
        at: instant,
        note: z.string().nullable().describe('Why they belong together.'),
        approvedBy: actor.optional().describe('The second person, where it took one.'),
      })
      .nullable()
      .describe('Who matched it by hand, when and why; null for what the rules found.'),
    runnerUp: z
      .object({
        side: z.enum(sides).describe('On which side it stands: one of the two records of the match could have been matched with it.'),
        record: record.describe('Itself, as this run had it.'),
        score: z.number().describe('Of that pair: 0 to 1.'),
      })
      .nullable()
      .describe('Who came next in the same pass; null where nobody competed, and of groups.'),
  })
  .meta({ id: 'Result' });

const tryBody = z.strictObject({ rules, note: z.string().max(1_000).optional().describe('For people: what is tried.') });

const byId = z.object({ id: executionId });

export const executionRoutes = (endpoint: Endpoints['endpoint'], { queries, store, definitions, newId }: ExecutionNeeds): void => {
  const answer = async (status: number, organizationId: string, id: string, headers: Record<string, string> = {}) => {
    const found = await queries.read(organizationId, id);
    if (found === undefined) throw notFound('execution');
    return resource(status, found.view, found.revision, headers);
  };

  endpoint('createExecution', {
    description:
      'The run is queued: 202 says that it was accepted, and `Location` where to read it. Follow it with `GET /v1/executions/{id}/events`, or read it until it is over. `conflict` where the job is queued or running already, unless `overlap` is true, and where it is archived; a paused job runs. What does not fit the adapter, and files that are not there, are `validation_failed`; what shows only in the input itself ends the run as `failed`, with a code in `error`.',
    params: z.object({ id: jobId }),
    body: runBody,
    answers: { 202: executionAnswer },
    examples: { bodies: newExecutions, answers: { 202: queuedExecution } },
    prepare: async ({ params, body, principal }) => planExecution(await definitions.read(params.id, principal), body),
    handle: async ({ principal, address }, planned) => {
      const id = newId();
      await store.queue(id, planned, { principal, address });
      return answer(202, principal.organizationId, id, { location: `/v1/executions/${id}` });
    },
  });

  endpoint('tryRules', {
    description:
      'A dry run of these rules on the records that the execution has stored: it changes neither the job nor anything else, and its report has a `comparison` with that execution. It is queued: 202 names it, and it is followed as every run is. `conflict` where the execution has not completed, is a dry run or has no results any more, and where its job is archived.',
    params: byId,
    body: tryBody,
    answers: { 202: executionAnswer },
    examples: { bodies: triedRules, answers: { 202: triedExecution } },
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
    description: 'Newest first, dry runs and trials included.',
    query: z.strictObject({
      ...pageQuery,
      jobId: jobId.optional().describe('Only runs of this job.'),
      status: oneOfSeveral(executionStatuses)
        .optional()
        .describe(`One of ${executionStatuses.join(', ')}, or several with commas between: \`queued,running\` is what is not over.`),
      since: instantInput.optional().describe('Only runs that were accepted at this moment or later.'),
    }),
    answers: { 200: pageOf(executionAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readExecution', {
    description: 'How far it has come, and what it found. What it found in detail are its results, its exceptions and its report.',
    params: byId,
    answers: { 200: executionAnswer },
    examples: { answers: { 200: completedExecution } },
    handle: ({ params, principal }) => answer(200, principal.organizationId, params.id),
  });

  endpoint('cancelExecution', {
    description:
      'A queued execution is cancelled on the spot. One that runs is told so, and is `cancelled` a moment later unless it has ended by then: 202 is no promise; read it, or follow its events. It has no results. Asking again while it still runs is the same as once; one that is over is a `conflict`, and so is one that is cancelled by then.',
    params: byId,
    answers: { 202: executionAnswer },
    examples: { answers: { 202: { ...queuedExecution, status: 'cancelled', completedAt: '2026-04-02T09:30:00.500Z' } } },
    handle: async ({ params, principal, address }) => {
      await store.cancel(params.id, { principal, address });
      return answer(202, principal.organizationId, params.id);
    },
  });

  endpoint('listResults', {
    description:
      'Every record of the run is in exactly one result. They come in a fixed order, those that need a person first, and not by time. An execution that has not completed is a `conflict`, one whose results are kept no longer is `gone`; a dry run has an empty list.',
    params: byId,
    query: z.strictObject({ ...pageQuery, ...resultQuery }),
    answers: { 200: pageOf(resultAnswer) },
    examples: { answers: { 200: resultsPage } },
    refuses: [409, 410],
    handle: async ({ params, principal, query }) => {
      const page = await queries.results(principal.organizationId, params.id, query);
      if (page === undefined) throw notFound('execution');
      return { status: 200, body: page };
    },
  });
};
