/** `amount`: how far the target may lie from the source. Bounds are inclusive and unrounded; with several given the larger counts. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { Condition, Limit } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { textColumn } from '../text.ts';
import type { Judge } from './judge.ts';

export interface AmountCondition extends Judge {
  readonly type: 'amount';
  readonly condition: Extract<Condition, { type: 'amount' }>;
  /** Minor units of the record's currency; null where there is no amount. */
  readonly target: readonly (bigint | null)[];
  /** The least and the greatest target amount that a source accepts. */
  readonly rangeOf: (source: number) => { readonly least: bigint; readonly most: bigint } | undefined;
}

export const compileAmount = (condition: AmountCondition['condition'], source: RecordBatch, target: RecordBatch): AmountCondition => {
  const ours = amountColumn(condition, 'source', source);
  const theirs = amountColumn(condition, 'target', target);
  const bounds = ours.map((amount, row) => (amount === null ? undefined : boundsOf(condition, amount, source.currencies[row] ?? '')));
  return {
    type: 'amount',
    condition,
    target: theirs,
    rangeOf: (s) => {
      const amount = ours[s] ?? null;
      const bound = bounds[s];
      // Amounts are whole minor units: nothing lies between a bound and the last whole one inside it.
      return amount === null || bound === undefined
        ? undefined
        : { least: amount - bound.below / scale, most: amount + bound.above / scale };
    },
    scoreOf: (s, t) => {
      const one = ours[s] ?? null;
      const other = theirs[t] ?? null;
      const bound = bounds[s];
      if (one === null || other === null || bound === undefined || source.currencies[s] !== target.currencies[t]) return undefined;
      return scoreOf(other - one, bound);
    },
    tell: (s, t) => {
      const one = ours[s] ?? null;
      const other = theirs[t] ?? null;
      const exponent = exponentOf(source.currencies[s] ?? '');
      const told = {
        source: one === null ? null : fromMinor(one, exponent),
        target: other === null ? null : fromMinor(other, exponentOf(target.currencies[t] ?? '')),
      };
      if (one === null || other === null || source.currencies[s] !== target.currencies[t]) return told;
      return { ...told, delta: fromMinor(other - one, exponent) };
    },
  };
};

const amountColumn = (condition: Condition, side: 'source' | 'target', batch: RecordBatch): readonly (bigint | null)[] => {
  const transforms = condition.normalize?.[side] ?? [];
  if (condition[side] === 'amount' && transforms.length === 0) return batch.amounts;
  return textColumn(batch, condition[side], transforms).map((text, row) =>
    text === undefined ? null : toMinor(text, exponentOf(batch.currencies[row] ?? '')),
  );
};

/** Bounds are kept in billionths of a minor unit: whatever decimal a rule gives, comparing with them is exact. */
const scale = 1_000_000_000n;

interface Bounds {
  readonly below: bigint;
  readonly above: bigint;
}

const scoreOf = (delta: bigint, { below, above }: Bounds): number | undefined => {
  const distance = (delta < 0n ? -delta : delta) * scale;
  const bound = delta < 0n ? below : above;
  if (distance > bound) return undefined;
  return distance === 0n ? 1 : 1 - Number(distance) / Number(bound);
};

const boundsOf = ({ tolerance }: AmountCondition['condition'], amount: bigint, currency: string): Bounds => {
  const { below, above, ...both } = tolerance;
  const magnitude = amount < 0n ? -amount : amount;
  const common = limitOf(both, magnitude, currency);
  return {
    below: below === undefined ? common : limitOf(below, magnitude, currency),
    above: above === undefined ? common : limitOf(above, magnitude, currency),
  };
};

/** Percent and basis points are of the absolute source amount. */
const limitOf = ({ absolute, percent, bps }: Limit, magnitude: bigint, currency: string): bigint => {
  const limits = [
    absolute === undefined ? 0n : scaled(absolute) * 10n ** BigInt(exponentOf(currency)),
    percent === undefined ? 0n : (magnitude * scaled(percent)) / 100n,
    bps === undefined ? 0n : (magnitude * scaled(bps)) / 10_000n,
  ];
  return limits.reduce((largest, limit) => (limit > largest ? limit : largest));
};

const scaled = (decimal: string): bigint => toMinor(decimal, 9) ?? 0n;
