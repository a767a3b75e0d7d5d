import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import type { Principal } from '@settler/chassis/principal';
import { validationRefusal } from '@settler/chassis/problem';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { exceptionCategory, exceptionResolution, exceptionSeverity, manualResolution } from '@settler/contracts/events/executions';
import { exceptionId, executionId, jobId, userId } from '@settler/contracts/ids';
import { currency, decimal, total } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Decide, ExceptionStore } from '../application/exceptions.ts';
import type { Members } from '../application/ports.ts';
import type { ExecutionQueries } from '../application/queries.ts';
import { changeException, reopenException } from '../domain/exception-life.ts';
import { ageBuckets } from '../domain/exceptions.ts';
import { sides } from '../domain/side.ts';
import { approvalAnswer } from './approvals.ts';
import {
  comment as aComment,
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
  readonly members: Members;
  readonly newIds: { readonly comment: () => string; readonly approval: () => string };
}

const statuses = ['open', 'in_progress', 'resolved', 'dismissed'] as const;
export const exceptionStatus = z.enum(statuses);
const record = z.record(z.string(), z.unknown());
const listed = z
  .object({
    id: exceptionId,
    jobId,
    executionId: executionId.describe('The execution that opened it.'),
    category: exceptionCategory.describe('What is wrong.'),
    severity: exceptionSeverity.describe('Of the money at stake, what is wrong, and how long it waits; or as a person has set it.'),
    status: exceptionStatus.describe(
      '`open` and `in_progress` need a person. `resolved` says what became of it, `dismissed` that it needs nobody.',
    ),
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

/** What may be changed of one, or of many. */
export const changing = {
  assigneeId: userId.nullable().optional().describe('Whose it is; null for nobody.'),
  status: z
    .enum(['open', 'in_progress', 'dismissed'], {
      error: 'must be open, in_progress or dismissed; /resolve resolves, and /reopen reopens',
    })
    .optional()
    .describe('`in_progress`: somebody works on it. `dismissed`: it needs nobody, and its record goes on as before.'),
  severity: exceptionSeverity.optional().describe('Set by hand, it stays: the rules decide it no more.'),
};
export const saysSomething = (fields: object): boolean => Object.values(fields).some((value) => value !== undefined);
const changeBody = z.strictObject(changing).refine(saysSomething, 'must change something');
const note = z.string().trim().min(1, 'must not be empty').max(2_000).optional().describe('Why, for the history.');
/** How one is resolved, or many. */
export const resolving = {
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
      status: groupsOf(exceptionStatus),
      category: groupsOf(exceptionCategory),
      severity: groupsOf(exceptionSeverity).describe('As urgent as they are now.'),
      age: groupsOf(z.enum(ageBuckets)).describe('Whole days since Settler first saw the record; `90+` is more than 90.'),
      assignee: groupsOf(z.string().nullable()).describe('Null: nobody’s. At most a hundred.'),
      job: groupsOf(jobId).describe('At most a hundred.'),
    }),
  })
  .meta({ id: 'ExceptionSummary' });

const byId = z.object({ id: exceptionId });

/** @throws Refusal `validation_failed` */
export const requireMember = async (members: Members, assigneeId: string | null | undefined, principal: Principal): Promise<void> => {
  const isWhoAsks = principal.kind === 'user' && assigneeId === principal.id;
  if (assigneeId === undefined || assigneeId === null || isWhoAsks || (await members.isActive(assigneeId, principal))) return;
  throw validationRefusal([{ path: 'assigneeId', message: 'must be a member of the organization who is not disabled' }]);
};

export const exceptionRoutes = (endpoint: Endpoints['endpoint'], needs: ExceptionNeeds): void => {
  const { queries, store, members, newIds } = needs;
  const answer = async (organizationId: string, id: string, status = 200) => {
    const found = await queries.exception(organizationId, id);
    if (found === undefined) throw notFound('exception');
    return resource(status, found.view, found.revision);
  };
  const deciding = async ({ params, ifMatch, principal, address }: Input<{ id: string }>, decide: Decide) => {
    await store.decide(params.id, ifMatch, { principal, address }, decide);
    return answer(principal.organizationId, params.id);
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
    prepare: ({ body, principal }) => requireMember(members, body.assigneeId, principal),
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
