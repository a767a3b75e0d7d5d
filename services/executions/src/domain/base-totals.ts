/**
 * The totals of a report in one currency. Amounts and rates are exact fractions until the end, and each total is rounded once, half to even,
 * to the currency's minor unit: what is rounded per currency and then added drifts by a cent for each.
 */
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { ReportLine } from './execution.ts';

/** On that day, one of `base` was worth `rate` of `quote`. */
export interface ExchangeRate {
  readonly base: string;
  readonly quote: string;
  readonly date: string;
  readonly rate: string;
  readonly source: string | null;
}

export interface BaseTotals {
  readonly currency: string;
  readonly totals: readonly Pick<ReportLine, 'outcome' | 'side' | 'count' | 'amount'>[];
  /** Those that were used; `inverted` where amounts were divided by it. */
  readonly rates: readonly (ExchangeRate & { readonly inverted: boolean })[];
  /** Currencies for which there is no rate: nothing of them is in the totals. */
  readonly missing: readonly string[];
}

export interface Fraction {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;
}

/**
 * `known` has at most one rate for each pair and direction. The direct one is used where there is one, however old: the inverse of another
 * direction is what somebody else quoted. Lines without a currency are records that could not be read, and have no amount.
 */
export const baseTotals = (currency: string, lines: readonly ReportLine[], known: readonly ExchangeRate[]): BaseTotals => {
  const readable = lines.filter((line) => line.currency !== '');
  const foreign = [...new Set(readable.map((line) => line.currency))].filter((code) => code !== currency).sort();
  const rateOf = ratesTo(currency, known);
  const rates = foreign.flatMap((code) => rateOf.get(code) ?? []);
  const factors = new Map([[currency, one], ...rates.map((rate) => [foreignOf(rate), factorOf(rate)] as const)]);
  const convertible = readable.filter((line) => factors.has(line.currency));
  const groups = Map.groupBy(convertible, ({ outcome, side }) => `${outcome} ${side}`);
  const totals = [...groups.values()].map((group) => {
    const { outcome, side } = group[0] as ReportLine;
    const amounts = [...Map.groupBy(group, (line) => line.currency)].map(([code, ofCode]) =>
      product(total(ofCode.map((line) => fractionOf(line.amount))), factors.get(code) as Fraction),
    );
    return {
      outcome,
      side,
      count: group.reduce((count, line) => count + line.count, 0),
      amount: rounded(total(amounts), exponentOf(currency)),
    };
  });
  return { currency, totals, rates, missing: foreign.filter((code) => !factors.has(code)) };
};

/** To `currency`, from each other one. */
const ratesTo = (currency: string, known: readonly ExchangeRate[]): ReadonlyMap<string, BaseTotals['rates'][number]> => {
  const inverse = known.filter(({ base }) => base === currency).map((rate) => [rate.quote, { ...rate, inverted: true }] as const);
  const direct = known.filter(({ quote }) => quote === currency).map((rate) => [rate.base, { ...rate, inverted: false }] as const);
  return new Map<string, BaseTotals['rates'][number]>([...inverse, ...direct]);
};

const foreignOf = ({ base, quote, inverted }: BaseTotals['rates'][number]): string => (inverted ? quote : base);

const factorOf = ({ rate, inverted }: BaseTotals['rates'][number]): Fraction => {
  const { numerator, denominator } = fractionOf(rate);
  return inverted ? { numerator: denominator, denominator: numerator } : { numerator, denominator };
};

const one: Fraction = { numerator: 1n, denominator: 1n };

const fractionOf = (decimal: string): Fraction => {
  const [whole = '', digits = ''] = decimal.split('.');
  return { numerator: BigInt(whole + digits), denominator: 10n ** BigInt(digits.length) };
};

const product = (one: Fraction, other: Fraction): Fraction => ({
  numerator: one.numerator * other.numerator,
  denominator: one.denominator * other.denominator,
});

const sum = (one: Fraction, other: Fraction): Fraction =>
  one.denominator === other.denominator
    ? { numerator: one.numerator + other.numerator, denominator: one.denominator }
    : {
        numerator: one.numerator * other.denominator + other.numerator * one.denominator,
        denominator: one.denominator * other.denominator,
      };

/** Of one or more. By halves: one after the other, each would be multiplied by the denominators of all before it. */
const total = (fractions: readonly Fraction[]): Fraction => {
  if (fractions.length === 1) return fractions[0] as Fraction;
  const half = fractions.length >>> 1;
  return sum(total(fractions.slice(0, half)), total(fractions.slice(half)));
};

const rounded = ({ numerator, denominator }: Fraction, exponent: number): string =>
  fromMinor(halfEven({ numerator: numerator * 10n ** BigInt(exponent), denominator }), exponent);

/** The nearest integer, and of two that are as near the even one: over many totals halves do not add up to one side. */
export const halfEven = ({ numerator, denominator }: Fraction): bigint => {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  const twice = 2n * (rest < 0n ? -rest : rest);
  const stays = twice < denominator || (twice === denominator && quotient % 2n === 0n);
  if (stays) return quotient;
  return quotient + (numerator < 0n ? -1n : 1n);
};
