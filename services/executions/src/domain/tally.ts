/** What a reader delivered, counted row by row before anything is matched. */
import { exponentOf, toMinor } from '@settler/contracts/money';
import type { ControlTotals } from './execution.ts';
import type { Chunk } from './matching/batch-builder.ts';

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
      total.count += 1;
      total.amountMinor += minor ?? 0n;
      totals.set(name, total);
    },
    addChunk: ({ rows, texts, amount }: Chunk): void => {
      const cells = texts.get('currency');
      const decoder = new TextDecoder();
      let name = '';
      let code = -1;
      for (let row = 0; row < rows; row += 1) {
        const start = cells?.offsets[row] ?? 0;
        const end = cells?.offsets[row + 1] ?? 0;
        // Most rows have the currency of the one before.
        const packed =
          end - start === 3
            ? ((cells?.bytes[start] ?? 0) << 16) | ((cells?.bytes[start + 1] ?? 0) << 8) | (cells?.bytes[start + 2] ?? 0)
            : -1;
        if (packed === -1 || packed !== code) name = cells === undefined ? '' : decoder.decode(cells.bytes.subarray(start, end));
        code = packed;
        const total = totals.get(name) ?? { count: 0, amountMinor: 0n };
        total.count += 1;
        const digits = amount?.digits[row] ?? Number.NaN;
        if (!Number.isNaN(digits) && name !== '') total.amountMinor += minorOf(digits, amount?.scale[row] ?? 0, exponentOf(name));
        totals.set(name, total);
      }
    },
    totals: (): ControlTotals[] =>
      [...totals].map(([currency, { count, amountMinor }]) => ({ side, currency, count, amountMinor: amountMinor.toString() })),
  };
};

/** 0 where the currency has no such amount. */
const minorOf = (digits: number, scale: number, exponent: number): bigint => {
  const units = BigInt(digits) * 10n ** BigInt(Math.max(0, exponent - scale));
  const divisor = 10n ** BigInt(Math.max(0, scale - exponent));
  return units % divisor === 0n ? units / divisor : 0n;
};
