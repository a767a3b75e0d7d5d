/** A pass over what is still open: which pairs agree, and which belong together but differ in what is to be verified. */
import { noCurrency } from '@settler/contracts/currency-codes';
import type { Pass } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { compileCondition } from '../conditions/compile.ts';
import { crossesCurrencies } from '../conditions/fx.ts';
import type { Judge } from '../conditions/judge.ts';
import { candidatesOf, type Rows } from './candidates.ts';
import { createEdgeBuilder, distinct, type Edges } from './edges.ts';
import type { Settling } from './settle-pairs.ts';

export interface Judgement {
  readonly agreeing: Edges;
  readonly differing: Edges;
}

export const compilePass = (pass: Pass, source: RecordBatch, target: RecordBatch): readonly Judge[] =>
  pass.match.map((condition) => compileCondition(condition, source, target));

/** @throws TooManyCandidates */
export const judgePass = (
  pass: Pass,
  judges: readonly Judge[],
  rows: Rows,
  { source, target, apart }: Pick<Settling, 'source' | 'target' | 'apart'>,
): Judgement => {
  const candidates = candidatesOf(pass.name, judges, source, target, rows);
  const agreeing = createEdgeBuilder(Math.min(rows.source.length, rows.target.length));
  const differing = createEdgeBuilder();
  const scoreMin = Math.round(pass.minScore * 1e6);
  const meets = mayMeet(pass, source, target);
  const mayPair = apart === undefined ? meets : (s: number, t: number) => meets(s, t) && !apart.isPair('mismatched', s, t);
  const score = createScorer(judges, candidates.certain, mayPair);
  candidates.visit((sources, targets, count) => {
    const kept = score(sources, targets, count);
    for (let index = 0; index < kept.count; index += 1) {
      const millionths = kept.scores[index] as number;
      const isAgreed = kept.agreed[index] === 1;
      if (isAgreed && millionths < scoreMin) continue;
      (isAgreed ? agreeing : differing).push(kept.sources[index] as number, kept.targets[index] as number, millionths);
    }
    if (agreeing.length() + differing.length() > candidates.heldMax) candidates.refuse();
  });
  const [one, other] = [agreeing.build(), differing.build()];
  return candidates.mayRepeat ? { agreeing: distinct(one), differing: distinct(other) } : { agreeing: one, differing: other };
};

/** Different currencies never match without a rate. A record without one has no amount either, so it may meet any. */
const mayMeet = (
  pass: Pass,
  { currencies: ours }: RecordBatch,
  { currencies: theirs }: RecordBatch,
): ((s: number, t: number) => boolean) => {
  if (crossesCurrencies(pass)) return () => true;
  return (s, t) => ours[s] === theirs[t] || ours[s] === noCurrency || theirs[t] === noCurrency;
};

interface Scored {
  readonly count: number;
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  /** In millionths. */
  readonly scores: Float64Array;
  readonly agreed: Uint8Array;
}

/**
 * Scores pairs in pieces: the weighted mean of the conditions. One that identifies drops the pairs it fails for, before costlier
 * conditions look at them; one that only verifies fails with a 0, and the pair differs.
 */
const createScorer = (judges: readonly Judge[], certain: ReadonlySet<Judge>, meets: (s: number, t: number) => boolean) => {
  const weightTotal = judges.reduce((sum, { weight }) => sum + weight, 0);
  const certainWeight = judges.reduce((sum, judge) => sum + (certain.has(judge) ? judge.weight : 0), 0);
  const ordered = judges.filter((judge) => !certain.has(judge)).sort((one, other) => rank(one) - rank(other));
  let sources = new Int32Array(0);
  let targets = new Int32Array(0);
  let weighted = new Float64Array(0);
  let agreed = new Uint8Array(0);
  let scores = new Float64Array(0);

  const drop = (count: number): number => {
    let kept = 0;
    for (let index = 0; index < count; index += 1) {
      if (Number.isNaN(scores[index] as number)) continue;
      sources[kept] = sources[index] as number;
      targets[kept] = targets[index] as number;
      weighted[kept] = weighted[index] as number;
      scores[kept] = scores[index] as number;
      kept += 1;
    }
    return kept;
  };

  return (givenSources: Int32Array, givenTargets: Int32Array, givenCount: number): Scored => {
    if (sources.length < givenCount) {
      sources = new Int32Array(givenSources.length);
      targets = new Int32Array(givenSources.length);
      weighted = new Float64Array(givenSources.length);
      agreed = new Uint8Array(givenSources.length);
      scores = new Float64Array(givenSources.length);
    }
    let count = 0;
    for (let index = 0; index < givenCount; index += 1) {
      const s = givenSources[index] as number;
      const t = givenTargets[index] as number;
      if (!meets(s, t)) continue;
      sources[count] = s;
      targets[count] = t;
      count += 1;
    }
    weighted.fill(certainWeight, 0, count);
    agreed.fill(1, 0, count);
    for (const { judge, verify, weight } of ordered) {
      judge(sources, targets, count, scores);
      if (!verify) count = drop(count);
      for (let index = 0; index < count; index += 1) {
        const score = scores[index] as number;
        if (Number.isNaN(score)) agreed[index] = 0;
        else weighted[index] = (weighted[index] as number) + weight * score;
      }
    }
    for (let index = 0; index < count; index += 1) weighted[index] = Math.round(((weighted[index] as number) / weightTotal) * 1e6);
    return { count, sources, targets, scores: weighted, agreed };
  };
};

/** What drops pairs comes before what verifies them, and what compares texts letter by letter last of the former. */
const rank = ({ verify, type }: Judge): number => (verify ? 2 : type === 'fuzzy' || type === 'oneOf' ? 1 : 0);
