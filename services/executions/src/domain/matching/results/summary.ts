/** The summary: results counted by outcome, records and money by side and currency. Sums are of minor units, exactly. */
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { type RecordBatch, superseded } from '../batch.ts';
import { currencyText } from '../columns/currency.ts';
import { Sum } from '../columns/money.ts';
import { outcomeIndex, type ResultColumns, rowsOf } from './columns.ts';

type Counts = Omit<ExecutionSummary, 'matchRate' | 'byCurrency'>;
type CountName = Exclude<keyof Counts, 'source' | 'target'>;

const countName: Readonly<Record<Outcome, CountName>> = {
  matched: 'matched',
  mismatched: 'mismatched',
  missing_in_target: 'missingInTarget',
  missing_in_source: 'missingInSource',
  duplicate: 'duplicates',
  ambiguous: 'ambiguous',
  invalid: 'invalid',
};

export const summarize = (results: ResultColumns, source: RecordBatch, target: RecordBatch): ExecutionSummary => {
  const totals = { source: totalsOf(source), target: totalsOf(target) };
  const counts = new Map<number, Uint32Array>();
  const all = new Uint32Array(outcomes.length);
  let matchedSources = 0;
  for (let index = 0; index < results.length; index += 1) {
    const outcome = results.outcomes[index] as number;
    all[outcome] = (all[outcome] as number) + 1;
    const currency = currencyOf(results, index, source, target);
    let ofCurrency = counts.get(currency);
    if (ofCurrency === undefined) {
      ofCurrency = new Uint32Array(outcomes.length);
      counts.set(currency, ofCurrency);
    }
    ofCurrency[outcome] = (ofCurrency[outcome] as number) + 1;
    if (outcome === outcomeIndex.matched) matchedSources += rowsOf(results, 'source', index).length;
  }
  const sources = source.length - source.supersedes.size;
  const currencies = [...new Set([...totals.source.keys(), ...totals.target.keys()])]
    .filter((code) => code !== 0)
    .sort((one, other) => one - other);
  return {
    source: overall(totals.source),
    target: overall(totals.target),
    ...countsOf(all),
    matchRate: sources === 0 ? 0 : Math.round((matchedSources / sources) * 10_000) / 10_000,
    byCurrency: Object.fromEntries(
      currencies.map((code) => [
        currencyText(code),
        {
          source: shown(code, totals.source.get(code)),
          target: shown(code, totals.target.get(code)),
          ...countsOf(counts.get(code) ?? new Uint32Array(outcomes.length)),
        },
      ]),
    ),
  };
};

/** A result's own currency: of whichever record has one. */
const currencyOf = ({ sources, targets }: ResultColumns, index: number, source: RecordBatch, target: RecordBatch): number => {
  const s = sources[index] as number;
  const t = targets[index] as number;
  return (s === -1 ? 0 : (source.currencies[s] as number)) || (t === -1 ? 0 : (target.currencies[t] as number));
};

const countsOf = (counts: Uint32Array): Omit<Counts, 'source' | 'target'> =>
  Object.fromEntries(outcomes.map((outcome, index) => [countName[outcome], counts[index]])) as Record<CountName, number>;

interface Total {
  records: number;
  readonly sum: Sum;
}

/** By currency, 0 for records without one. */
const totalsOf = ({ length, states, currencies, amounts }: RecordBatch): Map<number, Total> => {
  const totals = new Map<number, Total>();
  for (let row = 0; row < length; row += 1) {
    if (states[row] === superseded) continue;
    const code = currencies[row] as number;
    let total = totals.get(code);
    if (total === undefined) {
      total = { records: 0, sum: new Sum() };
      totals.set(code, total);
    }
    total.records += 1;
    const units = amounts[row] as number;
    if (!Number.isNaN(units)) total.sum.add(units);
  }
  return totals;
};

const shown = (code: number, total: Total | undefined): Counts['source'] => ({
  records: total?.records ?? 0,
  amount: fromMinor(total?.sum.total ?? 0n, exponentOf(currencyText(code))),
});

/** Sums of different currencies have no meaning: the amount is null unless there is just one. */
const overall = (totals: ReadonlyMap<number, Total>): Counts['source'] => {
  const records = totals.values().reduce((sum, total) => sum + total.records, 0);
  const [only, ...others] = [...totals.keys()].filter((code) => code !== 0);
  return { records, amount: only !== undefined && others.length === 0 ? shown(only, totals.get(only)).amount : null };
};
