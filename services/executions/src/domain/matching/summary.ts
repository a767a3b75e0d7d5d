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
  const currencies = [...new Set([...source.currencies, ...target.currencies])].filter((currency) => currency !== '').sort();
  const matchedSources = results.filter(({ outcome }) => outcome === 'matched').reduce((sum, result) => sum + result.source.length, 0);
  const byCurrency = Map.groupBy(results, (result) => currencyOf(result, source, target));
  return {
    ...countsOf(results, source, target, undefined),
    matchRate: source.length === 0 ? 0 : Math.round((matchedSources / source.length) * 10_000) / 10_000,
    byCurrency: Object.fromEntries(
      currencies.map((currency) => [currency, countsOf(byCurrency.get(currency) ?? [], source, target, currency)]),
    ),
  };
};

const currencyOf = ({ source: [s], target: [t] }: MatchResult, source: RecordBatch, target: RecordBatch): string =>
  (s === undefined ? undefined : source.currencies[s]) ?? (t === undefined ? undefined : target.currencies[t]) ?? '';

const countsOf = (results: readonly MatchResult[], source: RecordBatch, target: RecordBatch, currency: string | undefined): Counts => {
  const counts: Record<string, number> = Object.fromEntries(Object.values(countName).map((name) => [name, 0]));
  for (const { outcome } of results) counts[countName[outcome]] = (counts[countName[outcome]] ?? 0) + 1;
  return { source: totalsOf(source, currency), target: totalsOf(target, currency), ...counts } as Counts;
};

const totalsOf = (batch: RecordBatch, currency: string | undefined): Counts['source'] => {
  const rows = Array.from(batch.currencies, (_, row) => row).filter((row) => currency === undefined || batch.currencies[row] === currency);
  const currencies = new Set(rows.map((row) => batch.currencies[row] ?? '').filter((name) => name !== ''));
  const [only] = currencies;
  const sum = rows.reduce((total, row) => total + (batch.amounts[row] ?? 0n), 0n);
  return { records: rows.length, amount: currencies.size === 1 && only !== undefined ? fromMinor(sum, exponentOf(only)) : null };
};
