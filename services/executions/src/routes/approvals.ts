import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { approvalStatus, manualResolution } from '@settler/contracts/events/executions';
import { approvalId, exceptionId, executionId, jobId, resultId } from '@settler/contracts/ids';
import { decimal } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { ApprovalQueries, ApprovalStore, Decision } from '../application/approvals.ts';

export interface ApprovalNeeds {
  readonly queries: ApprovalQueries;
  readonly store: ApprovalStore;
  readonly newResultId: () => string;
}

const actor = z.object({ type: z.string(), id: z.string() });
const asked = { note: z.string().nullable() };

export const approvalAnswer = z
  .object({
    id: approvalId,
    status: approvalStatus,
    jobId,
    executionId,
    exceptionId: exceptionId.nullable().describe('What is resolved by it; null where it is a match.'),
    request: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('resolve'), resolution: manualResolution, ...asked }),
        z.object({ kind: z.literal('match'), source: z.array(z.string()), target: z.array(z.string()), ...asked }),
      ])
      .describe('What is done once it is approved.'),
    amount: decimal.nullable().describe('What is at stake, where it is known.'),
    currency: z.string().nullable(),
    requestedBy: actor,
    requestedAt: instant,
    decidedBy: actor.nullable(),
    decidedAt: instant.nullable(),
    note: z.string().nullable().describe('Of whoever decided.'),
    resultId: resultId.nullable().describe('The match that was made.'),
  })
  .meta({ id: 'Approval' });

const decisionBody = z.strictObject({ note: z.string().trim().min(1, 'must not be empty').max(2_000).optional() });
const byId = z.object({ id: approvalId });
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
    query: z.strictObject({ ...pageQuery, jobId: jobId.optional(), status: approvalStatus.optional() }),
    answers: { 200: pageOf(approvalAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readApproval', {
    params: byId,
    answers: { 200: approvalAnswer },
    handle: ({ params, principal }) => answer(principal.organizationId, params.id),
  });

  endpoint('approveApproval', {
    refuses: [412],
    params: byId,
    body: decisionBody,
    answers: { 200: approvalAnswer },
    handle: (input) => decide(input, 'approved'),
  });

  endpoint('rejectApproval', {
    refuses: [412],
    params: byId,
    body: decisionBody,
    answers: { 200: approvalAnswer },
    handle: (input) => decide(input, 'rejected'),
  });
};
