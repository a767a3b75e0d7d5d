/** What results hold, by outcome, pass, side and currency: the lines of a report whose results are not stored. */
import type { PassSum } from './certificate.ts';
import type { MatchedResult } from './matched-result.ts';

export const sumsOf = (results: Iterable<MatchedResult>): PassSum[] => {
  const sums = new Map<string, PassSum>();
  for (const { outcome, pass, source, target } of results) {
    for (const [side, records] of [['source', source] as const, ['target', target] as const]) {
      for (const { currency, carried, amountMinor } of records) {
        const key = JSON.stringify([outcome, side, currency, pass, carried]);
        const sum = sums.get(key) ?? { side, currency, outcome, pass, carried, count: 0, amountMinor: 0n };
        sums.set(key, { ...sum, count: sum.count + 1, amountMinor: sum.amountMinor + (amountMinor ?? 0n) });
      }
    }
  }
  return [...sums.values()];
};
