/** What results hold, by outcome, pass, side and currency: the lines of a report. */
import type { PassSum } from './certificate.ts';
import type { MatchedResult } from './matched-result.ts';
import { Sum } from './matching/columns/money.ts';
import { type Side, sides } from './side.ts';

interface Adding extends Omit<PassSum, 'count' | 'amountMinor'> {
  readonly amount: Sum;
  count: number;
}

/** By currency, each for what was carried and what was not. */
type Sums = Readonly<Record<Side, Map<string, { carried?: Adding; delivered?: Adding }>>>;

const noSums = (): Sums => ({ source: new Map(), target: new Map() });

export const createPassSums = () => {
  const byPass = new Map<string, Sums>();
  /** Most results are of the outcome and pass of the one before. */
  let recent: { readonly outcome?: string; readonly pass?: string | null; readonly sums: Sums } = { sums: noSums() };

  const sumsOfPass = (outcome: string, pass: string | null): Sums => {
    if (outcome === recent.outcome && pass === recent.pass) return recent.sums;
    const key = pass === null ? outcome : `${outcome} by ${pass}`;
    const sums = byPass.get(key) ?? noSums();
    byPass.set(key, sums);
    recent = { outcome, pass, sums };
    return sums;
  };
  return {
    add: (result: Pick<MatchedResult, 'outcome' | 'pass' | 'source' | 'target'>): void => {
      const { outcome, pass } = result;
      const sums = sumsOfPass(outcome, pass);
      for (const side of sides) {
        for (const { currency, carried, units } of result[side]) {
          let found = sums[side].get(currency);
          if (found === undefined) {
            found = {};
            sums[side].set(currency, found);
          }
          const kind = carried ? 'carried' : 'delivered';
          found[kind] ??= { side, currency, outcome, pass, carried, count: 0, amount: new Sum() };
          const sum = found[kind];
          sum.count += 1;
          if (units !== null) sum.amount.add(units);
        }
      }
    },
    all: (): readonly PassSum[] =>
      [...byPass.values()]
        .flatMap(({ source, target }) => [...source.values(), ...target.values()])
        .flatMap(({ carried, delivered }) => [carried, delivered])
        .filter((sum) => sum !== undefined)
        .map(({ amount, ...sum }) => ({ ...sum, amountMinor: amount.total })),
  };
};

export const sumsOf = (results: Iterable<MatchedResult>): readonly PassSum[] => {
  const sums = createPassSums();
  for (const result of results) sums.add(result);
  return sums.all();
};
