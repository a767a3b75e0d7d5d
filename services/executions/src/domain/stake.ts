/** What is at stake where a person has to settle something: what its records come to. */
import { currencyCode, currencyText } from '@settler/contracts/currency-codes';
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import { type Side, sides } from './side.ts';

/** A record as it is stored. */
export type Fields = Readonly<Record<string, unknown>>;
/** Records that are settled together. */
export type Taken = Readonly<Record<Side, readonly Fields[]>>;

export interface Stake {
  readonly currency: string | null;
  /** Null where nobody knows it. */
  readonly amountMinor: bigint | null;
}

/** Whichever way the money goes. */
export const sizeOf = (amountMinor: bigint): bigint => (amountMinor < 0n ? -amountMinor : amountMinor);

/** A sum as it is told, with the digits of its currency; as it is where it has others besides, which only records without a currency have. */
export const inDigitsOf = (currency: string, sum: string): string => {
  const minor = toMinor(sum, exponentOf(currency));
  return minor === null ? sum : fromMinor(minor, exponentOf(currency));
};

/** What a stored record counts as: `currency` is empty, and `amountMinor` null, where it has none that can be read. */
export const worthOf = ({ currency, amount }: Fields): { readonly currency: string; readonly amountMinor: bigint | null } => {
  const code = currencyText(currencyCode(String(currency ?? '')));
  return { currency: code, amountMinor: code === '' || typeof amount !== 'string' ? null : toMinor(amount, exponentOf(code)) };
};

/**
 * What each side has of each currency, record by record: an amount and its opposite are both at stake, and whoever may settle little
 * does not settle much by taking two of them together. Below zero where all of them are.
 */
export const stakesOf = (taken: Taken): Stake[] =>
  sides.flatMap((side) =>
    [...Map.groupBy(taken[side].map(worthOf), ({ currency }) => currency)].map(([currency, worths]) => ({
      currency: currency === '' ? null : currency,
      amountMinor: atStake(worths.map(({ amountMinor }) => amountMinor)),
    })),
  );

const atStake = (amounts: readonly (bigint | null)[]): bigint | null => {
  const known = amounts.filter((amount) => amount !== null);
  if (known.length < amounts.length) return null;
  const sum = known.reduce((all, amount) => all + sizeOf(amount), 0n);
  return known.every((amount) => amount <= 0n) ? -sum : sum;
};

/** What to say that is at stake: the most of it; nothing where that is not known of all. */
export const mostOf = (stakes: readonly Stake[]): Stake => {
  const size = ({ amountMinor }: Stake): bigint => sizeOf(amountMinor ?? 0n);
  if (stakes.some(({ amountMinor }) => amountMinor === null)) return { currency: null, amountMinor: null };
  return stakes.reduce((most, stake) => (size(stake) > size(most) ? stake : most), stakes[0] ?? { currency: null, amountMinor: null });
};

/**
 * What a list shows of records that have to be settled: the side that comes to more, in the currency of the first of them, also where they
 * name none; null where nothing has an amount, or one cannot be read.
 */
export const shownStake = (taken: Taken): Stake => {
  const [first = {}] = [...taken.source, ...taken.target];
  const currency = currencyIn(first);
  const amountsOn = (side: Side): unknown[] =>
    taken[side].flatMap((record) => (currencyIn(record) === currency && record['amount'] != null ? [record['amount']] : []));
  const sums = sides.map(amountsOn).flatMap((amounts) => (amounts.length === 0 ? [] : [sumOf(amounts, exponentOf(currency ?? ''))]));
  const isKnown = sums.length > 0 && sums.every((sum) => sum !== null);
  return { currency, amountMinor: isKnown ? sums.reduce((most, sum) => (sizeOf(sum) > sizeOf(most) ? sum : most)) : null };
};

const currencyIn = ({ currency }: Fields): string | null => (typeof currency === 'string' ? currency : null);

const sumOf = (amounts: readonly unknown[], exponent: number): bigint | null => {
  let sum = 0n;
  for (const amount of amounts) {
    const minor = typeof amount === 'string' ? toMinor(amount, exponent) : null;
    if (minor === null) return null;
    sum += minor;
  }
  return sum;
};
