/** Conditions, compiled for two batches: what each says of a pair, with both values, the difference and a score. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { Condition, Limit } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from './batch.ts';
import { dayOf, dayText } from './day.ts';
import { textReader } from './transforms.ts';

export interface Verdict {
  readonly passed: boolean;
  /** 1 for equal, falling to 0 at the bound; 0 when it failed. */
  readonly score: number;
  readonly source: string | null;
  readonly target: string | null;
  /** target − source: a decimal string for amounts, days for dates. */
  readonly delta?: string | number;
}

export interface CompiledCondition {
  readonly condition: Condition;
  readonly judge: (source: number, target: number) => Verdict;
}

const failed = (source: string | null, target: string | null): Verdict => ({ passed: false, score: 0, source, target });

export const compileCondition = (condition: Condition, source: RecordBatch, target: RecordBatch): CompiledCondition => {
  switch (condition.type) {
    case 'exact':
      return { condition, judge: exactJudge(condition, source, target) };
    case 'amount':
      return { condition, judge: amountJudge(condition, source, target) };
    case 'date':
      return { condition, judge: dateJudge(condition, source, target) };
  }
};

/** The normalised text of every row of a side, for joining and comparing. */
export const texts = (condition: Condition, side: 'source' | 'target', batch: RecordBatch): readonly (string | undefined)[] =>
  batch.records.map(textReader(condition[side], condition.normalize?.[side] ?? []));

const exactJudge = (condition: Condition, source: RecordBatch, target: RecordBatch): CompiledCondition['judge'] => {
  const ours = texts(condition, 'source', source);
  const theirs = texts(condition, 'target', target);
  return (s, t) => {
    const one = ours[s];
    const other = theirs[t];
    // Absent equals nothing, not even absent.
    if (one === undefined || other === undefined || one !== other) return failed(one ?? null, other ?? null);
    return { passed: true, score: 1, source: one, target: other };
  };
};

/** Amounts of any field in minor units of the record's currency. */
export const amountsOf = (condition: Condition, side: 'source' | 'target', batch: RecordBatch): readonly (bigint | null)[] => {
  if (condition[side] === 'amount' && (condition.normalize?.[side].length ?? 0) === 0) return batch.amounts;
  return texts(condition, side, batch).map((text, row) =>
    text === undefined ? null : toMinor(text, exponentOf(batch.currencies[row] ?? '')),
  );
};

/** In millionths of a minor unit, so that percentages are exact: bounds are never rounded. */
const scale = 1_000_000_000n;

interface Bounds {
  readonly below: bigint;
  readonly above: bigint;
}

type AmountCondition = Extract<Condition, { type: 'amount' }>;

/** How far a target may lie below and above a source amount, scaled. With several limits given the largest counts. */
export const amountBounds = ({ tolerance }: AmountCondition, amount: bigint, currency: string): Bounds => {
  const { below, above, ...both } = tolerance;
  const magnitude = amount < 0n ? -amount : amount;
  const common = limitOf(both, magnitude, currency);
  return {
    below: below === undefined ? common : limitOf(below, magnitude, currency),
    above: above === undefined ? common : limitOf(above, magnitude, currency),
  };
};

const limitOf = ({ absolute, percent, bps }: Limit, magnitude: bigint, currency: string): bigint => {
  const limits = [
    absolute === undefined ? 0n : scaled(absolute) * 10n ** BigInt(exponentOf(currency)),
    percent === undefined ? 0n : (magnitude * scaled(percent)) / 100n,
    bps === undefined ? 0n : (magnitude * scaled(bps)) / 10_000n,
  ];
  return limits.reduce((largest, limit) => (limit > largest ? limit : largest));
};

const scaled = (decimal: string): bigint => toMinor(decimal, 9) ?? 0n;

export const withinBounds = (delta: bigint, { below, above }: Bounds): boolean =>
  delta < 0n ? -delta * scale <= below : delta * scale <= above;

const amountJudge = (condition: AmountCondition, source: RecordBatch, target: RecordBatch): CompiledCondition['judge'] => {
  const ours = amountsOf(condition, 'source', source);
  const theirs = amountsOf(condition, 'target', target);
  return (s, t) => {
    const currency = source.currencies[s] ?? '';
    const exponent = exponentOf(currency);
    const one = ours[s] ?? null;
    const other = theirs[t] ?? null;
    if (one === null || other === null || currency !== target.currencies[t]) {
      return failed(
        one === null ? null : fromMinor(one, exponent),
        other === null ? null : fromMinor(other, exponentOf(target.currencies[t] ?? '')),
      );
    }
    const delta = other - one;
    const bounds = amountBounds(condition, one, currency);
    const passed = withinBounds(delta, bounds);
    const bound = delta < 0n ? bounds.below : bounds.above;
    const distance = (delta < 0n ? -delta : delta) * scale;
    const score = !passed ? 0 : bound === 0n ? 1 : 1 - Number((distance * 1_000_000n) / bound) / 1_000_000;
    return { passed, score, source: fromMinor(one, exponent), target: fromMinor(other, exponent), delta: fromMinor(delta, exponent) };
  };
};

type DateCondition = Extract<Condition, { type: 'date' }>;

export const daysOf = (condition: DateCondition, side: 'source' | 'target', batch: RecordBatch): Int32Array => {
  if (condition[side] === 'date' && (condition.normalize?.[side].length ?? 0) === 0) return batch.days;
  return Int32Array.from(texts(condition, side, batch), (text) => (text === undefined ? noDay : (dayOf(text.slice(0, 10)) ?? noDay)));
};

const dateJudge = (condition: DateCondition, source: RecordBatch, target: RecordBatch): CompiledCondition['judge'] => {
  const ours = daysOf(condition, 'source', source);
  const theirs = daysOf(condition, 'target', target);
  const { before, after } = condition.within;
  return (s, t) => {
    const one = ours[s] ?? noDay;
    const other = theirs[t] ?? noDay;
    const shown = (day: number) => (day === noDay ? null : dayText(day));
    if (one === noDay || other === noDay) return failed(shown(one), shown(other));
    const delta = other - one;
    const bound = delta < 0 ? before : after;
    const passed = Math.abs(delta) <= bound;
    return { passed, score: !passed ? 0 : bound === 0 ? 1 : 1 - Math.abs(delta) / bound, source: shown(one), target: shown(other), delta };
  };
};
