/** A result as one row: what a person sorts and sums by. What a row cannot hold, such as conditions, is in the JSON lines. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { ResultView } from '../../application/queries.ts';
import type { Side } from '../../domain/side.ts';

/** What a cell holds says how a format writes it: only text can hold what a stranger wrote. */
export type Cell = { readonly type: 'text' | 'number' | 'date'; readonly value: string } | undefined;

type Fields = Readonly<Record<string, unknown>>;

/** Between the values of a side of several records. */
const separator = '; ';

export const cellsOf = (result: ResultView): Cell[] => columns.map(([, cell]) => cell(result));

const text = (value: unknown): Cell =>
  value === null || value === undefined || value === ''
    ? undefined
    : { type: 'text', value: typeof value === 'object' ? JSON.stringify(value) : String(value) };
const number = (value: string | number | null | undefined): Cell => {
  if (value === null || value === undefined) return undefined;
  const written = String(value);
  return /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(written) ? { type: 'number', value: written } : text(written);
};
const date = (value: unknown): Cell => {
  const isDay = typeof value === 'string' && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  return isDay ? { type: 'date', value } : text(value);
};

const recordsOf = (result: ResultView, side: Side): readonly Fields[] => result[side] as readonly Fields[];
const distinct = (values: readonly unknown[]): string[] => [
  ...new Set(values.filter((value) => value !== null && value !== undefined && value !== '').map((value) => text(value)?.value ?? '')),
];
const joined =
  (name: string, side: Side) =>
  (result: ResultView): Cell =>
    text(distinct(recordsOf(result, side).map((record) => record[name])).join(separator));

/** The sum of a side, exactly; nothing where it has several currencies, or an amount that is none. */
const amount =
  (side: Side) =>
  (result: ResultView): Cell => {
    const records = recordsOf(result, side);
    const [first] = records;
    if (first === undefined) return undefined;
    if (records.length === 1) return number(text(first['amount'])?.value);
    const currency = String(first['currency']);
    const exponent = exponentOf(currency);
    let sum = 0n;
    for (const record of records) {
      const units = record['currency'] === first['currency'] ? toMinor(String(record['amount']), exponent) : null;
      if (units === null) return undefined;
      sum += units;
    }
    return number(fromMinor(sum, exponent));
  };

/** The first day of a side. */
const firstDate =
  (side: Side) =>
  (result: ResultView): Cell =>
    date(distinct(recordsOf(result, side).map((record) => record['date'])).sort()[0]);

const ofSide = (side: Side): readonly Column[] => [
  [`${side}Ids`, joined('id', side)],
  [`${side}Amount`, amount(side)],
  [`${side}Currency`, joined('currency', side)],
  [`${side}Date`, firstDate(side)],
  [`${side}References`, joined('reference', side)],
  [`${side}Counterparties`, joined('counterparty', side)],
  [`${side}Records`, (result) => number(result[side].length)],
];

type Column = readonly [name: string, cell: (result: ResultView) => Cell];

/** Their order is part of the contract: new ones are added at the end. */
const columns: readonly Column[] = [
  ['id', ({ id }) => text(id)],
  ['outcome', ({ outcome }) => text(outcome)],
  ['pass', ({ pass }) => text(pass)],
  ['cardinality', ({ cardinality }) => text(cardinality)],
  ['score', ({ score }) => number(score)],
  ['margin', ({ margin }) => number(margin)],
  ...ofSide('source'),
  ...ofSide('target'),
  ['deltaAmount', ({ delta }) => number(delta?.amount)],
  ['deltaDays', ({ delta }) => number(delta?.days)],
  ['category', ({ category }) => text(category)],
  ['reason', ({ reason }) => text(reason)],
  ['line', ({ line }) => number(line)],
  ['dueOn', ({ dueOn }) => date(dueOn)],
  ['exceptionId', ({ exceptionId }) => text(exceptionId)],
  ['matchedBy', ({ manual }) => text(manual?.by.id)],
  ['matchedAt', ({ manual }) => text(manual?.at)],
  ['matchNote', ({ manual }) => text(manual?.note)],
];

export const columnNames: readonly string[] = columns.map(([name]) => name);
