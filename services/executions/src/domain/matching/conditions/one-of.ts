/** `oneOf`: the best of several alternatives counts. It fails where all of them do. */
import type { OneOf } from '@settler/contracts/rules';
import type { Judge } from './judge.ts';

export const compileOneOf = ({ verify, weight }: OneOf, alternatives: readonly Judge[]): Judge => {
  const one = { sources: new Int32Array(1), targets: new Int32Array(1), scores: new Float64Array(1) };
  const bestFor = (s: number, t: number): Judge => {
    one.sources[0] = s;
    one.targets[0] = t;
    const scored = alternatives.map((alternative) => {
      alternative.judge(one.sources, one.targets, 1, one.scores);
      const [score = Number.NaN] = one.scores;
      return { alternative, score: Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score };
    });
    // Where all of them fail, the first: it is the one that was meant most of all.
    const best = scored.reduce((most, item) => (item.score > most.score ? item : most));
    return best.alternative;
  };
  let scratch = new Float64Array(0);
  return {
    type: 'oneOf',
    field: alternatives.map(({ field }) => field).join(' | '),
    verify,
    weight,
    ...(alternatives.every(({ finder }) => finder !== undefined) ? { finder: { kind: 'any', of: alternatives } as const } : {}),
    judge: (sources, targets, count, scores) => {
      if (scratch.length < count) scratch = new Float64Array(count);
      scores.fill(Number.NaN, 0, count);
      for (const alternative of alternatives) {
        alternative.judge(sources, targets, count, scratch);
        for (let index = 0; index < count; index += 1) {
          const score = scratch[index] as number;
          if (!((scores[index] as number) >= score) && !Number.isNaN(score)) scores[index] = score;
        }
      }
    },
    tell: (s, t) => bestFor(s, t).tell(s, t),
  };
};
