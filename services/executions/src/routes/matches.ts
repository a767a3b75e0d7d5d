import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { executionId, resultId } from '@settler/contracts/ids';
import { z } from 'zod';
import { type MatchStore, matchRevision } from '../application/matches.ts';
import { approvalAnswer } from './approvals.ts';
import { madeMatch, newMatches, pendingMatch } from './examples.ts';
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
    description:
      '201: the records are one match now, the exceptions about them are resolved as `matched_manually`, and later runs keep the match while its records say the same. 202: it takes a second person, because the rules say so of its amount, and nothing is changed yet; the answer is the approval that waits. It takes records of a completed execution that are missing, differ or are ambiguous there. `validation_failed` names an id that no such record has; `conflict` where one is matched already, here or in a later run, or was found otherwise by one that the answer names: match them there.',
    params: z.object({ id: executionId }),
    body: matchBody,
    answers: { 201: resultAnswer, 202: approvalAnswer },
    examples: { bodies: newMatches, answers: { 201: madeMatch, 202: pendingMatch } },
    handle: async ({ params, body: { source, target, note = null }, principal, address }) => {
      const made = await matches.create(newIds(), { executionId: params.id, source, target, note }, { principal, address });
      if (made.kind === 'matched') return resource(201, made.result, matchRevision);
      return resource(202, made.approval, 1, { location: `/v1/approvals/${made.approval.id}` });
    },
  });

  endpoint('deleteMatch', {
    description:
      'Its records are open again, with exceptions, and no later run brings a source record of it together with one of its target records while both say the same; by hand they can be matched again. In the run where somebody made it, results and exceptions are again as they were before, unless what it left over was found or settled otherwise since, and stays so. `conflict` where the result is no match, has more than 10,000 records, or where a later run has one of them in a match, which the answer names and which is to be undone first, or in another version, or with others.',
    params: z.object({ id: executionId, resultId: resultId.describe('The result that is the match: `res_` and 26 characters.') }),
    answers: { 204: null },
    refuses: [409],
    handle: async ({ params, ifMatch, principal, address }) => {
      await matches.remove(params.id, params.resultId, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
