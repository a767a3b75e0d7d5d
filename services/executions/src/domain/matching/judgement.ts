/** A pass over what is still open: which pairs agree, and which belong together but differ in what is to be verified. */
import type { Pass } from '@settler/contracts/rules';
import type { Edge } from './assignment/graph.ts';
import type { RecordBatch } from './batch.ts';
import { visitCandidates } from './candidates.ts';
import { type CompiledCondition, compileCondition } from './conditions/condition.ts';
import type { Open } from './result.ts';

export interface Judgement {
  readonly pass: Pass;
  readonly conditions: readonly CompiledCondition[];
  readonly agreeing: readonly Edge[];
  readonly differing: readonly Edge[];
}

/** @throws TooManyCandidates */
export const judgePass = (pass: Pass, source: RecordBatch, target: RecordBatch, open: Open): Judgement => {
  const conditions = pass.match.map((condition) => compileCondition(condition, source, target));
  const agreeing: Edge[] = [];
  const differing: Edge[] = [];
  const scoreOf = scorer(conditions);
  visitCandidates(pass, conditions, source, target, { source: [...open.source], target: [...open.target] }, (s, t) => {
    const verdict = scoreOf(s, t);
    if (verdict === undefined) return;
    const edge = { source: s, target: t, score: verdict.score };
    if (!verdict.isAgreed) differing.push(edge);
    else if (verdict.score >= pass.minScore) agreeing.push(edge);
  });
  return { pass, conditions, agreeing, differing };
};

/** The weighted mean of the conditions; undefined where one fails that identifies. One that only verifies fails with a 0. */
const scorer = (conditions: readonly CompiledCondition[]) => {
  const weightTotal = conditions.reduce((sum, { condition }) => sum + condition.weight, 0);
  return (s: number, t: number): { readonly score: number; readonly isAgreed: boolean } | undefined => {
    let weighted = 0;
    let isAgreed = true;
    for (const { condition, scoreOf } of conditions) {
      const score = scoreOf(s, t);
      if (score === undefined && !condition.verify) return undefined;
      if (score === undefined) isAgreed = false;
      else weighted += condition.weight * score;
    }
    return { score: inMillionths(weighted / weightTotal), isAgreed };
  };
};

/** Scores are compared and added up as whole millionths, where sums do not depend on their order. */
export const inMillionths = (score: number): number => Math.round(score * 1e6) / 1e6;
