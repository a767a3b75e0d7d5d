import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import type { Principal } from '@settler/chassis/principal';
import { validationRefusal } from '@settler/chassis/problem';
import { notFound } from '@settler/chassis/refusal';
import { exceptionCategory, exceptionResolution, exceptionSeverity, manualResolution } from '@settler/contracts/events/executions';
import { outcome } from '@settler/contracts/executions';
import { exceptionId, executionId, jobId, userId } from '@settler/contracts/ids';
import { currency, decimal } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Decide, ExceptionStore } from '../application/exceptions.ts';
import { type explainException, explainReasons } from '../application/explain.ts';
import type { Members } from '../application/ports.ts';
import type { ExecutionQueries } from '../application/queries.ts';
import { changeException, reopenException } from '../domain/exception-life.ts';
import { approvalAnswer } from './approvals.ts';

export interface ExceptionNeeds {
  readonly queries: ExecutionQueries;
  readonly store: ExceptionStore;
  readonly explain: ReturnType<typeof explainException>;
  readonly members: Members;
  readonly newIds: { readonly comment: () => string; readonly approval: () => string };
}

const status = z.enum(['open', 'in_progress', 'resolved', 'dismissed']);
const record = z.record(z.string(), z.unknown());
const listed = z
  .object({
    id: exceptionId,
    jobId,
    executionId,
    category: exceptionCategory,
    severity: exceptionSeverity.describe('Of the money at stake, what is wrong, and how long it waits; or as a person has set it.'),
    status,
    records: z.array(record),
    amount: decimal.nullable().describe('Of several records: what they come to on the side that has more, in the currency of the first.'),
    currency: z.string().nullable(),
    reason: z.string().nullable(),
    firstSeenAt: instant,
    ageDays: z.number().int(),
    assigneeId: z.string().nullable(),
    resolution: exceptionResolution.nullable(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Exception' });
const actor = z.object({ type: z.string(), id: z.string() });
const comment = z.object({ id: z.string(), text: z.string(), createdBy: actor, createdAt: instant }).meta({ id: 'Comment' });
const whole = z
  .object({
    ...listed.shape,
    pendingApproval: approvalAnswer.nullable().describe('How somebody has resolved it, which waits for a second person.'),
    comments: z.array(comment).describe('Oldest first.'),
    history: z
      .array(z.object({ at: instant, actor, action: z.string(), detail: record }))
      .describe('Who did what and when, oldest first; what has been written is never changed.'),
  })
  .meta({ id: 'ExceptionDetail' });

const changeBody = z
  .strictObject({
    assigneeId: userId.nullable().optional().describe('Whose it is; null for nobody.'),
    status: z
      .enum(['open', 'in_progress', 'dismissed'], {
        error: 'must be open, in_progress or dismissed; /resolve resolves, and /reopen reopens',
      })
      .optional(),
    severity: exceptionSeverity.optional().describe('Set by hand, it stays: the rules decide it no more.'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something');
const note = z.string().trim().min(1, 'must not be empty').max(2_000).optional();
const resolveBody = z.strictObject({ resolution: manualResolution, note });
const commentBody = z.strictObject({ text: z.string().trim().min(1, 'must not be empty').max(10_000) });

/** What a list may be narrowed to. */
const filters = {
  jobId: jobId.optional(),
  executionId: executionId.optional().describe('The execution that opened it.'),
  status: status.optional(),
  category: exceptionCategory.optional(),
  severity: exceptionSeverity.optional(),
  resolution: exceptionResolution.optional(),
  assignee: z
    .string()
    .refine((text) => text === 'none' || userId.safeParse(text).success, 'must be the id of a user, or none')
    .optional()
    .describe('Whose it is; `none` for what is nobody’s.'),
  currency: currency.optional(),
  minAmount: decimal
    .optional()
    .describe('Its amount is at least this, whatever its sign; and its currency, unless `currency` is there, too.'),
  q: z.string().min(1).max(200).optional().describe('Is contained in an id, reference, counterparty or description.'),
};

const bulkBody = z
  .strictObject({
    ids: z.array(exceptionId).min(1, 'must name at least one').max(1_000).optional(),
    filter: z
      .strictObject(filters)
      .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'must narrow the list by at least one of its fields')
      .optional()
      .describe('As the list takes it. Without a status what is not closed is meant; those that have waited longest come first.'),
    resolution: manualResolution,
    note,
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'must have either ids or filter');
const bulkAnswer = z.object({
  data: z.array(
    z.object({
      id: exceptionId,
      status: status.nullable().describe('As it is now; null where there is no such exception.'),
      code: z
        .enum(['not_found', 'conflict', 'approval_required'])
        .optional()
        .describe(
          'Why it was not resolved by this call; absent where it was. `approval_required`: resolve it by itself, and a second person decides.',
        ),
    }),
  ),
  hasMore: z.boolean().describe('Whether the filter finds more that can be resolved than the thousand of one call: ask again.'),
});

const gain = z.object({ records: z.number().int(), amounts: z.record(z.string(), decimal) });
const explanation = z
  .object({
    executionId: executionId.nullable().describe('The run that is explained: the last one that the record took part in.'),
    candidates: z.array(
      z.object({
        record,
        pass: z.string(),
        failed: z
          .array(record)
          .describe('The conditions that failed; none where they hold and the candidate was taken by another, or from this one.'),
        outcome: outcome.nullable().describe('What became of the candidate.'),
        resultId: z.string().nullable(),
        smallestChange: z
          .array(z.object({ path: z.string(), from: z.unknown(), to: z.unknown() }))
          .nullable()
          .describe('The least that would have to give in the rules; null where no change would be right.'),
        effect: z
          .object({ gained: gain, lost: gain, moved: gain })
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
      .object({ results: z.number().int(), of: z.number().int() })
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
    query: z.strictObject({ ...pageQuery, ...filters }),
    answers: { 200: pageOf(listed) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.exceptions(principal.organizationId, query) }),
  });

  endpoint('readException', {
    params: byId,
    answers: { 200: whole },
    handle: ({ params, principal }) => answer(principal.organizationId, params.id),
  });

  endpoint('updateException', {
    params: byId,
    body: changeBody,
    answers: { 200: whole },
    prepare: ({ body, principal }) => requireMember(body.assigneeId, principal),
    handle: (input) => deciding(input, (state) => changeException(state, input.body)),
  });

  endpoint('resolveException', {
    refuses: [412],
    params: byId,
    body: resolveBody,
    answers: { 200: whole, 202: whole },
    handle: async ({ params, ifMatch, body: { resolution, note: said = null }, principal, address }) => {
      const became = await store.resolve(params.id, ifMatch, { resolution, note: said }, newIds.approval(), { principal, address });
      return answer(principal.organizationId, params.id, became === 'pending' ? 202 : 200);
    },
  });

  endpoint('reopenException', {
    refuses: [412],
    params: byId,
    answers: { 200: whole },
    handle: (input) => deciding(input, reopenException),
  });

  endpoint('resolveExceptions', {
    body: bulkBody,
    answers: { 200: bulkAnswer },
    handle: async ({ body: { ids, filter = {}, resolution, note: said = null }, principal, address }) => {
      const wanted = ids === undefined ? { filter } : { ids };
      return { status: 200, body: await store.resolveMany(wanted, { resolution, note: said }, { principal, address }) };
    },
  });

  endpoint('explainException', {
    params: byId,
    answers: { 200: explanation },
    handle: async ({ params, principal }) => {
      const body = await explain(principal.organizationId, params.id);
      if (body === undefined) throw notFound('exception');
      return { status: 200, body };
    },
  });

  endpoint('commentException', {
    params: byId,
    body: commentBody,
    answers: { 201: comment },
    handle: async ({ params, body, principal, address }) => ({
      status: 201,
      body: await store.comment(params.id, { id: newIds.comment(), text: body.text }, { principal, address }),
    }),
  });
};
