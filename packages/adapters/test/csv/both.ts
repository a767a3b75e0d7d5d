/** A CSV input read as rows and as columns, which must say the same; every test of the one is thereby a test of the other. */
import { isUtf8 } from 'node:buffer';
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { expect } from 'vitest';
import { type ColumnChunk, noDay, type TextCells } from '../../src/columns.ts';
import { type ReadContext, ReaderFailure, type ReadRow } from '../../src/reader.ts';
import { openReader } from '../../src/readers.ts';
import { contextOf, readRows } from '../reading.ts';

/** One row, in the form in which both readers can be compared. */
type Said = { line: number | undefined; fields: Record<string, string>; field?: string | undefined; reason?: string };

/** Decimals that columns do not have, zeros at the end of a fraction, taken off. */
const shortest = (amount: string): string => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount);

const saidByRow = (row: ReadRow): Said => {
  const record = 'record' in row ? row.record : (row.partial ?? {});
  const fields = Object.entries(record).flatMap(([name, value]): [string, string][] => {
    if (typeof value !== 'string') throw new Error(`${name} is no text`);
    return value === '' ? [] : [[name, name === 'amount' ? shortest(value) : value]];
  });
  const said = { line: row.line, fields: Object.fromEntries(fields) };
  return 'record' in row ? said : { ...said, field: row.invalid.field, reason: row.invalid.reason };
};

const textAt = ({ bytes, offsets }: TextCells, row: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', offsets[row], offsets[row + 1]);

const decimalText = (units: number, exponent: number): string => {
  const text = String(Math.abs(units)).padStart(exponent + 1, '0');
  return `${units < 0 ? '-' : ''}${text.slice(0, text.length - exponent)}${exponent === 0 ? '' : `.${text.slice(-exponent)}`}`;
};

const saidByColumns = (chunk: ColumnChunk): Said[] => {
  const { rows, lines, texts, amount, currency = [], date, invalid } = chunk;
  const unfit = new Map(amount?.unfit.map(({ row, decimal }) => [row, decimal]));
  const faults = new Map(invalid.map((fault) => [fault.row, fault]));
  return Array.from({ length: rows }, (_, row): Said => {
    const fields: [string, string][] = [];
    for (const [name, cells] of texts) {
      const text = textAt(cells, row);
      if (text !== '') fields.push([name, text]);
    }
    const code = currency[row] ?? noCurrency;
    const units = amount?.units[row] ?? Number.NaN;
    const decimal = Number.isNaN(units) ? unfit.get(row) : decimalText(units, exponentOf(currencyText(code)));
    if (decimal !== undefined) fields.push(['amount', shortest(decimal)]);
    if (code !== noCurrency) fields.push(['currency', currencyText(code)]);
    const day = date?.[row] ?? noDay;
    if (day !== noDay) fields.push(['date', new Date(day * 86_400_000).toISOString().slice(0, 10)]);
    const said = { line: lines[row], fields: Object.fromEntries(fields) };
    const fault = faults.get(row);
    return fault === undefined ? said : { ...said, field: fault.field, reason: fault.reason };
  });
};

const isRising = (values: readonly number[] | Uint32Array): boolean =>
  values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));

const isExact = (digits: number): boolean => Number.isNaN(digits) || (Number.isSafeInteger(digits) && !Object.is(digits, -0));

/** What every chunk promises, whatever is in it; the names of the promises it breaks. */
const brokenPromises = (chunk: ColumnChunk): string[] => {
  const { rows, lines, texts, amount, currency, date, invalid } = chunk;
  const promises = {
    'has rows': rows > 0,
    'has as many of each': [lines, amount?.units ?? lines, currency ?? lines, date ?? lines].every(({ length }) => length === rows),
    'has exact amounts': (amount?.units ?? new Float64Array()).every(isExact),
    'has a place for every text': [...texts.values()].every(
      ({ bytes, offsets }) => offsets.length === rows + 1 && offsets[0] === 0 && offsets[rows] === bytes.length && isRising(offsets),
    ),
    'has unfit amounts where there is no number, in order':
      isRising((amount?.unfit ?? []).map(({ row }) => row)) && (amount?.unfit ?? []).every(({ row }) => Number.isNaN(amount?.units[row])),
    'has UTF-8': [...texts.values()].every(({ bytes }) => isUtf8(bytes)),
    'has no texts of what is in numbers': !texts.has('amount') && !texts.has('currency') && !texts.has('date'),
    'has faults in the order of rows': isRising(invalid.map(({ row }) => row)) && invalid.every(({ row }) => row < rows),
  };
  return Object.entries(promises).flatMap(([promise, isKept]) => (isKept ? [] : [promise]));
};

export const readColumnChunks = async (config: object, context: Partial<ReadContext> = {}): Promise<ColumnChunk[]> => {
  const { readColumns } = await openReader('csv', config);
  if (readColumns === undefined) throw new Error('csv does not read columns');
  const chunks: ColumnChunk[] = [];
  // A chunk lasts until the next.
  for await (const chunk of readColumns(contextOf(context))) chunks.push(structuredClone(chunk));
  expect(chunks.flatMap(brokenPromises)).toEqual([]);
  return chunks;
};

const outcomeOf = <Outcome>(read: Promise<Outcome>): Promise<Outcome | ReaderFailure> =>
  read.catch((error: unknown) => {
    if (error instanceof ReaderFailure) return error;
    throw error;
  });

/** The rows, when the columns say the same. Where both fail alike, it fails so. */
export const readBoth = async (config: object, context: Partial<ReadContext> = {}): Promise<ReadRow[]> => {
  const columns = await outcomeOf(readColumnChunks(config, context));
  const rows = await outcomeOf(readRows('csv', config, context));
  const said = [columns, rows].map((outcome) =>
    outcome instanceof ReaderFailure ? [outcome.code, outcome.line, outcome.message] : undefined,
  );
  expect(said[0] ?? (columns as ColumnChunk[]).flatMap(saidByColumns)).toEqual(said[1] ?? (rows as ReadRow[]).map(saidByRow));
  if (rows instanceof ReaderFailure) throw rows;
  return rows;
};
