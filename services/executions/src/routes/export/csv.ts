/**
 * CSV by RFC 4180: commas, CRLF, quotes where they are needed. Without a byte order mark, which most programs would read as part of
 * the first column's name; for spreadsheets there is a format of their own.
 */
import type { Cell, Table } from './cells.ts';

/** A spreadsheet takes such a cell for a formula, and runs what a stranger wrote into a payment's reference. */
const startsFormula = /^[=+\-@\t\r\n＝＋－＠]/;
/** Where cells are separated by semicolons or tabs, as in much of Europe, one begins here, and quotes that follow our commas protect nothing. */
const formulasWithin = /[;\t\r\n]"{0,2}(?=[=+\-@＝＋－＠])/g;
const plainNumber = /^-?[0-9]+(\.[0-9]+)?$/;

const disarmed = (text: string): string => {
  if (plainNumber.test(text)) return text;
  const within = text.replaceAll(formulasWithin, "$&'");
  return startsFormula.test(text) ? `'${within}` : within;
};

export const csvCell = (cell: Cell): string => {
  if (cell === undefined) return '';
  const { value } = cell;
  const harmless = cell.type === 'text' ? disarmed(value) : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

export const csv = async function* <Row>({ columns }: Table<Row>, pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  yield `${columns.map(([name]) => name).join(',')}\r\n`;
  for await (const page of pages) yield page.map((row) => `${columns.map(([, cell]) => csvCell(cell(row))).join(',')}\r\n`).join('');
};

/** Each line is one of them as the list has it. */
export const jsonLines = async function* (pages: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((row) => `${JSON.stringify(row)}\n`).join('');
};
