/** What `fields/plan.ts` settles of a record, for rows in columns: amounts become minor units of their currencies. */
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { inCurrency, mayBeThousands, twoWays } from '../fields/amount.ts';
import { mayMeanThousands } from '../fields/plan.ts';
import { empty } from '../fields/unreadable.ts';
import { exponentBits, exponentPlaces } from '../kernel/exponents.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Rows } from './cells.ts';
import type { Amounts } from './fill-amount.ts';
import { eachRow } from './plain.ts';

/** How many decimals a currency has; the kernel knows it from then on. */
const exponentIn = ({ bytes, knownExponents }: Kernel, currency: number): number => {
  const place = knownExponents + 4 * (currency & (exponentPlaces - 1));
  const known = bytes.readUInt32LE(place);
  if (known >>> exponentBits === currency) return known & ((1 << exponentBits) - 1);
  const exponent = exponentOf(currencyText(currency));
  bytes.writeUInt32LE(((currency << exponentBits) | exponent) >>> 0, place);
  return exponent;
};

// No amount has more than six decimals, and no currency more than four.
const powers = Float64Array.from({ length: 7 }, (_, exponent) => 10 ** exponent);

/** digits × 10^−decimals in minor units; NaN where that is not a whole number of them, or too large. */
export const minorUnits = (digits: number, decimals: number, exponent: number): number => {
  if (decimals > exponent) {
    const divisor = powers[decimals - exponent] as number;
    return digits % divisor === 0 ? digits / divisor : Number.NaN;
  }
  const units = digits * (powers[exponent - decimals] as number);
  return Number.isSafeInteger(units) ? units : Number.NaN;
};

/** The amounts of the rows are the last ones, and digits until now. */
export const settleAmounts = ({ units, unfit }: Amounts, rows: Rows, currencyMapped: boolean, pointAssumed: boolean): void => {
  const { table, to, currencies, decimals, refuse } = rows;
  const { kernel } = table;
  const first = units.rows - to;

  const settle = (row: number): void => {
    const digits = units.values[first + row] as number;
    if (Number.isNaN(digits)) return;
    const currency = currencies[row] as number;
    const scale = decimals[row] as number;
    const exponent = currency === noCurrency ? 0 : exponentIn(kernel, currency);
    const exact = currency === noCurrency ? Number.NaN : minorUnits(digits, scale, exponent);
    units.values[first + row] = exact;
    if (pointAssumed && !Number.isNaN(exact) && mayBeThousands(digits, scale, exponent)) {
      units.values[first + row] = Number.NaN;
      refuse(row, 'amount', twoWays(decimalText(digits, scale)).reason);
      return;
    }
    if (!Number.isNaN(exact)) return;
    const decimal = decimalText(digits, scale);
    unfit.push({ row: first + row, decimal });
    if (currency === noCurrency) {
      if (currencyMapped) refuse(row, 'currency', empty.reason);
      return;
    }
    const read = inCurrency(decimal, currencyText(currency));
    if (typeof read !== 'string') refuse(row, 'amount', read.reason);
  };

  eachRow(
    rows,
    (row, count) => {
      const { bytes, values, texts } = kernel;
      new Int32Array(bytes.buffer, values, count).set(currencies.subarray(row, row + count));
      bytes.set(decimals.subarray(row, row + count), texts);
      return kernel.run.agreeing(values, texts, count, kernel.knownExponents);
    },
    settle,
  );
};

/** What was read of a row's amount beside `amount`, which may have been written for thousands. */
export type Doubtful = { readonly row: number; readonly amount: string };

export const refuseDoubtful = ({ currencies, refuse }: Rows, field: string, doubtful: readonly Doubtful[]): void => {
  for (const { row, amount } of doubtful) {
    const currency = currencies[row] as number;
    if (currency !== noCurrency && mayMeanThousands(amount, currencyText(currency))) refuse(row, field, twoWays(amount).reason);
  }
};

/** The canonical decimal that an amount was read from. */
const decimalText = (digits: number, scale: number): string => {
  const text = String(Math.abs(digits)).padStart(scale + 1, '0');
  return `${digits < 0 ? '-' : ''}${text.slice(0, text.length - scale)}${scale === 0 ? '' : `.${text.slice(-scale)}`}`;
};
