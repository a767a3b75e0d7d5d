/** The summary: results counted by outcome, records and money by side and currency. Sums are of minor units, exactly. */
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { type RecordBatch, superseded } from '../batch.ts';
import { currencyText } from '../columns/currency.ts';
import { Sum } from '../columns/money.ts';
import { outcomeIndex, type ResultColumns } from './columns.ts';

type Counts = Omit<ExecutionSummary, 'matchRate' | 'byCurrency'>;
type CountName = Exclude<keyof Counts, 'source' | 'target'>;

/** What the summary calls the number of results of an outcome. */
export const countName: Readonly<Record<Outcome, CountName>> = {
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
  const { all, ofCurrency } = countsOf(results, source, target);
  const sources = totals.source.values().reduce((sum, { records }) => sum + records, 0);
  const currencies = [...new Set([...totals.source.keys(), ...totals.target.keys()])]
    .filter((code) => code !== 0)
    .sort((one, other) => one - other);
  return {
    source: overall(totals.source),
    target: overall(totals.target),
    ...named(all),
    matchRate: sources === 0 ? 0 : Math.round((matchedSources(results) / sources) * 10_000) / 10_000,
    byCurrency: Object.fromEntries(
      currencies.map((code) => [
        currencyText(code),
        {
          source: shown(code, totals.source.get(code)),
          target: shown(code, totals.target.get(code)),
          ...named(ofCurrency.get(code) ?? none()),
        },
      ]),
    ),
  };
};

const none = (): Uint32Array => new Uint32Array(outcomes.length);

/** How many results have each outcome. Most neighbours are of one currency, which is then looked up once. */
const countsOf = (results: ResultColumns, source: RecordBatch, target: RecordBatch) => {
  const all = none();
  const ofCurrency = new Map<number, Uint32Array>();
  let current = -1;
  let counts = all;
  for (let index = 0; index < results.length; index += 1) {
    const currency = currencyOf(results, index, source, target);
    if (currency !== current) {
      current = currency;
      counts = ofCurrency.get(currency) ?? none();
      ofCurrency.set(currency, counts);
    }
    const outcome = results.outcomes[index] as number;
    counts[outcome] = (counts[outcome] as number) + 1;
  }
  for (const some of ofCurrency.values()) for (const [outcome, count] of some.entries()) all[outcome] = (all[outcome] as number) + count;
  return { all, ofCurrency };
};

/** A result's own currency: of whichever record has one. */
const currencyOf = ({ sources, targets }: ResultColumns, index: number, source: RecordBatch, target: RecordBatch): number => {
  const s = sources[index] as number;
  const t = targets[index] as number;
  return (s === -1 ? 0 : (source.currencies[s] as number)) || (t === -1 ? 0 : (target.currencies[t] as number));
};

const matchedSources = ({ length, outcomes: found, sources, extras }: ResultColumns): number => {
  let count = 0;
  for (let index = 0; index < length; index += 1) if (found[index] === outcomeIndex.matched && sources[index] !== -1) count += 1;
  for (const [index, { source }] of extras)
    if (found[index] === outcomeIndex.matched && source !== undefined && source.length > 1) count += source.length - 1;
  return count;
};

const named = (counts: Uint32Array): Omit<Counts, 'source' | 'target'> =>
  Object.fromEntries(outcomes.map((outcome, index) => [countName[outcome], counts[index]])) as Record<CountName, number>;

interface Total {
  records: number;
  readonly sum: Sum;
}

/** By currency, 0 for records without one. */
const totalsOf = ({ length, states, currencies, amounts }: RecordBatch): Map<number, Total> => {
  const totals = new Map<number, Total>();
  let current = -1;
  let total: Total = { records: 0, sum: new Sum() };
  for (let row = 0; row < length; row += 1) {
    if (states[row] === superseded) continue;
    const code = currencies[row] as number;
    if (code !== current) {
      current = code;
      total = totals.get(code) ?? { records: 0, sum: new Sum() };
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
