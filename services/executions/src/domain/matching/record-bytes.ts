/**
 * Records as the bytes of their JSON, copied from their columns. A million results have two million records of half a dozen texts: to make
 * strings of all of them, only to write them, takes longer than the database does for the rows.
 */
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { noDay, type RecordBatch } from './batch.ts';
import type { TextColumn } from './columns/text-column.ts';
import { dayText } from './day.ts';

export interface RecordBytes {
  /** Looks at the rows, so that they are near when they are written. What it answers means nothing. */
  readonly fetch: (rows: readonly number[]) => number;
  /** The most that `writeJson` writes of a row. */
  readonly jsonBytesMax: (row: number) => number;
  /** Writes what `recordAt` is as JSON, and answers where it ends. */
  readonly writeJson: (row: number, into: Uint8Array, at: number) => number;
  /** Writes what the fields say that records are searched by, in small letters and with spaces between them, and answers where it ends. */
  readonly writeSearched: (row: number, into: Uint16Array, at: number) => number;
  readonly searchedMax: (row: number) => number;
}

/** Undefined where some text has to be escaped in JSON, or is none, or where small letters are not a matter of ASCII. */
export const createRecordBytes = (batch: RecordBatch, searchedNames: readonly string[]): RecordBytes | undefined => {
  const { texts, amounts, currencies, days } = batch;
  const searched = searchedNames.flatMap((name) => texts.get(name) ?? []);
  // Objects have names that are numbers before all others.
  const isPlain = [...texts].every(
    ([name, { json, bytes }]) =>
      !/^\d+$/.test(name) && !JSON.stringify(name).includes('\\') && json === undefined && areAll(bytes, isWritten),
  );
  if (!isPlain || !searched.every(({ bytes }) => areAll(bytes, isAscii))) return undefined;

  const first = ['id', 'amount', 'currency', 'date'];
  const fieldOf = (name: string): Field => ({ begin: beginOf(name), column: texts.get(name) });
  const [id, amount, currency, date] = first.map(fieldOf) as [Field, Field, Field, Field];
  const others = [...texts.keys()].filter((name) => !first.includes(name)).map(fieldOf);
  const columns = [...texts.values()];
  const fixedBytes = [id, amount, currency, date, ...others].reduce((sum, { begin }) => sum + begin.length + 1, 2) + numbersBytes;
  const exponents = remembered((code) => exponentOf(currencyText(code)));
  const dayBytes = remembered((day) => asciiOf(dayText(day)));

  return {
    fetch: (rows) => {
      let sum = 0;
      for (const numbers of [amounts, currencies, days]) for (const row of rows) sum += numbers[row] as number;
      for (const { bytes, offsets } of columns) for (const row of rows) sum += bytes[offsets[row] as number] ?? 0;
      return sum;
    },
    jsonBytesMax: (row) => {
      let most = fixedBytes;
      for (const { offsets } of columns) most += (offsets[row + 1] as number) - (offsets[row] as number);
      return most;
    },
    writeJson: (row, into, at) => {
      const units = amounts[row] as number;
      const code = currencies[row] as number;
      const day = days[row] as number;
      let to = putText(id, row, into, at);
      if (Number.isNaN(units)) to = putText(amount, row, into, to);
      else {
        to = putBytes(amount.begin, into, to);
        to = putDecimal(units, exponents(code), into, to);
        into[to++] = quote;
      }
      if (code === noCurrency) to = putText(currency, row, into, to);
      else {
        to = putBytes(currency.begin, into, to);
        into[to++] = code >>> 16;
        into[to++] = (code >>> 8) & 255;
        into[to++] = code & 255;
        into[to++] = quote;
      }
      if (day === noDay) to = putText(date, row, into, to);
      else {
        to = putBytes(date.begin, into, to);
        to = putBytes(dayBytes(day), into, to);
        into[to++] = quote;
      }
      for (const other of others) to = putText(other, row, into, to);
      if (to === at) to += 1;
      // In place of the first comma.
      into[at] = 0x7b;
      into[to++] = 0x7d;
      return to;
    },
    searchedMax: (row) => searched.reduce((sum, { offsets }) => sum + 1 + (offsets[row + 1] as number) - (offsets[row] as number), 0),
    writeSearched: (row, into, at) => {
      let to = at;
      for (const { bytes, offsets } of searched) {
        const end = offsets[row + 1] as number;
        let from = offsets[row] as number;
        if (from === end) continue;
        if (to > 0) into[to++] = 0x20;
        for (; from < end; from += 1) into[to++] = small[bytes[from] as number] as number;
      }
      return to;
    },
  };
};

/** An amount, a currency and a day are no longer than this. */
const numbersBytes = 64;

interface Field {
  /** A comma, the name, a colon and a quote. */
  readonly begin: Uint8Array;
  readonly column: TextColumn | undefined;
}

const quote = 0x22;
const small = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));
const isWritten = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte === quote || byte === 0x5c ? 0 : 1));
const isAscii = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x80 ? 1 : 0));

const areAll = (bytes: Uint8Array, allowed: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += 1) if (allowed[bytes[at] as number] === 0) return false;
  return true;
};

const encoder = new TextEncoder();
const beginOf = (name: string): Uint8Array => encoder.encode(`,${JSON.stringify(name)}:"`);
const asciiOf = (text: string): Uint8Array => encoder.encode(text);

const putBytes = (bytes: Uint8Array, into: Uint8Array, at: number): number => {
  for (let index = 0; index < bytes.length; index += 1) into[at + index] = bytes[index] as number;
  return at + bytes.length;
};

/** As `decimalText` has it. */
const putDecimal = (units: number, exponent: number, into: Uint8Array, at: number): number => {
  let first = at;
  if (units < 0) into[first++] = 0x2d;
  let left = Math.abs(units);
  let digits = exponent + 1;
  for (let more = 10 ** digits; left >= more; more *= 10) digits += 1;
  const end = first + digits + (exponent === 0 ? 0 : 1);
  const point = end - 1 - exponent;
  for (let to = end - 1; to >= first; to -= 1) {
    if (to === point && exponent !== 0) {
      into[to] = 0x2e;
      continue;
    }
    const tens = Math.floor(left / 10);
    into[to] = 0x30 + (left - tens * 10);
    left = tens;
  }
  return end;
};

/** Nothing where the row has no such field. */
const putText = ({ begin, column }: Field, row: number, into: Uint8Array, at: number): number => {
  if (column === undefined) return at;
  const { bytes, offsets } = column;
  const end = offsets[row + 1] as number;
  let from = offsets[row] as number;
  if (from === end) return at;
  let to = putBytes(begin, into, at);
  for (; from < end; from += 1) into[to++] = bytes[from] as number;
  into[to] = quote;
  return to + 1;
};

/** Few numbers are asked for again and again. */
const remembered = <Value>(of: (number: number) => Value): ((number: number) => Value) => {
  const known = new Map<number, Value>();
  return (number) => {
    const before = known.get(number);
    if (before !== undefined) return before;
    const value = of(number);
    if (known.size < rememberedMax) known.set(number, value);
    return value;
  };
};
const rememberedMax = 10_000;
