/** Rows become columns: from readers that hand over records, and from those that hand over columns already. */
import { currencyCode, currencyText, noCurrency } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { type Fields, invalid, noDay, type RecordBatch, superseded } from './batch.ts';
import { canonical } from './canonical.ts';
import { minorUnits, noAmount } from './columns/money.ts';
import { createTextHeap, type TextColumn, type TextHeap } from './columns/text-column.ts';
import { dayOf } from './day.ts';
import { deliveredAgain } from './delivered-again.ts';
import { judgeRepeatedIds } from './repeated-ids.ts';

export type Row =
  | { readonly line?: number; readonly record: Fields }
  | { readonly line?: number; readonly invalid: { readonly field?: string; readonly reason: string }; readonly partial?: Fields };

/**
 * As many as a reader does best to hand over at a time: their columns are still in a cache when they are copied from it, and what goes
 * through them is compiled before many have come.
 */
export const rowsPerChunk = 8_192;

/** Rows in columns, as a reader of files hands them over. */
export interface Chunk {
  readonly rows: number;
  /** The physical line of each row. */
  readonly lines: Uint32Array;
  /** Every field but amount, currency and date: UTF-8 texts one after another, and where each ends. */
  readonly texts: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly offsets: Uint32Array }>;
  /** Minor units; NaN where there is none, or one that no number of them says: such a one is `unfit`, as a decimal. */
  readonly amount?:
    | { readonly units: Float64Array; readonly unfit: readonly { readonly row: number; readonly decimal: string }[] }
    | undefined;
  /** As `@settler/contracts/currency-codes` has them. */
  readonly currency?: Int32Array | undefined;
  /** Days since 1970-01-01; `noDay` where there is none. */
  readonly date?: Int32Array | undefined;
  readonly invalid: readonly { readonly row: number; readonly field?: string; readonly reason: string }[];
  /** How far into the input its reader was after the last row, and how much there is. */
  readonly bytesRead?: number;
  readonly totalBytes?: number;
}

/** `occurrence`: of records without ids that say the same, which one this is, from 1. */
export interface CarriedRecord {
  readonly record: Fields;
  readonly occurrence: number;
}

export interface BatchBuilder {
  readonly addRows: (rows: readonly Row[]) => void;
  readonly addChunk: (chunk: Chunk) => void;
  readonly length: () => number;
  /**
   * Once the input is complete: its rows, then open items of earlier runs, then records of matches by hand. Whoever builds once more, with
   * others behind the same rows, has lost the batch before.
   */
  readonly build: (carried?: readonly CarriedRecord[], given?: readonly CarriedRecord[]) => RecordBatch;
}

export const createBatchBuilder = ({ idMapped }: { readonly idMapped: boolean }): BatchBuilder => {
  const heaps = new Map<string, TextHeap>();
  const amounts = createNumbers((length): Float64Array => new Float64Array(length));
  const currencies = createNumbers((length): Int32Array => new Int32Array(length));
  const days = createNumbers((length): Int32Array => new Int32Array(length));
  const lines = createNumbers((length): Uint32Array => new Uint32Array(length));
  const reasons = new Map<number, string>();
  let length = 0;

  /** Its next text is that of the row. */
  const heapOf = (name: string, row = length): TextHeap => {
    const known = heaps.get(name);
    if (known !== undefined) {
      known.fill(row);
      return known;
    }
    const heap = createTextHeap();
    heap.fill(row);
    heaps.set(name, heap);
    return heap;
  };

  const addRow = (row: Row, mayLackId = !idMapped): void => {
    const fields = 'record' in row ? row.record : (row.partial ?? {});
    const { amount, currency, date } = fields;
    const code = typeof currency === 'string' ? currencyCode(currency) : noCurrency;
    const units = typeof amount === 'string' && code !== noCurrency ? minorUnits(amount, exponentOf(currency as string)) : noAmount;
    const day = typeof date === 'string' ? (dayOf(date) ?? noDay) : noDay;
    amounts.push(units);
    currencies.push(code);
    days.push(day);
    lines.push(row.line ?? 0);
    for (const [name, value] of Object.entries(fields)) {
      const isTaken =
        (name === 'amount' && !Number.isNaN(units)) || (name === 'currency' && code !== noCurrency) || (name === 'date' && day !== noDay);
      if (isTaken || value === undefined || value === null || value === '') continue;
      if (typeof value === 'string') heapOf(name).add(value);
      else heapOf(name).add(canonical(value), true);
    }
    const reason = 'record' in row ? faultOf(fields['id'], amount, currency, units, !mayLackId) : row.invalid.reason;
    if (reason !== undefined) reasons.set(length, reason);
    length += 1;
  };

  const addChunk = (chunk: Chunk): void => {
    const { rows, lines: chunkLines, texts, amount, currency, date, invalid: faults } = chunk;
    const outlook = outlookOf(chunk);
    for (const [name, { bytes, offsets }] of texts) heapOf(name).addAll(bytes, offsets, rows, outlook);
    lines.pushAll(chunkLines, rows, outlook);
    if (date === undefined) days.fill(noDay, rows, outlook);
    else days.pushAll(date, rows, outlook);
    for (const { row, reason } of faults) reasons.set(length + row, reason);
    const codes = currencies.room(rows, outlook);
    if (currency === undefined) codes.fill(noCurrency);
    else codes.set(currency);
    if (amount === undefined) amounts.fill(noAmount, rows, outlook);
    else amounts.pushAll(amount.units, rows, outlook);
    const explain = (row: number, id: string, decimal?: string): void => {
      if (reasons.has(length + row)) return;
      reasons.set(length + row, faultOf(id, decimal, currencyText(codes[row] as number), noAmount, idMapped) ?? 'it cannot be read');
    };
    if (idMapped) for (const row of emptyRows(texts.get('id'), rows)) explain(row, '');
    for (const { row, decimal } of amount?.unfit ?? []) {
      explain(row, 'known', decimal);
      heapOf('amount', length + row).add(decimal);
    }
    length += rows;
  };

  /** Leaves the first rows. */
  const cut = (rows: number): void => {
    for (const heap of heaps.values()) heap.cut(rows);
    for (const numbers of [amounts, currencies, days, lines]) numbers.cut(rows);
    for (const row of reasons.keys()) if (row >= rows) reasons.delete(row);
    length = rows;
  };

  return {
    addRows: (rows) => {
      for (const row of rows) addRow(row);
    },
    addChunk,
    length: () => length,
    build: (carried = [], given = []) => {
      const carriedFrom = length;
      const givenFrom = carriedFrom + carried.length;
      // Each was taken as it was when it came in, whatever has become of the mapping since.
      for (const { record } of carried) addRow({ record }, true);
      for (const { record } of given) addRow({ record }, true);
      const texts = new Map<string, TextColumn>();
      // By name, so that the order in which fields were first seen decides nothing.
      for (const name of [...heaps.keys()].sort()) {
        const heap = heaps.get(name) as TextHeap;
        heap.fill(length);
        texts.set(name, heap.build());
      }
      const states = new Uint8Array(length);
      for (const row of reasons.keys()) states[row] = invalid;
      const batch = {
        length,
        idMapped,
        texts,
        amounts: amounts.build(),
        currencies: currencies.build(),
        days: days.build(),
        lines: lines.build(),
        states,
        reasons: new Map(reasons),
        carriedFrom,
        givenFrom,
        supersedes: new Map<number, number>(),
      };
      if (idMapped)
        judgeRepeatedIds(batch, (row, state, reason) => {
          states[row] = state;
          batch.reasons.set(row, reason);
        });
      const occurrences = [...carried, ...given].map(({ occurrence }) => occurrence);
      for (const [delivered, carried] of deliveredAgain(batch, occurrences)) {
        states[carried] = superseded;
        batch.supersedes.set(delivered, carried);
      }
      states.fill(superseded, givenFrom);
      cut(carriedFrom);
      return batch;
    },
  };
};

/**
 * What there will be of everything, by what there is of it, if the rest of the input is like what was read; 1 where nobody knows.
 * Room that is never used costs nothing, and to grow costs all that was written so far.
 */
const outlookOf = ({ bytesRead, totalBytes }: Chunk): number =>
  bytesRead === undefined || totalBytes === undefined || bytesRead === 0 ? 1 : Math.min(outlookMax, (totalBytes / bytesRead) * 1.05);

/** A small first chunk says little. */
const outlookMax = 200;

type Texts = Chunk['texts'] extends ReadonlyMap<string, infer Cells> ? Cells : never;

const emptyRows = (id: Texts | undefined, rows: number): number[] => {
  const empty: number[] = [];
  for (let row = 0; row < rows; row += 1) if (id === undefined || id.offsets[row] === id.offsets[row + 1]) empty.push(row);
  return empty;
};

/** Why a record that could be read cannot be used all the same. */
const faultOf = (id: unknown, amount: unknown, currency: unknown, units: number, needsId: boolean): string | undefined => {
  if (needsId && (id === undefined || id === '')) return 'the id is empty';
  if (amount === undefined || !Number.isNaN(units)) return undefined;
  if (typeof currency !== 'string' || currency === '') return 'the amount has no currency';
  const text = String(amount);
  const shown = text.slice(0, 40);
  return text.replace(/^[+-]|\..*$/g, '').length > 15
    ? `the amount ${shown} is too large to be exact`
    : `the amount ${shown} has more digits than ${currency} has`;
};

interface Numbers<Column> {
  readonly push: (value: number) => void;
  readonly pushAll: (values: Column, count: number, outlook: number) => void;
  readonly fill: (value: number, count: number, outlook: number) => void;
  /** So many numbers more, which are the caller's to write. */
  readonly room: (count: number, outlook: number) => Column;
  /** Leaves the first ones. */
  readonly cut: (count: number) => void;
  readonly build: () => Column;
}

/** A column of numbers that grows; where it must, to what the outlook is for all of it. */
const createNumbers = <Column extends Float64Array | Int32Array | Uint32Array>(create: (length: number) => Column): Numbers<Column> => {
  let values = create(256);
  let used = 0;
  const room = (count: number, outlook: number): Column => {
    const needed = used + count;
    if (needed > values.length) {
      const grown = create(Math.ceil(Math.max(needed * outlook, values.length * 1.6)));
      grown.set(values.subarray(0, used));
      values = grown;
    }
    used = needed;
    return values.subarray(needed - count, needed) as Column;
  };
  return {
    push: (value) => {
      if (used === values.length) {
        room(1, 1);
        used -= 1;
      }
      values[used] = value;
      used += 1;
    },
    pushAll: (more, count, outlook) => room(count, outlook).set(more.subarray(0, count)),
    fill: (value, count, outlook) => {
      room(count, outlook).fill(value);
    },
    room,
    cut: (count) => {
      used = count;
    },
    build: () => values.subarray(0, used) as Column,
  };
};
