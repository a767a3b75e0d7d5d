/** Currency codes as whole numbers: three letters, one byte each. 0 is no currency. */
import { exponentOf } from '@settler/contracts/money';

export const noCurrency = 0;

export const currencyCode = (text: string): number =>
  /^[A-Z]{3}$/.test(text) ? (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2) : noCurrency;

export const currencyText = (code: number): string =>
  code === noCurrency ? '' : String.fromCharCode((code >>> 16) & 255, (code >>> 8) & 255, code & 255);

const isLetter = (byte: number): boolean => byte >= 65 && byte <= 90;

/** The code of three letters at `start`; `noCurrency` for anything else. */
export const currencyCodeOf = (bytes: Uint8Array, start: number, end: number): number => {
  if (end - start !== 3) return noCurrency;
  const [one, two, three] = [bytes[start] as number, bytes[start + 1] as number, bytes[start + 2] as number];
  return isLetter(one) && isLetter(two) && isLetter(three) ? (one << 16) | (two << 8) | three : noCurrency;
};

const exponentsKnown = new WeakMap<Int32Array, Uint8Array>();

/** How many decimal digits the minor unit of each row's currency has. */
export const exponentsOf = (currencies: Int32Array): Uint8Array => {
  const exponents = exponentsKnown.get(currencies) ?? findExponents(currencies);
  exponentsKnown.set(currencies, exponents);
  return exponents;
};

const findExponents = (currencies: Int32Array): Uint8Array => {
  const exponents = new Uint8Array(currencies.length);
  const known = new Map<number, number>();
  for (let row = 0; row < currencies.length; row += 1) {
    const code = currencies[row] as number;
    let exponent = known.get(code);
    if (exponent === undefined) {
      exponent = exponentOf(currencyText(code));
      known.set(code, exponent);
    }
    exponents[row] = exponent;
  }
  return exponents;
};
