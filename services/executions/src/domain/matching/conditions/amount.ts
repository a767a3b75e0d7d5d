/** `amount`: how far the target may lie from the source, or from what is left of it after a fee or a change of currency. */
import type { FieldCondition } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import type { RecordBatch } from '../batch.ts';
import { exponentsOf } from '../columns/currency.ts';
import { decimalText, differenceText, minorUnits, noAmount } from '../columns/money.ts';
import type { AmountBand } from '../join/sweep.ts';
import { type AfterFee, compileFee } from './fee.ts';
import { type Conversion, compileConversion } from './fx.ts';
import type { Judge } from './judge.ts';
import { type CompiledLimit, compileLimit } from './limit.ts';
import { type Reading, readField, whyUnread } from './reading.ts';

export type AmountCondition = Extract<FieldCondition, { type: 'amount' }>;

export const compileAmount = (condition: AmountCondition, source: RecordBatch, target: RecordBatch): Judge => {
  const { verify, weight, fee, fx } = condition;
  const readings = { source: amountsOf(condition, 'source', source), target: amountsOf(condition, 'target', target) };
  const [ours, theirs] = [readings.source.values, readings.target.values];
  const exponents = exponentsOf(source.currencies);
  const targetExponents = exponentsOf(target.currencies);
  const { below, above } = limitsOf(condition.tolerance);
  const afterFee = fee === undefined ? undefined : compileFee(fee);
  const expected = afterFee === undefined ? ours : afterFees(ours, exponents, afterFee);
  const conversion = fx === undefined ? undefined : compileConversion(fx, source, target);

  const scoreOf = (delta: number, magnitude: number, exponent: number): number => {
    if (delta === 0) return 1;
    const limit = delta < 0 ? below : above;
    const distance = Math.abs(delta);
    return distance <= limit.within(magnitude, exponent) ? Math.max(0, 1 - distance / limit.bound(magnitude, exponent)) : Number.NaN;
  };
  /** Converted first: the fee is taken from what arrives. */
  const convertedScore = ({ convert }: Conversion, s: number, t: number): number => {
    const converted = convert(ours[s] as number, s, t);
    if (Number.isNaN(converted) || Number.isNaN(theirs[t] as number)) return Number.NaN;
    const exponent = targetExponents[t] as number;
    const wanted = afterFee === undefined ? converted : afterFee(converted, exponent);
    return scoreOf((theirs[t] as number) - wanted, Math.abs(converted), exponent);
  };
  /** By how much the fee that was kept differs from the one that was agreed. */
  const tellFromExpected = (arrived: number, before: number, exponent: number) =>
    afterFee === undefined ? {} : { fromExpected: differenceText(arrived, afterFee(before, exponent), exponent) };
  const tellConverted = ({ convert, tellRate }: Conversion, s: number, t: number) => {
    const told = tellRate(s, t);
    if (!('rate' in told)) return told;
    const converted = convert(ours[s] as number, s, t);
    if (!Number.isSafeInteger(converted)) return { ...told, reason: `at ${told.rate} the amount is too large to be exact` };
    const exponent = targetExponents[t] as number;
    return {
      ...told,
      converted: decimalText(converted, exponent),
      delta: differenceText(theirs[t] as number, converted, exponent),
      ...tellFromExpected(theirs[t] as number, converted, exponent),
    };
  };
  const band: AmountBand = {
    sources: ours,
    targets: theirs,
    least: (s) => (expected[s] as number) - below.within(Math.abs(ours[s] as number), exponents[s] as number),
    most: (s) => (expected[s] as number) + above.within(Math.abs(ours[s] as number), exponents[s] as number),
  };

  return {
    type: 'amount',
    field: condition.source,
    verify,
    weight,
    ...(conversion === undefined ? { finder: { kind: 'amount', band } as const } : {}),
    judge: (sources, targets, count, scores) => {
      for (let index = 0; index < count; index += 1) {
        const s = sources[index] as number;
        const t = targets[index] as number;
        if (conversion !== undefined) {
          scores[index] = convertedScore(conversion, s, t);
          continue;
        }
        const delta = (theirs[t] as number) - (expected[s] as number);
        scores[index] =
          Number.isNaN(delta) || source.currencies[s] !== target.currencies[t]
            ? Number.NaN
            : scoreOf(delta, Math.abs(ours[s] as number), exponents[s] as number);
      }
    },
    tell: (s, t) => {
      const one = ours[s] as number;
      const other = theirs[t] as number;
      const told = {
        source: Number.isNaN(one) ? null : decimalText(one, exponents[s] as number),
        target: Number.isNaN(other) ? null : decimalText(other, targetExponents[t] as number),
      };
      if (told.source === null || told.target === null)
        return { ...told, reason: whyUnread(condition, { source, target }, readings, { source: s, target: t }) };
      if (conversion !== undefined) return { ...told, ...tellConverted(conversion, s, t) };
      if (source.currencies[s] !== target.currencies[t]) return told;
      const exponent = exponents[s] as number;
      return { ...told, delta: differenceText(other, one, exponent), ...tellFromExpected(other, one, exponent) };
    },
  };
};

/** What lies below the source and what lies above may have limits of their own. */
export const limitsOf = ({
  below,
  above,
  ...both
}: AmountCondition['tolerance']): { readonly below: CompiledLimit; readonly above: CompiledLimit } => {
  const common = compileLimit(both);
  return { below: below === undefined ? common : compileLimit(below), above: above === undefined ? common : compileLimit(above) };
};

const amountsOf = (condition: AmountCondition, side: Side, batch: RecordBatch): Reading => {
  const transforms = condition.normalize?.[side] ?? [];
  if (condition[side] === 'amount' && transforms.length === 0) return { values: batch.amounts, unread: () => undefined };
  const exponents = exponentsOf(batch.currencies);
  return readField(condition, side, batch, (text, row) => minorUnits(text, exponents[row] as number));
};

const afterFees = (amounts: Float64Array, exponents: Uint8Array, afterFee: AfterFee): Float64Array =>
  amounts.map((amount, row) => (Number.isNaN(amount) ? noAmount : afterFee(amount, exponents[row] as number)));
