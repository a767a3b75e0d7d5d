/**
 * `fx`: what a source amount is in the target's currency, by a rate that stands on the source record or in a table of the rules. Rounded
 * half away from zero to the target's minor unit.
 */
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { alternativesOf, type Fx, type Pass } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { fieldTexts } from '../columns/field.ts';
import { noAmount } from '../columns/money.ts';
import { textAt } from '../columns/text-column.ts';
import { roundedShare, type Share, shareOf } from './limit.ts';

/** In minor units of the target's currency; NaN where there is no rate. */
export type Conversion = (amount: number, source: number, target: number) => number;

/** Whether a pass brings records of different currencies together: only by a rate. */
export const crossesCurrencies = ({ match }: Pass): boolean =>
  match.flatMap(alternativesOf).some((condition) => condition.type === 'amount' && condition.fx !== undefined);

const rateForm = /^\d{1,12}(\.\d{1,12})?$/;

export const compileConversion = (fx: Fx, source: RecordBatch, target: RecordBatch): Conversion => {
  const shares = new Map<string, Share>();
  const convert = (amount: number, rate: string, from: number, to: number): number => {
    const difference = exponentOf(currencyText(to)) - exponentOf(currencyText(from));
    const key = `${rate} ${difference}`;
    const share = shares.get(key) ?? shifted(shareOf(rate, 0), difference);
    shares.set(key, share);
    return roundedShare(amount, share);
  };
  const rateOf = 'table' in fx ? tableRate(fx.table) : fieldRate(fx.field, source);
  return (amount, s, t) => {
    const from = source.currencies[s] as number;
    const to = target.currencies[t] as number;
    if (Number.isNaN(amount) || from === noCurrency || to === noCurrency) return noAmount;
    const rate = rateOf(s, from, to);
    return rate === undefined ? noAmount : convert(amount, rate, from, to);
  };
};

/** Minor units of both currencies may be different fractions. */
const shifted = ({ numerator, divisor, factor }: Share, difference: number): Share => ({
  numerator: numerator * 10n ** BigInt(Math.max(0, difference)),
  divisor: divisor * 10n ** BigInt(Math.max(0, -difference)),
  factor: factor * 10 ** difference,
});

type RateOf = (source: number, from: number, to: number) => string | undefined;

/** The same currency needs no rate. */
const tableRate =
  (table: Readonly<Record<string, string>>): RateOf =>
  (_source, from, to) =>
    from === to ? '1' : table[`${currencyText(from)}/${currencyText(to)}`];

const fieldRate = (field: string, source: RecordBatch): RateOf => {
  const texts = fieldTexts(source, field, []);
  return (s) => {
    const text = textAt(texts, s);
    return rateForm.test(text) ? text : undefined;
  };
};
