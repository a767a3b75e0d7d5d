/** What a run has opened, as its trend tells it: by category and currency. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import { sizeOf } from './stake.ts';

export interface OpenedException {
  readonly category: string;
  readonly currency: string | null;
  readonly amount: string | null;
  /** How many there are, and then `amount` is their sum, whatever their signs; absent, it is one. */
  readonly count?: number;
}

export interface OpenedLine {
  readonly category: string;
  /** Empty where there is none. */
  readonly currency: string;
  readonly count: number;
  /** The sum of their amounts, whatever their signs. */
  readonly amount: string;
}

export const openedLines = (opened: readonly OpenedException[]): OpenedLine[] => {
  const lines = new Map<string, { category: string; currency: string; count: number; minor: bigint }>();
  for (const { category, currency, amount, count = 1 } of opened) {
    const name = `${category} ${currency ?? ''}`;
    const line = lines.get(name) ?? { category, currency: currency ?? '', count: 0, minor: 0n };
    line.count += count;
    // Of what, nobody knows, where there is no currency.
    line.minor += amount === null || currency === null ? 0n : sizeOf(toMinor(amount, exponentOf(line.currency)) ?? 0n);
    lines.set(name, line);
  }
  return [...lines]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { minor, ...line }]) => ({ ...line, amount: fromMinor(minor, exponentOf(line.currency)) }));
};

export const openedCount = (lines: readonly OpenedLine[]): number => lines.reduce((sum, { count }) => sum + count, 0);
