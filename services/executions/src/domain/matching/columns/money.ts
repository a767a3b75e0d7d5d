/**
 * Amounts as whole numbers of minor units in doubles, exact up to 2^53 − 1 (90 million million in a currency with cents), which is
 * checked where they come in. Sums may be larger, and are kept in two parts.
 */
import { fromMinor } from '@settler/contracts/money';

export const noAmount = Number.NaN;

const decimalForm = /^([+-]?)(\d{1,18})(?:\.(\d{1,12}))?$/;

/**
 * A decimal text in minor units: NaN where it is not a plain decimal, has non-zero digits beyond the exponent, or is too large to
 * be exact. Rounding would invent money.
 */
export const minorUnits = (text: string, exponent: number): number => {
  const match = decimalForm.exec(text);
  if (match === null) return noAmount;
  const [, sign, whole = '', fraction = ''] = match;
  if (/[1-9]/.test(fraction.slice(exponent))) return noAmount;
  const units = Number(whole + fraction.slice(0, exponent).padEnd(exponent, '0'));
  if (!Number.isSafeInteger(units)) return noAmount;
  return sign === '-' ? 0 - units : units;
};

/** Minor units as a decimal text with the currency's own number of digits: 1234, 2 → `12.34`. */
export const decimalText = (units: number, exponent: number): string => {
  const digits = Math.abs(units)
    .toString()
    .padStart(exponent + 1, '0');
  const sign = units < 0 ? '-' : '';
  return exponent === 0 ? sign + digits : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
};

/** One amount less another, as a decimal text, also where the difference is beyond a double. */
export const differenceText = (one: number, other: number, exponent: number): string => {
  const difference = one - other;
  return Number.isSafeInteger(difference) ? decimalText(difference, exponent) : fromMinor(BigInt(one) - BigInt(other), exponent);
};

const partMax = 2 ** 52;

/** An exact sum of any number of amounts. */
export class Sum {
  #part = 0;
  #whole = 0n;

  add(units: number): void {
    if (units > partMax || units < -partMax) {
      this.#whole += BigInt(units);
      return;
    }
    this.#part += units;
    if (this.#part <= partMax && this.#part >= -partMax) return;
    this.#whole += BigInt(this.#part);
    this.#part = 0;
  }

  get total(): bigint {
    return this.#whole + BigInt(this.#part);
  }
}
