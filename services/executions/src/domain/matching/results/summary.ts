/** The summary: results counted by outcome, records and money by side and currency. Sums are of minor units, exactly. */
import { currencyText } from '@settler/contracts/currency-codes';
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { type RecordBatch, superseded } from '../batch.ts';
import { createCurrencyNumbers } from '../columns/currency.ts';
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
    matchRate: matchRateOf(matchedSources(results), sources),
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

/** The part of the source records that is matched, in ten-thousandths. All and nothing are said of nothing else: who reads 1 looks no further. */
export const matchRateOf = (matched: number, records: number): number => {
  if (records === 0 || matched === 0) return 0;
  if (matched === records) return 1;
  return Math.min(9_999, Math.max(1, Math.round((matched / records) * 10_000))) / 10_000;
};

const none = (): Uint32Array => new Uint32Array(outcomes.length);

/** How many results have each outcome, of all currencies and of each. */
const countsOf = (results: ResultColumns, source: RecordBatch, target: RecordBatch) => {
  const numbers = createCurrencyNumbers();
  const counts: Uint32Array[] = [];
  for (let index = 0; index < results.length; index += 1) {
    const number = numbers.of(currencyOf(results, index, source, target));
    if (number === counts.length) counts.push(none());
    const outcome = results.outcomes[index] as number;
    const ofCurrency = counts[number] as Uint32Array;
    ofCurrency[outcome] = (ofCurrency[outcome] as number) + 1;
  }
  const all = none().map((_, outcome) => counts.reduce((sum, some) => sum + (some[outcome] as number), 0));
  return { all, ofCurrency: new Map(numbers.codes().map((code, number) => [code, counts[number]])) };
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
  readonly records: number;
  readonly sum: Sum;
}

/** By currency, 0 for records without one. */
const totalsOf = ({ length, states, currencies, amounts }: RecordBatch): Map<number, Total> => {
  const numbers = createCurrencyNumbers();
  const records: number[] = [];
  const sums: Sum[] = [];
  for (let row = 0; row < length; row += 1) {
    if (states[row] === superseded) continue;
    const number = numbers.of(currencies[row] as number);
    if (number === sums.length) {
      records.push(0);
      sums.push(new Sum());
    }
    records[number] = (records[number] as number) + 1;
    const units = amounts[row] as number;
    if (!Number.isNaN(units)) (sums[number] as Sum).add(units);
  }
  return new Map(numbers.codes().map((code, number) => [code, { records: records[number] as number, sum: sums[number] as Sum }]));
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
