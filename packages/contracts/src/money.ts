/** Amounts are decimal strings on the wire and integers of minor units inside; never a float. */
import { z } from 'zod';
import { isCurrency } from './currencies.ts';

/** `-12.34`, `0`, `1000000000000000`: at most 18 digits before the point and 6 after it, no exponent, no grouping. */
export const decimal = z
  .string()
  .max(32)
  .regex(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$/, 'must be a decimal number such as "12.34"')
  .meta({
    id: 'Decimal',
    description:
      'An exact decimal number as a string, such as `"12.34"`: at most 18 digits before the point and 6 after it, no exponent, no grouping.',
  });

/** What many amounts come to: a million of the largest have six digits more, and nothing that could be added up may fail when it is told. */
export const total = z
  .string()
  .max(48)
  .regex(/^-?(0|[1-9][0-9]{0,35})(\.[0-9]{1,6})?$/, 'must be a decimal number such as "12.34"')
  .meta({ id: 'Total', description: 'An exact sum of amounts as a string. It may have more digits than any of them.' });

const noCode = 'must be an ISO 4217 currency code such as "EUR"';

/** An ISO 4217 code, upper case. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, { error: noCode, abort: true })
  .refine(isCurrency, noCode)
  .meta({ id: 'Currency', description: 'A code of ISO 4217 in capitals, such as `EUR`; withdrawn ones count, too.' });

export const money = z.object({ amount: decimal, currency }).meta({ id: 'Money' });
export type Money = z.infer<typeof money>;

// ISO 4217, list one: the currencies whose minor unit is not a hundredth.
const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BIF: 0,
    CLP: 0,
    DJF: 0,
    GNF: 0,
    ISK: 0,
    JPY: 0,
    KMF: 0,
    KRW: 0,
    PYG: 0,
    RWF: 0,
    UGX: 0,
    UYI: 0,
    VND: 0,
    VUV: 0,
    XAF: 0,
    XOF: 0,
    XPF: 0,
    BHD: 3,
    IQD: 3,
    JOD: 3,
    KWD: 3,
    LYD: 3,
    OMR: 3,
    TND: 3,
    CLF: 4,
    UYW: 4,
  }),
);

/** How many decimal digits the currency's minor unit has (ISO 4217): 2 unless the standard says otherwise. */
export const exponentOf = (code: string): number => exponents.get(code) ?? 2;

/**
 * A decimal string as an integer of minor units. Returns null where the text is not a plain decimal, or has
 * non-zero digits beyond the exponent: such an amount cannot exist in that currency, and rounding would invent money.
 */
export const toMinor = (text: string, exponent: number): bigint | null => {
  const match = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  if (/[1-9]/.test(fraction.slice(exponent))) return null;
  const units = BigInt(whole + fraction.slice(0, exponent).padEnd(exponent, '0'));
  return sign === '-' ? -units : units;
};

/** Below zero where the first of two decimal strings is the smaller, above where it is the larger, and zero where they are equal. */
export const compareDecimals = (one: string, other: string): number => {
  const digits = Math.max(...[one, other].map((text) => text.split('.')[1]?.length ?? 0));
  const [first, second] = [toMinor(one, digits), toMinor(other, digits)];
  if (first === null || second === null) throw new TypeError('what is compared must be decimal numbers');
  return first < second ? -1 : Number(first > second);
};

/** Minor units as the shortest exact decimal string with the currency's own number of digits: `1234n`, 2 → `12.34`. */
export const fromMinor = (units: bigint, exponent: number): string => {
  const digits = (units < 0n ? -units : units).toString().padStart(exponent + 1, '0');
  const sign = units < 0n ? '-' : '';
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
};
