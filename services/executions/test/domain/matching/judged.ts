/** Conditions as their tests ask them: what they say of every pair, by themselves and in a run. */
import { rules } from '@settler/contracts/rules';
import { expect } from 'vitest';
import { compileCondition } from '../../../src/domain/matching/conditions/compile.ts';
import { candidatesOf } from '../../../src/domain/matching/passes/candidates.ts';
import { batchOf, euro, pass, type Records, run } from './records.ts';

export const reference = { field: 'reference', type: 'exact' };
export const outcomeOf = (source: Parameters<typeof euro>, target: Parameters<typeof euro>, match: readonly unknown[]): string =>
  String(run([euro(...source)], [euro(...target)], pass(match)).said[0]?.[0]);

/** What a condition alone says of every pair, source by source, and the pairs it finds by itself. */
export const judged = (condition: object, source: Records, target: Records) => {
  const batches = [batchOf(source), batchOf(target)] as const;
  const [, parsed] = rules.parse(pass([reference, condition])).passes[0]?.match ?? [];
  if (parsed === undefined) throw new Error('a pass of two conditions has a second one');
  const judge = compileCondition(parsed, ...batches);
  const pairs = source.flatMap((_, s) => target.map((__, t) => [s, t] as const));
  // The columns may hold more pairs than are asked about: of those nothing may be said.
  const [last = [0, 0]] = pairs.slice(-1);
  const [sources, targets] = [0, 1].map((side) => Int32Array.from([...pairs, last], (pair) => pair[side] as number)) as [
    Int32Array,
    Int32Array,
  ];
  const scores = new Float64Array(pairs.length + 1).fill(-1);
  judge.judge(sources, targets, pairs.length, scores);
  expect(scores[pairs.length]).toBe(-1);
  const found = (): number[][] => {
    const all: number[][] = [];
    const rows = { source: Uint32Array.from(source.keys()), target: Uint32Array.from(target.keys()) };
    candidatesOf('one', [judge], ...batches, rows).visit((ours, theirs, count) => {
      for (let index = 0; index < count; index += 1) all.push([ours[index] as number, theirs[index] as number]);
    });
    return all.sort(([one = 0, first = 0], [other = 0, second = 0]) => one - other || first - second);
  };
  return {
    judge,
    scores: [...scores.subarray(0, pairs.length)],
    told: pairs.map(([s, t]) => judge.tell(s, t)),
    accepted: pairs.filter((_, index) => !Number.isNaN(scores[index])),
    found,
  };
};
export const none = Number.NaN;
