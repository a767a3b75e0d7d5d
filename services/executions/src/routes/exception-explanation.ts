import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound } from '@settler/chassis/refusal';
import { outcome } from '@settler/contracts/executions';
import { exceptionId, executionId } from '@settler/contracts/ids';
import { total } from '@settler/contracts/money';
import { z } from 'zod';
import { type explainException, explainReasons } from '../application/explain.ts';
import { explanation as anExplanation } from './examples.ts';

const record = z.record(z.string(), z.unknown());
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

export const explanationRoutes = (endpoint: Endpoints['endpoint'], explain: ReturnType<typeof explainException>): void => {
  endpoint('explainException', {
    description:
      'Looks through the last run that the record took part in: who came nearest, which conditions failed, the least that would have to give in the rules, and what else that would do. It is computed anew each time and takes seconds for large runs; where too many ask at once, or the run cannot be searched in time, the answer is `upstream_unavailable`.',
    params: z.object({ id: exceptionId }),
    answers: { 200: explanation },
    examples: { answers: { 200: anExplanation } },
    handle: async ({ params, principal }) => {
      const body = await explain(principal.organizationId, params.id);
      if (body === undefined) throw notFound('exception');
      return { status: 200, body };
    },
  });
};
