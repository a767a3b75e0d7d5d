import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { executionId, resultId } from '@settler/contracts/ids';
import { z } from 'zod';
import { type MatchStore, matchRevision } from '../application/matches.ts';
import { approvalAnswer } from './approvals.ts';
import { resultAnswer } from './executions.ts';

export interface MatchNeeds {
  readonly matches: MatchStore;
  readonly newIds: () => { readonly result: string; readonly approval: string };
}

const recordIds = (side: string) =>
  z
    .array(z.string().min(1).max(1_000))
    .min(1, 'must name at least one record')
    .max(100)
    .describe(`Ids of ${side} records; for one that has no id, the id of the result that it stands alone in.`);

const matchBody = z.strictObject({
  source: recordIds('source'),
  target: recordIds('target'),
  note: z.string().trim().min(1, 'must not be empty').max(2_000).optional().describe('Why they belong together.'),
});

export const matchRoutes = (endpoint: Endpoints['endpoint'], { matches, newIds }: MatchNeeds): void => {
  endpoint('createMatch', {
    params: z.object({ id: executionId }),
    body: matchBody,
    answers: { 201: resultAnswer, 202: approvalAnswer },
    handle: async ({ params, body: { source, target, note = null }, principal, address }) => {
      const made = await matches.create(newIds(), { executionId: params.id, source, target, note }, { principal, address });
      if (made.kind === 'matched') return resource(201, made.result, matchRevision);
      return resource(202, made.approval, 1, { location: `/v1/approvals/${made.approval.id}` });
    },
  });

  endpoint('deleteMatch', {
    params: z.object({ id: executionId, resultId }),
    answers: { 204: null },
    refuses: [409],
    handle: async ({ params, ifMatch, principal, address }) => {
      await matches.remove(params.id, params.resultId, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
