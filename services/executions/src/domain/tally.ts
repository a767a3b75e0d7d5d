/** What a reader delivered, counted row by row before anything is matched. */
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import type { ControlTotals } from './execution.ts';
import type { Chunk } from './matching/batch-builder.ts';
import { createCurrencyNumbers } from './matching/columns/currency.ts';
import { minorUnits, Sum } from './matching/columns/money.ts';

type Row = { readonly record: Readonly<Record<string, unknown>> } | { readonly partial?: Readonly<Record<string, unknown>> };

interface Total {
  readonly exponent: number;
  readonly sum: Sum;
  count: number;
}

/**
 * Counted by currency, with `''` for rows that have none. Amounts that a currency cannot hold count as no money, exactly as the
 * result for such a row holds none.
 */
export const createTally = (side: ControlTotals['side']) => {
  const totals = new Map<string, Total>();
  const totalOf = (currency: string): Total => {
    const total = totals.get(currency) ?? { exponent: exponentOf(currency), sum: new Sum(), count: 0 };
    totals.set(currency, total);
    return total;
  };
  const count = (total: Total, units: number): void => {
    total.count += 1;
    if (!Number.isNaN(units)) total.sum.add(units);
  };
  return {
    add: (row: Row): void => {
      const { currency, amount } = 'record' in row ? row.record : (row.partial ?? {});
      const name = typeof currency === 'string' ? currency : '';
      const total = totalOf(name);
      count(total, typeof amount === 'string' && name !== '' ? minorUnits(amount, total.exponent) : Number.NaN);
    },
    addChunk: ({ rows, currency, amount }: Chunk): void => {
      if (currency === undefined) {
        totalOf('').count += rows;
        return;
      }
      const numbers = createCurrencyNumbers();
      const met: Total[] = [];
      for (let row = 0; row < rows; row += 1) {
        const code = currency[row] as number;
        if (code === noCurrency) {
          totalOf('').count += 1;
          continue;
        }
        const number = numbers.of(code);
        if (number === met.length) met.push(totalOf(currencyText(code)));
        const total = met[number] as Total;
        count(total, amount?.units[row] ?? Number.NaN);
      }
    },
    totals: (): ControlTotals[] =>
      [...totals].map(([currency, { count, sum }]) => ({ side, currency, count, amountMinor: sum.total.toString() })),
  };
};
