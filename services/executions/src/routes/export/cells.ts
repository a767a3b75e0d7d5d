/** What a table of any kind is made of, and how what is read becomes a cell. */
import type { Fields } from '../../domain/stake.ts';

/** What a cell holds says how a format writes it: only text can hold what a stranger wrote. */
export type Cell = { readonly type: 'text' | 'number' | 'date'; readonly value: string } | undefined;

export type Column<Row> = readonly [name: string, cell: (row: Row) => Cell];

/** One row for each of what there is. What a row cannot hold is in the JSON lines. */
export interface Table<Row> {
  /** As people call what is in it. */
  readonly name: string;
  /** Their order is part of the contract: new ones are added at the end. */
  readonly columns: readonly Column<Row>[];
}

/** Between the values of several records. */
const separator = '; ';

export const text = (value: unknown): Cell =>
  value === null || value === undefined || value === ''
    ? undefined
    : { type: 'text', value: typeof value === 'object' ? JSON.stringify(value) : String(value) };
export const number = (value: string | number | null | undefined): Cell => {
  if (value === null || value === undefined) return undefined;
  const written = String(value);
  return /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(written) ? { type: 'number', value: written } : text(written);
};
export const date = (value: unknown): Cell => {
  const isDay = typeof value === 'string' && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  return isDay ? { type: 'date', value } : text(value);
};

const distinct = (values: readonly unknown[]): string[] => [
  ...new Set(values.filter((value) => value !== null && value !== undefined && value !== '').map((value) => text(value)?.value ?? '')),
];

/** What the records have under a name, each value once. */
export const joined = (records: readonly Fields[], name: string): Cell =>
  text(distinct(records.map((record) => record[name])).join(separator));

/** The first day that the records have. */
export const firstDate = (records: readonly Fields[]): Cell => date(distinct(records.map((record) => record['date'])).sort()[0]);
