/**
 * The conservation certificate: per side and currency, what came in is what the outcomes hold, in counts and in money.
 * It is computed from what the stored results bring with them against what the readers counted, by two paths that share no sum.
 */
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { Certificate, CertificateLine, ControlTotals, ReportLine } from './execution.ts';
import type { Side } from './side.ts';

/**
 * A sum over records, or what renaming some of them changes in one; only all sums of an outcome together are never below zero.
 * `currency` is empty for records that could not be read far enough to have one.
 */
export interface StoredSum {
  readonly side: Side;
  readonly currency: string;
  readonly outcome: string;
  readonly carried: boolean;
  readonly count: number;
  readonly amountMinor: bigint;
}

export type PassSum = StoredSum & { readonly pass: string | null };

interface Total {
  count: number;
  amountMinor: bigint;
}

export const certify = (control: readonly ControlTotals[], stored: readonly StoredSum[]): Certificate => {
  const keys = new Set([...control, ...stored].map(({ side, currency }) => `${side} ${currency}`));
  const lines = [...keys].sort().map((key) => {
    const [side = '', currency = ''] = key.split(' ');
    const here = (item: { side: string; currency: string }) => item.side === side && item.currency === currency;
    return lineFor(side as 'source' | 'target', currency, control.filter(here), stored.filter(here));
  });
  return { lines, holds: lines.every(({ difference }) => difference.count === 0 && /^-?0(\.0+)?$/.test(difference.amount)) };
};

const lineFor = (side: Side, currency: string, control: readonly ControlTotals[], stored: readonly StoredSum[]): CertificateLine => {
  const shown = ({ count, amountMinor }: Total) => ({ count, amount: fromMinor(amountMinor, exponentOf(currency)) });
  const ingested = sum(control.map(({ count, amountMinor }) => ({ count, amountMinor: BigInt(amountMinor) })));
  const opening = sum(stored.filter(({ carried }) => carried));
  const accounted = sum(stored);
  const byOutcome = [...Map.groupBy(stored, ({ outcome }) => outcome)].map(([outcome, rows]) => [outcome, sum(rows)] as const);
  return {
    side,
    currency,
    ingested: shown(ingested),
    opening: shown(opening),
    accounted: shown(accounted),
    // What all of its records were renamed from is no outcome any more.
    byOutcome: Object.fromEntries(
      byOutcome
        .filter(([, { count }]) => count !== 0)
        .sort()
        .map(([outcome, total]) => [outcome, shown(total)]),
    ),
    difference: shown({
      count: ingested.count + opening.count - accounted.count,
      amountMinor: ingested.amountMinor + opening.amountMinor - accounted.amountMinor,
    }),
  };
};

const sum = (totals: readonly Total[]): Total => ({
  count: totals.reduce((count, total) => count + total.count, 0),
  amountMinor: totals.reduce((amount, total) => amount + total.amountMinor, 0n),
});

/** Counts and sums per outcome, side, currency and pass, in a fixed order. */
export const outcomeLines = (sums: readonly PassSum[]): ReportLine[] => {
  const groups = Map.groupBy(sums, ({ outcome, side, currency, pass }) => JSON.stringify([outcome, side, currency, pass]));
  return [...groups]
    .map(([key, rows]) => ({ key, ...sum(rows) }))
    .filter(({ count }) => count !== 0)
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ key, count, amountMinor }) => {
      const [outcome, side, currency, pass] = JSON.parse(key) as [string, 'source' | 'target', string, string | null];
      return { outcome, side, currency, pass, count, amount: fromMinor(amountMinor, exponentOf(currency)) };
    });
};
