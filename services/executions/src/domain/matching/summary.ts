/** The summary: results counted by outcome, records and money by side and currency. Sums are of minor units, exactly. */
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { RecordBatch } from './batch.ts';
import type { MatchResult } from './result.ts';

type Counts = Omit<ExecutionSummary, 'matchRate' | 'byCurrency'>;

const countName: Readonly<Record<Outcome, Exclude<keyof Counts, 'source' | 'target'>>> = {
  matched: 'matched',
  mismatched: 'mismatched',
  missing_in_target: 'missingInTarget',
  missing_in_source: 'missingInSource',
  duplicate: 'duplicates',
  ambiguous: 'ambiguous',
  invalid: 'invalid',
};

export const summarize = (results: readonly MatchResult[], source: RecordBatch, target: RecordBatch): ExecutionSummary => {
  const totals = { source: totalsOf(source), target: totalsOf(target) };
  const outcomes = Map.groupBy(results, (result) => currencyOf(result, source, target));
  const currencies = [...new Set([...totals.source.keys(), ...totals.target.keys()])].filter((currency) => currency !== '').sort();
  const matchedSources = results.reduce((sum, result) => sum + (result.outcome === 'matched' ? result.source.length : 0), 0);
  return {
    source: overall(totals.source),
    target: overall(totals.target),
    ...countsOf(results),
    matchRate: source.length === 0 ? 0 : Math.round((matchedSources / source.length) * 10_000) / 10_000,
    byCurrency: Object.fromEntries(
      currencies.map((currency) => [
        currency,
        {
          source: shown(currency, totals.source.get(currency)),
          target: shown(currency, totals.target.get(currency)),
          ...countsOf(outcomes.get(currency) ?? []),
        },
      ]),
    ),
  };
};

/** A result's own currency: of whichever record has one. */
const currencyOf = ({ source: [s], target: [t] }: MatchResult, source: RecordBatch, target: RecordBatch): string =>
  (s === undefined ? '' : source.currencies[s]) || (t === undefined ? '' : target.currencies[t]) || '';

const countsOf = (results: readonly MatchResult[]): Omit<Counts, 'source' | 'target'> => {
  const counts = { matched: 0, mismatched: 0, missingInTarget: 0, missingInSource: 0, duplicates: 0, ambiguous: 0, invalid: 0 };
  for (const { outcome } of results) counts[countName[outcome]] += 1;
  return counts;
};

interface Total {
  records: number;
  minor: bigint;
}

/** By currency, `''` for records without one. */
const totalsOf = (batch: RecordBatch): Map<string, Total> => {
  const totals = new Map<string, Total>();
  for (const [row, currency] of batch.currencies.entries()) {
    const total = totals.get(currency) ?? { records: 0, minor: 0n };
    total.records += 1;
    total.minor += batch.amounts[row] ?? 0n;
    totals.set(currency, total);
  }
  return totals;
};

const shown = (currency: string, { records, minor }: Total = { records: 0, minor: 0n }): Counts['source'] => ({
  records,
  amount: fromMinor(minor, exponentOf(currency)),
});

/** Sums of different currencies have no meaning: the amount is null unless there is just one. */
const overall = (totals: ReadonlyMap<string, Total>): Counts['source'] => {
  const records = totals.values().reduce((sum, total) => sum + total.records, 0);
  const [only, ...others] = [...totals.keys()].filter((currency) => currency !== '');
  const isOne = only !== undefined && others.length === 0;
  return { records, amount: isOne ? shown(only, totals.get(only)).amount : null };
};
