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
import { type TextColumn, textAt } from '../columns/text-column.ts';
import { roundedShare, type Share, shareOf } from './limit.ts';

export interface Conversion {
  /** In minor units of the target's currency; NaN where there is no rate. */
  readonly convert: (amount: number, source: number, target: number) => number;
  /** For a person: the rate, or why there is none. */
  readonly tellRate: (source: number, target: number) => { readonly rate: string } | { readonly reason: string };
}

/** Whether a pass brings records of different currencies together: only by a rate. */
export const crossesCurrencies = ({ match }: Pass): boolean =>
  match.flatMap(alternativesOf).some((condition) => condition.type === 'amount' && condition.fx !== undefined);

/** An amount that is zero in the other currency whatever it was has no rate: nothing stands there, or an export that had nothing to put. */
const rateForm = /^(?=.*[1-9])\d{1,12}(\.\d{1,12})?$/;

export const compileConversion = (fx: Fx, source: RecordBatch, target: RecordBatch): Conversion => {
  const shares = new Map<string, Share>();
  const convert = (amount: number, rate: string, from: number, to: number): number => {
    const difference = exponentOf(currencyText(to)) - exponentOf(currencyText(from));
    const key = `${rate} ${difference}`;
    const share = shares.get(key) ?? shifted(shareOf(rate, 0), difference);
    shares.set(key, share);
    return roundedShare(amount, share);
  };
  const texts = 'table' in fx ? undefined : fieldTexts(source, fx.field, []);
  const rateBetween = 'table' in fx ? tableRate(fx.table) : fieldRate(texts as TextColumn);
  /** One currency needs no rate, whatever rate to another one stands on the record. */
  const rateOf: RateOf = (s, from, to) => (from === to ? '1' : rateBetween(s, from, to));
  const currenciesOf = (s: number, t: number) => [source.currencies[s] as number, target.currencies[t] as number] as const;
  return {
    convert: (amount, s, t) => {
      const [from, to] = currenciesOf(s, t);
      if (Number.isNaN(amount) || from === noCurrency || to === noCurrency) return noAmount;
      const rate = rateOf(s, from, to);
      return rate === undefined ? noAmount : convert(amount, rate, from, to);
    },
    tellRate: (s, t) => {
      const [from, to] = currenciesOf(s, t);
      if (from === noCurrency || to === noCurrency) return { reason: 'a record without a currency cannot be converted' };
      const rate = rateOf(s, from, to);
      if (rate !== undefined) return { rate };
      const pair = `${currencyText(from)}/${currencyText(to)}`;
      if ('table' in fx) return { reason: `the rules have no rate for ${pair}` };
      const said = textAt(texts as TextColumn, s);
      return {
        reason: said === '' ? `the source has no ${fx.field} for ${pair}` : `${fx.field} is no rate: ${JSON.stringify(said.slice(0, 40))}`,
      };
    },
  };
};

/** Minor units of both currencies may be different fractions. */
const shifted = ({ numerator, divisor, factor }: Share, difference: number): Share => ({
  numerator: numerator * 10n ** BigInt(Math.max(0, difference)),
  divisor: divisor * 10n ** BigInt(Math.max(0, -difference)),
  factor: factor * 10 ** difference,
});

type RateOf = (source: number, from: number, to: number) => string | undefined;

const tableRate =
  (table: Readonly<Record<string, string>>): RateOf =>
  (_source, from, to) =>
    table[`${currencyText(from)}/${currencyText(to)}`];

const fieldRate =
  (texts: TextColumn): RateOf =>
  (s) => {
    const text = textAt(texts, s);
    return rateForm.test(text) ? text : undefined;
  };
