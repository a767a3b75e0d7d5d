/**
 * The smallest change of a pass that would let two records match: each condition that fails is widened just as far as this pair
 * needs. A text that differs can only be brought to agree by a transform; where none does, no change of the rules would be right.
 */
import { type Condition, type Rules, rules as rulesSchema, type Transform } from '@settler/contracts/rules';
import { transformed } from '../columns/normalize.ts';
import type { Counting } from '../conditions/date.ts';
import { countingOf } from '../conditions/date.ts';
import type { Verdict } from '../conditions/judge.ts';
import { dayOf } from '../day.ts';
import { similarityOf } from '../similarity/similarity.ts';
import type { Near } from './nearest.ts';

export interface Edit {
  /** `passes[0].match[1].tolerance.absolute` */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface Change {
  readonly edits: readonly Edit[];
  readonly rules: Rules;
}

/** What the pair comes near to, and what is said of it: of all conditions of the pass, in their order. */
export interface Missed extends Pick<Near, 'pass' | 'failed' | 'score'> {
  readonly verdicts: readonly Verdict[];
  readonly weights: readonly number[];
}

export const smallestChange = (rules: Rules, { pass, failed, score, verdicts, weights }: Missed): Change | undefined => {
  const { match, minScore } = rules.passes[pass] as Rules['passes'][number];
  const edits: Edit[] = [];
  let gained = 0;
  const changed = match.map((condition, index) => {
    if (!failed.includes(index)) return condition;
    const widened = widen(condition, verdicts[index] as Verdict);
    if (widened === undefined) return undefined;
    edits.push({ path: `passes[${pass}].match[${index}].${widened.path}`, from: widened.from, to: widened.to });
    gained += widened.score * (weights[index] as number);
    return widened.condition;
  });
  if (changed.includes(undefined)) return undefined;
  // Rounded down: the pair itself must reach it.
  const reached = Math.floor((score + gained / weights.reduce((sum, weight) => sum + weight, 0)) * 1e4) / 1e4;
  const isBelow = reached < minScore;
  if (isBelow) edits.push({ path: `passes[${pass}].minScore`, from: minScore, to: reached });
  else if (failed.length === 0) return undefined;
  const passes = rules.passes.map((other, index) =>
    index === pass ? { ...other, match: changed as Condition[], minScore: isBelow ? reached : minScore } : other,
  );
  // Rules have bounds of their own, of days and of transforms.
  return rulesSchema.safeParse({ ...rules, passes }).success ? { edits, rules: { ...rules, passes } } : undefined;
};

interface Widened {
  readonly condition: Condition;
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
  /** What the pair then has of this condition: nothing at its very bound. */
  readonly score: number;
}

const widen = (condition: Condition, verdict: Verdict): Widened | undefined => {
  switch (condition.type) {
    case 'amount':
    case 'number':
      return widenTolerance(condition, verdict);
    case 'date':
      return widenWindow(condition, verdict);
    case 'exact':
      return bringTogether(condition, verdict);
    case 'fuzzy':
      return lowerThreshold(condition, verdict);
    case 'regex':
    case 'oneOf':
      return undefined;
  }
};

/** A fee or a rate says what should arrive: a tolerance as wide as a fee would hide just what the rule is to find. */
const widenTolerance = (condition: Extract<Condition, { type: 'amount' | 'number' }>, { delta }: Verdict): Widened | undefined => {
  if (typeof delta !== 'string' || (condition.type === 'amount' && (condition.fee !== undefined || condition.fx !== undefined)))
    return undefined;
  const absolute = delta.replace('-', '');
  const { tolerance } = condition;
  const side = delta.startsWith('-') ? 'below' : 'above';
  const own = tolerance[side];
  // A limit of its own stands in place of the common one.
  const [wider, path, from] =
    own === undefined
      ? [{ ...tolerance, absolute }, 'tolerance.absolute', tolerance.absolute]
      : [{ ...tolerance, [side]: { ...own, absolute } }, `tolerance.${side}.absolute`, own.absolute];
  return { condition: { ...condition, tolerance: wider }, path, from: from ?? null, to: absolute, score: 0 };
};

const widenWindow = (condition: Extract<Condition, { type: 'date' }>, { source, target }: Verdict): Widened | undefined => {
  const [one, other] = [dayOf(source ?? ''), dayOf(target ?? '')];
  if (one === undefined || other === undefined) return undefined;
  const counting: Counting = countingOf(condition.within);
  const side = other < one ? 'before' : 'after';
  const distance = other < one ? counting.between(other, one) : counting.between(one, other);
  return {
    condition: { ...condition, within: { ...condition.within, [side]: distance } },
    path: `within.${side}`,
    from: condition.within[side],
    to: distance,
    score: 0,
  };
};

/** Below it two texts do not look alike, and a rule that takes them takes nearly anything. */
const thresholdMin = 0.5;

const lowerThreshold = (condition: Extract<Condition, { type: 'fuzzy' }>, { source, target }: Verdict): Widened | undefined => {
  if (source === null || target === null) return undefined;
  const similarity = similarityOf(condition.similarity, thresholdMin, source, target);
  if (!(similarity >= thresholdMin)) return undefined;
  // Rounded down: the pair itself must reach it.
  const threshold = Math.floor(similarity * 100) / 100;
  return { condition: { ...condition, threshold }, path: 'threshold', from: condition.threshold, to: threshold, score: similarity };
};

/** From the most harmless on; each includes what those before it do. */
const helpful: readonly (readonly Transform[])[] = [
  ['trim'],
  ['trim', 'lowercase'],
  ['trim', 'lowercase', 'collapseSpaces'],
  ['trim', 'lowercase', 'stripAccents'],
  ['lowercase', 'stripAccents', 'alphanumeric'],
  ['lowercase', 'stripAccents', 'alphanumeric', 'stripLeadingZeros'],
];

const bringTogether = (condition: Extract<Condition, { type: 'exact' }>, { source, target }: Verdict): Widened | undefined => {
  if (source === null || target === null) return undefined;
  const added = helpful.find((transforms) => {
    const apply = transformed(transforms);
    return apply(source) !== '' && apply(source) === apply(target);
  });
  if (added === undefined) return undefined;
  const before = condition.normalize ?? { source: [], target: [] };
  const normalize = { source: [...before.source, ...added], target: [...before.target, ...added] };
  return { condition: { ...condition, normalize }, path: 'normalize', from: condition.normalize ?? null, to: normalize, score: 1 };
};
