/**
 * ISO 4217 codes as whole numbers, as columns hold and kernels compare them: three upper-case letters, one byte each, the first in the
 * highest.
 */

/** In place of a code where there is none. */
export const noCurrency = 0;

/** `noCurrency` of a text that is not three such letters; whether ISO 4217 lists them, `currencies.ts` says. */
export const currencyCode = (text: string): number =>
  /^[A-Z]{3}$/.test(text) ? (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2) : noCurrency;

/** Empty of `noCurrency`. */
export const currencyText = (code: number): string =>
  code === noCurrency ? '' : String.fromCharCode((code >>> 16) & 255, (code >>> 8) & 255, code & 255);
