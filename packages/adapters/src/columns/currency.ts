/** Currency codes as numbers: three upper-case letters of five bits each. */
import { exponentOf } from '@settler/contracts/money';

export const noCurrency = 0xffff;

const letterA = 65;

/** Of the bytes of three upper-case letters. */
export const packed = (one: number, two: number, three: number): number =>
  ((one - letterA) << 10) | ((two - letterA) << 5) | (three - letterA);

export const packedText = (code: string): number => packed(code.charCodeAt(0), code.charCodeAt(1), code.charCodeAt(2));

export const unpacked = (currency: number): string =>
  String.fromCharCode(letterA + (currency >> 10), letterA + ((currency >> 5) & 31), letterA + (currency & 31));

const unknown = 255;
const exponents = new Uint8Array(1 << 15).fill(unknown);

/** How many decimals the currency has, from a table that fills itself: a million rows ask. */
export const exponentOfPacked = (currency: number): number => {
  if (exponents[currency] === unknown) exponents[currency] = exponentOf(unpacked(currency));
  return exponents[currency] as number;
};
