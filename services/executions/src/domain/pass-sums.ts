/** What results hold, by outcome, pass, side and currency: the lines of a report. */
import type { PassSum } from './certificate.ts';
import type { MatchedResult } from './matched-result.ts';
import { Sum } from './matching/columns/money.ts';

interface Adding extends Omit<PassSum, 'count' | 'amountMinor'> {
  readonly amount: Sum;
  count: number;
}

export const createPassSums = () => {
  const byPass = new Map<string, Map<string, Adding>>();
  /** Most results are of the outcome and pass of the one before. */
  let recent: { readonly outcome?: string; readonly pass?: string | null; readonly sums: Map<string, Adding> } = { sums: new Map() };

  const sumsOfPass = (outcome: string, pass: string | null): Map<string, Adding> => {
    if (outcome === recent.outcome && pass === recent.pass) return recent.sums;
    const key = pass === null ? outcome : `${outcome} by ${pass}`;
    const sums = byPass.get(key) ?? new Map<string, Adding>();
    byPass.set(key, sums);
    recent = { outcome, pass, sums };
    return sums;
  };
  return {
    add: ({ outcome, pass, ...records }: Pick<MatchedResult, 'outcome' | 'pass' | 'source' | 'target'>): void => {
      const sums = sumsOfPass(outcome, pass);
      for (const side of ['source', 'target'] as const) {
        for (const { currency, carried, amountMinor } of records[side]) {
          const key = `${side} ${carried} ${currency}`;
          let sum = sums.get(key);
          if (sum === undefined) {
            sum = { side, currency, outcome, pass, carried, count: 0, amount: new Sum() };
            sums.set(key, sum);
          }
          sum.count += 1;
          if (amountMinor !== null) sum.amount.add(Number(amountMinor));
        }
      }
    },
    all: (): readonly PassSum[] =>
      [...byPass.values()].flatMap((sums) => [...sums.values()].map(({ amount, ...sum }) => ({ ...sum, amountMinor: amount.total }))),
  };
};

export const sumsOf = (results: Iterable<MatchedResult>): readonly PassSum[] => {
  const sums = createPassSums();
  for (const result of results) sums.add(result);
  return sums.all();
};
