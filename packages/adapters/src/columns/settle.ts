/** What `fields/plan.ts` settles of a record, for rows in columns: amounts against the decimals of their currencies. */
import { inCurrency } from '../fields/amount.ts';
import { empty } from '../fields/unreadable.ts';
import type { Rows } from './cells.ts';
import { currencyText, exponentOfCode, noCurrency } from './currency.ts';
import type { Amounts } from './fill-amount.ts';

// No amount has more than six decimals.
const powers = Float64Array.from({ length: 7 }, (_, exponent) => 10 ** exponent);

/** The amounts of the rows are the last ones. */
export const settleAmounts = ({ digits, scale }: Amounts, rows: Rows, currencyMapped: boolean): void => {
  const { from, to, currencies, refuse } = rows;
  const [values, scales] = [digits.values, scale.values];
  let at = digits.rows - (to - from);
  for (let row = from; row < to; row++, at++) {
    const value = values[at] as number;
    if (Number.isNaN(value)) continue;
    const currency = currencies[row] as number;
    if (currency === noCurrency) {
      if (currencyMapped) refuse(row, 'currency', empty.reason);
      continue;
    }
    const decimals = scales[at] as number;
    const exponent = exponentOfCode(currency);
    if (decimals <= exponent || value % (powers[decimals - exponent] as number) === 0) continue;
    const exact = inCurrency(decimalText(value, decimals), currencyText(currency));
    if (typeof exact !== 'string') refuse(row, 'amount', exact.reason);
  }
};

/** The canonical decimal that an amount was read from. */
const decimalText = (digits: number, scale: number): string => {
  const text = String(Math.abs(digits)).padStart(scale + 1, '0');
  return `${digits < 0 ? '-' : ''}${text.slice(0, text.length - scale)}${scale === 0 ? '' : `.${text.slice(-scale)}`}`;
};
