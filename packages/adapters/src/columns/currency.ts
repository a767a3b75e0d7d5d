/** Currency codes as numbers: three upper-case letters, one byte each, the first in the highest. */
import { exponentOf } from '@settler/contracts/money';
import { noCurrency } from '../columns.ts';

export { noCurrency };

/** Of a code. */
export const currencyCode = (text: string): number => (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2);

export const currencyText = (code: number): string => String.fromCharCode(code >> 16, (code >> 8) & 255, code & 255);

/** By their last letters, which nearly always tell those of one file apart. */
const recentCodes = new Int32Array(32);
const recentExponents = new Uint8Array(32);

/** How many decimals the currency has, from a table that fills itself: a million rows ask. */
export const exponentOfCode = (code: number): number => {
  const place = code & 31;
  if (recentCodes[place] !== code) {
    recentExponents[place] = exponentOf(currencyText(code));
    recentCodes[place] = code;
  }
  return recentExponents[place] as number;
};
