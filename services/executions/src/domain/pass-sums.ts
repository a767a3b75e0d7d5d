/** What results hold, by outcome, pass, side and currency: the lines of a report. */
import type { PassSum } from './certificate.ts';
import type { MatchedResult } from './matched-result.ts';

export const createPassSums = () => {
  const sums = new Map<string, { -readonly [Name in keyof PassSum]: PassSum[Name] }>();
  return {
    add: ({ outcome, pass, ...records }: Pick<MatchedResult, 'outcome' | 'pass' | 'source' | 'target'>): void => {
      for (const side of ['source', 'target'] as const) {
        for (const { currency, carried, amountMinor } of records[side]) {
          const key = `${outcome} ${side} ${currency} ${carried} ${pass === null ? '' : `by ${pass}`}`;
          const sum = sums.get(key) ?? { side, currency, outcome, pass, carried, count: 0, amountMinor: 0n };
          sum.count += 1;
          sum.amountMinor += amountMinor ?? 0n;
          sums.set(key, sum);
        }
      }
    },
    all: (): readonly PassSum[] => [...sums.values()],
  };
};

export const sumsOf = (results: Iterable<MatchedResult>): readonly PassSum[] => {
  const sums = createPassSums();
  for (const result of results) sums.add(result);
  return sums.all();
};
