/** What a reader delivered, counted row by row before anything is matched. */
import { exponentOf, toMinor } from '@settler/contracts/money';
import type { ControlTotals } from './execution.ts';

type Row = { readonly record: Readonly<Record<string, unknown>> } | { readonly partial?: Readonly<Record<string, unknown>> };

/**
 * Counted by currency, with `''` for rows that have none. Amounts that a currency cannot hold count as no money, exactly as the
 * result for such a row holds none.
 */
export const createTally = (side: ControlTotals['side']) => {
  const totals = new Map<string, { count: number; amountMinor: bigint }>();
  return {
    add: (row: Row): void => {
      const fields = 'record' in row ? row.record : (row.partial ?? {});
      const { currency, amount } = fields;
      const name = typeof currency === 'string' ? currency : '';
      const total = totals.get(name) ?? { count: 0, amountMinor: 0n };
      const minor = typeof amount === 'string' && name !== '' ? toMinor(amount, exponentOf(name)) : null;
      totals.set(name, { count: total.count + 1, amountMinor: total.amountMinor + (minor ?? 0n) });
    },
    totals: (): ControlTotals[] =>
      [...totals].map(([currency, { count, amountMinor }]) => ({ side, currency, count, amountMinor: amountMinor.toString() })),
  };
};
