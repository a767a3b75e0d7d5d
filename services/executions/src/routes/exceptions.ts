import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import type { Principal } from '@settler/chassis/principal';
import { validationRefusal } from '@settler/chassis/problem';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { exceptionCategory, exceptionResolution, exceptionSeverity, manualResolution } from '@settler/contracts/events/executions';
import { outcome } from '@settler/contracts/executions';
import { exceptionId, executionId, jobId, userId } from '@settler/contracts/ids';
import { currency, decimal, total } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Decide, ExceptionStore, Wanted } from '../application/exceptions.ts';
import { type explainException, explainReasons } from '../application/explain.ts';
import type { Members } from '../application/ports.ts';
import type { ExceptionFilter, ExecutionQueries } from '../application/queries.ts';
import { changeException, reopenException } from '../domain/exception-life.ts';
import { ageBuckets } from '../domain/exceptions.ts';
import { sides } from '../domain/side.ts';
import { approvalAnswer } from './approvals.ts';
import {
  comment as aComment,
  explanation as anExplanation,
  bulkChanged,
  bulkChanges,
  bulkOutcome,
  bulkResolutions,
  changedException,
  exceptionChanges,
  listedException,
  newComments,
  resolutions,
  resolvedException,
  summedUp,
  waitingException,
  wholeException,
} from './examples.ts';
import { oneOfSeveral } from './one-of-several.ts';

export interface ExceptionNeeds {
  readonly queries: ExecutionQueries;
  readonly store: ExceptionStore;
  readonly explain: ReturnType<typeof explainException>;
  readonly members: Members;
  readonly newIds: { readonly comment: () => string; readonly approval: () => string };
}

const statuses = ['open', 'in_progress', 'resolved', 'dismissed'] as const;
const status = z.enum(statuses);
const record = z.record(z.string(), z.unknown());
const listed = z
  .object({
    id: exceptionId,
    jobId,
    executionId: executionId.describe('The execution that opened it.'),
    category: exceptionCategory.describe('What is wrong.'),
    severity: exceptionSeverity.describe('Of the money at stake, what is wrong, and how long it waits; or as a person has set it.'),
    status: status.describe('`open` and `in_progress` need a person. `resolved` says what became of it, `dismissed` that it needs nobody.'),
    records: z
      .array(record)
      .describe(
        'What it is about, as the newest run that had them has brought them: records of the source first, then those of the target.',
      ),
    sides: z.array(z.enum(sides)).describe('On which side each of the records is, in their order: as many as there are records.'),
    delta: z
      .object({
        amount: total.nullable().describe('Of what each side comes to; null where an amount is missing, or there are several currencies.'),
        days: z.number().int().nullable().describe('Of the calendar, between one record and one; null where a date is missing.'),
      })
      .nullable()
      .describe('By how much two sides differ that belong together: target − source. Null where the category is no mismatch.'),
    amount: total.nullable().describe('Of several records: what they come to on the side that has more, in the currency of the first.'),
    currency: z.string().nullable().describe('Of the amount; null where it could not be read.'),
    reason: z.string().nullable().describe('Why, for people, where the category does not say all.'),
    firstSeenAt: instant.describe('When Settler first saw the record without its counterpart.'),
    ageDays: z.number().int().describe('Whole days since then.'),
    assigneeId: z.string().nullable().describe('The user whose it is; null for nobody.'),
    resolution: exceptionResolution.nullable().describe('How it was resolved; null where it is not.'),
    createdAt: instant,
    updatedAt: instant.describe('When a person or a run changed it last.'),
  })
  .meta({ id: 'Exception' });
const comment = z
  .object({
    id: z.string().describe('Id of the comment: `cmt_` and 26 characters.'),
    text: z.string(),
    createdBy: actor,
    createdAt: instant,
  })
  .meta({ id: 'Comment' });
export const exceptionAnswer = z
  .object({
    ...listed.shape,
    pendingApproval: approvalAnswer.nullable().describe('How somebody has resolved it, which waits for a second person.'),
    comments: z.array(comment).describe('Oldest first.'),
    history: z
      .array(
        z.object({
          at: instant,
          actor: actor.describe('Who did it; runs do it as the system.'),
          action: z.string().describe('Such as `opened`, `assigned`, `status_changed`, `resolved` or `reopened`.'),
          detail: record.describe('What there is to say of it: from what to what, the note, the execution.'),
        }),
      )
      .describe('Who did what and when, oldest first; what has been written is never changed.'),
  })
  .meta({ id: 'ExceptionDetail' });

const changing = {
  assigneeId: userId.nullable().optional().describe('Whose it is; null for nobody.'),
  status: z
    .enum(['open', 'in_progress', 'dismissed'], {
      error: 'must be open, in_progress or dismissed; /resolve resolves, and /reopen reopens',
    })
    .optional()
    .describe('`in_progress`: somebody works on it. `dismissed`: it needs nobody, and its record goes on as before.'),
  severity: exceptionSeverity.optional().describe('Set by hand, it stays: the rules decide it no more.'),
};
const saysSomething = (fields: object): boolean => Object.values(fields).some((value) => value !== undefined);
const changeBody = z.strictObject(changing).refine(saysSomething, 'must change something');
const note = z.string().trim().min(1, 'must not be empty').max(2_000).optional().describe('Why, for the history.');
const resolving = {
  resolution: manualResolution.describe(
    'What became of it. With `expected_timing` its record takes part in the next runs, and is matched when the counterpart comes; with every other one it takes part no more, unless its source delivers it again.',
  ),
  note,
};
const resolveBody = z.strictObject(resolving);
const commentBody = z.strictObject({
  text: z.string().trim().min(1, 'must not be empty').max(10_000).describe('Plain text. It cannot be changed or taken back.'),
});

/** What a list may be narrowed to. */
export const exceptionFilters = {
  jobId: jobId.optional().describe('Of this job.'),
  executionId: executionId
    .optional()
    .describe('The execution that opened it. Those of a later run that meet the record again stay those of the first.'),
  status: oneOfSeveral(statuses)
    .optional()
    .describe(`One of ${statuses.join(', ')}, or several with commas between: \`open,in_progress\` is what is not closed.`),
  category: exceptionCategory.optional().describe('Of this category.'),
  severity: exceptionSeverity
    .optional()
    .describe('As urgent as this now: what waits for more than 30 days, and for more than 90, weighs a step more.'),
  resolution: exceptionResolution.optional().describe('Resolved as this.'),
  assignee: z
    .string()
    .refine((text) => text === 'none' || userId.safeParse(text).success, 'must be the id of a user, or none')
    .optional()
    .describe('Whose it is; `none` for what is nobody’s.'),
  currency: currency.optional().describe('With an amount in this currency.'),
  minAmount: decimal
    .optional()
    .describe('Its amount is at least this, whatever its sign; and its currency, unless `currency` is there, too.'),
  q: z.string().min(1).max(200).optional().describe('Is contained in an id, reference, counterparty or description.'),
};

const many = {
  ids: z.array(exceptionId).min(1, 'must name at least one').max(1_000).optional().describe('At most 1,000 of them.'),
  filter: z
    .strictObject(exceptionFilters)
    .refine(saysSomething, 'must narrow the list by at least one of its fields')
    .optional()
    .describe('As the list takes it. Without a status what is not closed is meant; those that have waited longest come first.'),
};
const isEither = ({ ids, filter }: { readonly ids?: unknown; readonly filter?: unknown }): boolean =>
  (ids === undefined) !== (filter === undefined);
const eitherMessage = 'must have either ids or filter';
const wantedOf = (ids: readonly string[] | undefined, filter: ExceptionFilter = {}): Wanted => (ids === undefined ? { filter } : { ids });
const bulkResolveBody = z.strictObject({ ...many, ...resolving }).refine(isEither, eitherMessage);
const bulkChangeBody = z
  .strictObject({ ...many, ...changing })
  .refine(isEither, eitherMessage)
  .refine(({ ids: _, filter: __, ...change }) => saysSomething(change), 'must change something');
const bulkAnswer = z.object({
  data: z.array(
    z.object({
      id: exceptionId,
      status: status.nullable().describe('As it is now; null where there is no such exception.'),
      code: z
        .enum(['not_found', 'conflict', 'approval_required'])
        .optional()
        .describe(
          'Why this call left it as it was; absent where it is as was asked for. `approval_required`: resolve it by itself, and a second person decides.',
        ),
    }),
  ),
  hasMore: z.boolean().describe('Whether the filter finds more on which this can be done than the thousand of one call: ask again.'),
});

const sum = {
  count: z.number().int(),
  amounts: z
    .record(z.string(), total)
    .describe('What they come to by currency, whatever their signs. What has no amount is counted alone.'),
};
const groupsOf = <Value extends z.ZodType>(value: Value) => z.array(z.object({ value, ...sum }));
const summary = z
  .object({
    ...sum,
    by: z.object({
      status: groupsOf(status),
      category: groupsOf(exceptionCategory),
      severity: groupsOf(exceptionSeverity).describe('As urgent as they are now.'),
      age: groupsOf(z.enum(ageBuckets)).describe('Whole days since Settler first saw the record; `90+` is more than 90.'),
      assignee: groupsOf(z.string().nullable()).describe('Null: nobody’s. At most a hundred.'),
      job: groupsOf(jobId).describe('At most a hundred.'),
    }),
  })
  .meta({ id: 'ExceptionSummary' });

const gain = z.object({
  records: z.number().int().describe('Source records.'),
  amounts: z.record(z.string(), total).describe('What they come to, by currency.'),
});
const explanation = z
  .object({
    executionId: executionId.nullable().describe('The run that is explained: the last one that the record took part in.'),
    candidates: z.array(
      z.object({
        record: record.describe('As the run has it.'),
        pass: z.string().describe('The pass of the rules in which it comes nearest.'),
        failed: z
          .array(record)
          .describe('The conditions that failed; none where they hold and the candidate was taken by another, or from this one.'),
        outcome: outcome.nullable().describe('What became of the candidate.'),
        resultId: z.string().nullable().describe('The result that the candidate is in.'),
        smallestChange: z
          .array(
            z.object({
              path: z.string().describe('A place in the rules, in their long form: `passes[0].match[2].within.after`.'),
              from: z.unknown().describe('What it says now.'),
              to: z.unknown().describe('What it would have to say.'),
            }),
          )
          .nullable()
          .describe('The least that would have to give in the rules; null where no change would be right.'),
        effect: z
          .object({
            gained: gain.describe('Matched with the change, and not without.'),
            lost: gain.describe('Matched without the change, and not with it.'),
            moved: gain.describe('Matched with others than now.'),
          })
          .nullable()
          .describe('What that change would do to the source records of this run, found by running the rules with it.'),
        reason: z
          .enum(['budget', 'taken_apart'])
          .optional()
          .describe(
            'Why there is no effect: `budget` where no time was left to find it, `taken_apart` where a person has undone a match of the two, and no change of the rules brings them together.',
          ),
      }),
    ),
    reason: z
      .enum(explainReasons)
      .nullable()
      .describe(
        'Why there can be no candidates: nothing is stored of the run, the record could not be used, the rules leave too many, or there was no time.',
      ),
    basis: z
      .object({
        results: z.number().int().describe('Results that were looked at.'),
        of: z.number().int().describe('Results that the run has.'),
      })
      .nullable()
      .describe('How many results of the run this is from; a large run is explained by those that are near to the record.'),
  })
  .meta({ id: 'Explanation' });

const byId = z.object({ id: exceptionId });

export const exceptionRoutes = (endpoint: Endpoints['endpoint'], needs: ExceptionNeeds): void => {
  const { queries, store, explain, members, newIds } = needs;
  const answer = async (organizationId: string, id: string, status = 200) => {
    const found = await queries.exception(organizationId, id);
    if (found === undefined) throw notFound('exception');
    return resource(status, found.view, found.revision);
  };
  const deciding = async ({ params, ifMatch, principal, address }: Input<{ id: string }>, decide: Decide) => {
    await store.decide(params.id, ifMatch, { principal, address }, decide);
    return answer(principal.organizationId, params.id);
  };

  const requireMember = async (assigneeId: string | null | undefined, principal: Principal): Promise<void> => {
    const isWhoAsks = principal.kind === 'user' && assigneeId === principal.id;
    if (assigneeId === undefined || assigneeId === null || isWhoAsks || (await members.isActive(assigneeId, principal))) return;
    throw validationRefusal([{ path: 'assigneeId', message: 'must be a member of the organization who is not disabled' }]);
  };

  endpoint('listExceptions', {
    description:
      'Newest first. Several filters narrow it together. There is one open exception per record of a job: a run that meets the record again brings the exception up to date, and opens no other.',
    query: z.strictObject({ ...pageQuery, ...exceptionFilters }),
    answers: { 200: pageOf(listed) },
    examples: { answers: { 200: { data: [listedException], nextCursor: null } } },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.exceptions(principal.organizationId, query) }),
  });

  endpoint('summarizeExceptions', {
    description:
      'What the list comes to, narrowed as it is: how many, and how much by currency, whatever the signs; and the same by status, category, urgency, age, assignee and job. Those with the most come first, ages from young to old. Without a `status` what is closed is among it: `open,in_progress` is what needs somebody.',
    query: z.strictObject(exceptionFilters),
    answers: { 200: summary },
    examples: { answers: { 200: summedUp } },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.exceptionSummary(principal.organizationId, query) }),
  });

  endpoint('readException', {
    description: 'With its comments, what waits for a second person, and the newest 1,000 lines of its history.',
    params: byId,
    answers: { 200: exceptionAnswer },
    examples: { answers: { 200: wholeException } },
    handle: ({ params, principal }) => answer(principal.organizationId, params.id),
  });

  endpoint('updateException', {
    description:
      'The assignee has to be a member who is not disabled: `validation_failed`. A closed exception is changed by nothing but reopening it: `conflict`; so is dismissing what takes a second person. Send the ETag as `If-Match` to change only what you have read.',
    params: byId,
    body: changeBody,
    answers: { 200: exceptionAnswer },
    examples: { bodies: exceptionChanges, answers: { 200: changedException } },
    prepare: ({ body, principal }) => requireMember(body.assigneeId, principal),
    handle: (input) => deciding(input, (state) => changeException(state, input.body)),
  });

  endpoint('resolveException', {
    description:
      '200: it is resolved. 202: it takes a second person, because the rules say so of its amount, and is as open as before; `pendingApproval` has what waits, which is decided with `POST /v1/approvals/{id}/approve` or `…/reject`, and withdrawn with `…/withdraw`. `conflict` where it is closed, or waits already. To bring its record together with another one, match the two instead.',
    refuses: [412],
    params: byId,
    body: resolveBody,
    answers: { 200: exceptionAnswer, 202: exceptionAnswer },
    examples: { bodies: resolutions, answers: { 200: resolvedException, 202: waitingException } },
    handle: async ({ params, ifMatch, body: { resolution, note: said = null }, principal, address }) => {
      const became = await store.resolve(params.id, ifMatch, { resolution, note: said }, newIds.approval(), { principal, address });
      return answer(principal.organizationId, params.id, became === 'pending' ? 202 : 200);
    },
  });

  endpoint('reopenException', {
    description:
      'It is `open` again, without a resolution, and its record takes part in the next run, whatever the resolution was. `conflict` where it is not closed, where a newer exception is open for the same record, where a later run has the record in another version, and where it is matched: the answer names the match, which is to be undone instead.',
    refuses: [412],
    params: byId,
    answers: { 200: exceptionAnswer },
    handle: (input) => deciding(input, reopenException),
  });

  endpoint('resolveExceptions', {
    description:
      'At most a thousand, in one transaction, and each with an outcome of its own: 200 says that the call was carried out, and `code` why one was left as it is. Of what a filter finds, those that can be resolved and have waited longest come first; where `hasMore` is true, ask again, with another `Idempotency-Key`.',
    body: bulkResolveBody,
    answers: { 200: bulkAnswer },
    examples: { bodies: bulkResolutions, answers: { 200: bulkOutcome } },
    handle: async ({ body: { ids, filter, resolution, note: said = null }, principal, address }) => ({
      status: 200,
      body: await store.resolveMany(wantedOf(ids, filter), { resolution, note: said }, { principal, address }),
    }),
  });

  endpoint('updateExceptions', {
    description:
      'What one exception takes, for at most a thousand, in one transaction, and each with an outcome of its own: 200 says that the call was carried out, and `code` why one was left as it is. Of what a filter finds, those that this changes and that have waited longest come first; where `hasMore` is true, ask again, with another `Idempotency-Key`. The assignee has to be a member who is not disabled: `validation_failed`.',
    body: bulkChangeBody,
    answers: { 200: bulkAnswer },
    examples: { bodies: bulkChanges, answers: { 200: bulkChanged } },
    prepare: ({ body, principal }) => requireMember(body.assigneeId, principal),
    handle: async ({ body: { ids, filter, ...change }, principal, address }) => ({
      status: 200,
      body: await store.changeMany(wantedOf(ids, filter), change, { principal, address }),
    }),
  });

  endpoint('explainException', {
    description:
      'Looks through the last run that the record took part in: who came nearest, which conditions failed, the least that would have to give in the rules, and what else that would do. It is computed anew each time and takes seconds for large runs; where too many ask at once, or the run cannot be searched in time, the answer is `upstream_unavailable`.',
    params: byId,
    answers: { 200: explanation },
    examples: { answers: { 200: anExplanation } },
    handle: async ({ params, principal }) => {
      const body = await explain(principal.organizationId, params.id);
      if (body === undefined) throw notFound('exception');
      return { status: 200, body };
    },
  });

  endpoint('commentException', {
    description: 'Comments can only be added, to a closed exception as well. `conflict` where it has as many as it may have.',
    params: byId,
    body: commentBody,
    answers: { 201: comment },
    examples: { bodies: newComments, answers: { 201: aComment } },
    handle: async ({ params, body, principal, address }) => ({
      status: 201,
      body: await store.comment(params.id, { id: newIds.comment(), text: body.text }, { principal, address }),
    }),
  });
};
