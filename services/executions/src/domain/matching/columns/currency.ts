/** What is to be known of the currencies of rows, which are codes as numbers. */
import { currencyText } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';

/**
 * Numbers the currencies that rows have, from 0 in the order in which they are met. Few currencies are most of the rows, and nearly
 * always the last letter tells these apart: looking each up in a map would cost more than what is done with it.
 */
export const createCurrencyNumbers = () => {
  const numbers = new Map<number, number>();
  const recentCodes = new Int32Array(32).fill(-1);
  const recentNumbers = new Uint32Array(32);
  const remember = (code: number): number => {
    const number = numbers.get(code) ?? numbers.size;
    numbers.set(code, number);
    recentCodes[code & 31] = code;
    recentNumbers[code & 31] = number;
    return number;
  };
  return {
    of: (code: number): number => (recentCodes[code & 31] === code ? (recentNumbers[code & 31] as number) : remember(code)),
    /** By their numbers. */
    codes: (): number[] => [...numbers.keys()],
  };
};

const recentCodes = new Int32Array(32).fill(-1);
const recentExponents = new Uint8Array(32);

/** How many decimal digits the minor unit of a currency has. */
export const exponentOfCode = (code: number): number => {
  const place = code & 31;
  if (recentCodes[place] !== code) {
    recentExponents[place] = exponentOf(currencyText(code));
    recentCodes[place] = code;
  }
  return recentExponents[place] as number;
};

const exponentsKnown = new WeakMap<Int32Array, Uint8Array>();

/** Of each row. */
export const exponentsOf = (currencies: Int32Array): Uint8Array => {
  const exponents = exponentsKnown.get(currencies) ?? findExponents(currencies);
  exponentsKnown.set(currencies, exponents);
  return exponents;
};

const findExponents = (currencies: Int32Array): Uint8Array => {
  const exponents = new Uint8Array(currencies.length);
  for (let row = 0; row < currencies.length; row += 1) exponents[row] = exponentOfCode(currencies[row] as number);
  return exponents;
};
