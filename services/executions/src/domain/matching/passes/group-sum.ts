/** `sum`: whether what a group's sources come to, each after its fee, lies close enough to what its targets come to. */
import { currencyText } from '@settler/contracts/currency-codes';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { Pass } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import type { RecordBatch } from '../batch.ts';
import { Sum } from '../columns/money.ts';
import { limitsOf } from '../conditions/amount.ts';
import { compileFee } from '../conditions/fee.ts';
import type { ConditionResult } from '../results/result.ts';
import { type SumRange, sourcesAround } from './sum-range.ts';

export interface GroupSum {
  /** What arrives of a source's amount, in minor units; NaN where it has none. */
  readonly expectedOf: (source: number) => number;
  readonly judge: (sources: readonly number[], targets: readonly number[]) => SumVerdict;
  /** What the many may come to, up to so many of them, so that the one and they lie within the tolerance. NaN where the one has no amount. */
  readonly rangeAround: (side: Side, row: number, countMax: number) => SumRange;
}

export interface SumVerdict {
  readonly passed: boolean;
  /** In millionths. */
  readonly score: number;
  /** target − source, before fees. */
  readonly delta: string | null;
  /** Where there is a fee: target − what was to arrive. */
  readonly fromExpected?: string;
  readonly condition: ConditionResult;
  readonly reason?: string;
}

export const createGroupSum = ({ sum }: Pass, source: RecordBatch, target: RecordBatch): GroupSum => {
  const { below, above } = limitsOf(sum?.tolerance ?? { absolute: '0' });
  const afterFee = sum?.fee === undefined ? undefined : compileFee(sum.fee);
  const exponentAt = ({ currencies }: RecordBatch, row: number): number => exponentOf(currencyText(currencies[row] as number));
  const expectedOf = (row: number): number => {
    const amount = source.amounts[row] as number;
    return afterFee === undefined || Number.isNaN(amount) ? amount : afterFee(amount, exponentAt(source, row));
  };

  return {
    expectedOf,
    judge: (sources, targets) => {
      const given = total(sources, (row) => source.amounts[row] as number);
      const expected = total(sources, expectedOf);
      const arrived = total(targets, (row) => target.amounts[row] as number);
      const exponent = exponentAt(source, sources[0] ?? 0);
      const text = (units: bigint | null): string | null => (units === null ? null : fromMinor(units, exponent));
      const base = { field: 'amount', type: 'sum', source: text(given), target: text(arrived) };
      if (given === null || expected === null || arrived === null) {
        // Without any amounts, and nothing asked of them, the key alone forms the group.
        const isKeyAlone =
          sum === undefined &&
          [...sources.map((row) => source.amounts[row]), ...targets.map((row) => target.amounts[row])].every(Number.isNaN);
        const condition = { ...base, score: isKeyAlone ? 1 : 0, passed: isKeyAlone };
        return {
          passed: isKeyAlone,
          score: isKeyAlone ? 1e6 : 0,
          delta: null,
          condition,
          ...(isKeyAlone ? {} : { reason: 'a record of the group has no amount' }),
        };
      }
      // What is beyond a double is rounded only after it was subtracted: a difference that a tolerance allows is small.
      const off = Number(arrived - expected);
      const limit = off < 0 ? below : above;
      const magnitude = Math.abs(Number(given));
      const passed = Math.abs(off) <= limit.within(magnitude, exponent);
      const score = !passed ? 0 : off === 0 ? 1 : Math.max(0, 1 - Math.abs(off) / limit.bound(magnitude, exponent));
      const delta = fromMinor(arrived - given, exponent);
      const fromExpected = afterFee === undefined ? {} : { fromExpected: fromMinor(arrived - expected, exponent) };
      const condition = { ...base, delta, ...fromExpected, score: Math.round(score * 1e6) / 1e6, passed };
      return { passed, score: Math.round(score * 1e6), delta, ...fromExpected, condition };
    },
    rangeAround: (side, row, countMax) => {
      if (side === 'target')
        return sourcesAround(target.amounts[row] as number, exponentAt(target, row), countMax, { below, above, fee: sum?.fee });
      const expected = expectedOf(row);
      const [magnitude, exponent] = [Math.abs(source.amounts[row] as number), exponentAt(source, row)];
      return { least: expected - below.within(magnitude, exponent), most: expected + above.within(magnitude, exponent) };
    },
  };
};

/** In minor units; null where a record has no amount. */
const total = (rows: readonly number[], amountOf: (row: number) => number): bigint | null => {
  const sum = new Sum();
  for (const row of rows) {
    const amount = amountOf(row);
    if (Number.isNaN(amount)) return null;
    sum.add(amount);
  }
  return sum.total;
};
