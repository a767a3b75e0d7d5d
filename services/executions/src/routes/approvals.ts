import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { approvalStatus, manualResolution } from '@settler/contracts/events/executions';
import { approvalId, exceptionId, executionId, jobId, resultId } from '@settler/contracts/ids';
import { total } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { ApprovalQueries, ApprovalStore, Decision } from '../application/approvals.ts';
import { approvals, approved, pendingResolution, rejected, rejections, withdrawals, withdrawn } from './examples.ts';

export interface ApprovalNeeds {
  readonly queries: ApprovalQueries;
  readonly store: ApprovalStore;
  readonly newResultId: () => string;
}

const asked = { note: z.string().nullable().describe('What was said with it.') };

export const approvalAnswer = z
  .object({
    id: approvalId,
    status: approvalStatus.describe('`pending` until a second person decides, or whoever asked withdraws it.'),
    jobId,
    executionId: executionId.describe('Of the match, or the one that opened the exception.'),
    exceptionId: exceptionId.nullable().describe('What is resolved by it; null where it is a match.'),
    request: z
      .discriminatedUnion('kind', [
        z.object({
          kind: z.literal('resolve').describe('An exception is resolved.'),
          resolution: manualResolution.describe('How the exception is resolved.'),
          ...asked,
        }),
        z.object({
          kind: z.literal('match').describe('Records are matched.'),
          source: z.array(z.string()).describe('Records of the source, named as the request did.'),
          target: z.array(z.string()).describe('Records of the target, named as the request did.'),
          ...asked,
        }),
      ])
      .describe('What is done once it is approved.'),
    amount: total.nullable().describe('What is at stake, where it is known.'),
    currency: z.string().nullable().describe('Of the amount.'),
    requestedBy: actor.describe('Who has settled it, and cannot decide, but withdraw it.'),
    requestedAt: instant,
    decidedBy: actor.nullable().describe('Who decided, or withdrew it; the system where a run has resolved the exception meanwhile.'),
    decidedAt: instant.nullable(),
    note: z.string().nullable().describe('Of whoever decided.'),
    resultId: resultId.nullable().describe('The match that was made.'),
  })
  .meta({ id: 'Approval' });

const decisionBody = z.strictObject({
  note: z.string().trim().min(1, 'must not be empty').max(2_000).optional().describe('Why, for the others.'),
});
const byId = z.object({ id: approvalId });
/** However it ends. */
const deciding = { refuses: [412], params: byId, body: decisionBody, answers: { 200: approvalAnswer } } as const;
type Deciding = Input<z.output<typeof byId>, unknown, z.output<typeof decisionBody>>;

export const approvalRoutes = (endpoint: Endpoints['endpoint'], { queries, store, newResultId }: ApprovalNeeds): void => {
  const answer = async (organizationId: string, id: string) => {
    const found = await queries.read(organizationId, id);
    if (found === undefined) throw notFound('approval');
    return resource(200, found.view, found.revision);
  };
  const decide = async ({ params, ifMatch, body, principal, address }: Deciding, verdict: Decision['verdict']) => {
    await store.decide(params.id, ifMatch, { verdict, note: body.note ?? null, newResultId: newResultId() }, { principal, address });
    return answer(principal.organizationId, params.id);
  };

  endpoint('listApprovals', {
    description: 'Newest first. There are some where the rules of a job name, in `approval`, what takes a second person.',
    query: z.strictObject({
      ...pageQuery,
      jobId: jobId.optional().describe('Only those of this job.'),
      exceptionId: exceptionId.optional().describe('Only those by which this exception is resolved, or was to be.'),
      status: approvalStatus.optional().describe('Only those of this status.'),
    }),
    answers: { 200: pageOf(approvalAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readApproval', {
    description: 'What is asked for, by whom, and what was decided.',
    params: byId,
    answers: { 200: approvalAnswer },
    examples: { answers: { 200: pendingResolution } },
    handle: ({ params, principal }) => answer(principal.organizationId, params.id),
  });

  endpoint('approveApproval', {
    description:
      'What was asked for is done in this moment, as things stand now, or not at all. `forbidden` for whoever asked, and for API keys of that person. `conflict` where it was decided already, where the exception says something else by now, or where a record was matched: reject it then, and ask anew.',
    ...deciding,
    examples: { bodies: approvals, answers: { 200: approved } },
    handle: (input) => decide(input, 'approved'),
  });

  endpoint('rejectApproval', {
    description:
      'Nothing is done; the exception is as open as it was, and may be settled in another way. `forbidden` for whoever asked, and for API keys of that person. `conflict` where it was decided already.',
    ...deciding,
    examples: { bodies: rejections, answers: { 200: rejected } },
    handle: (input) => decide(input, 'rejected'),
  });

  endpoint('withdrawApproval', {
    description:
      'Nothing is done, and nobody has to decide any more; the exception is as open as it was, and may be settled in another way. `forbidden` for everybody but whoever asked, and API keys of that person. `conflict` where it was decided or withdrawn already.',
    ...deciding,
    examples: { bodies: withdrawals, answers: { 200: withdrawn } },
    handle: (input) => decide(input, 'withdrawn'),
  });
};
