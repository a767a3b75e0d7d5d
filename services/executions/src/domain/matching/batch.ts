/**
 * One side of a reconciliation, in columns. What makes a row unusable is decided where it comes in, with its reason, so that nothing
 * unreadable is ever matched, dropped or taken for zero.
 */
import { currencyText } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import { decimalText } from './columns/money.ts';
import { compareTexts, isPresent, type TextColumn, textAt } from './columns/text-column.ts';
import { dayText } from './day.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const rowStates = ['usable', 'invalid', 'repeated', 'superseded'] as const;
/**
 * `repeated`: the same id with the same content occurred before. `superseded`: an open item that this input delivers again, or a record
 * of a match by hand, which takes part only where it is delivered.
 */
export type RowState = (typeof rowStates)[number];
export const usable = 0;
export const invalid = 1;
export const repeated = 2;
/** Such a row is in no result: the one that was delivered stands for it. */
export const superseded = 3;

export interface RecordBatch {
  readonly length: number;
  /** Whether the source gives its records identities of their own. */
  readonly idMapped: boolean;
  /**
   * Every field by name, as text. Of `amount`, `currency` and `date` only what could not be read; what could is in the columns
   * of numbers.
   */
  readonly texts: ReadonlyMap<string, TextColumn>;
  /** Minor units; NaN where there is no readable amount. */
  readonly amounts: Float64Array;
  /** Packed codes; 0 where there is none. */
  readonly currencies: Int32Array;
  /** Days since 1970-01-01; `noDay` where there is no date. */
  readonly days: Int32Array;
  /** Lines of the input, from 1; 0 where it has none. */
  readonly lines: Uint32Array;
  /** Indexes into `rowStates`. */
  readonly states: Uint8Array;
  readonly reasons: ReadonlyMap<number, string>;
  /** From this row on they are open items of earlier runs; the length where there are none. */
  readonly carriedFrom: number;
  /** From this row on they are records of matches by hand, by which the delivered ones are known; the length where there are none. */
  readonly givenFrom: number;
  /** The open item, or the record of a match by hand, that a delivered row stands for. */
  readonly supersedes: ReadonlyMap<number, number>;
}

export const noDay = -2_147_483_648;

/** Whether its record is an open item of earlier runs, or in a match by hand: as it was then, or delivered again. */
export const wasKnown = ({ carriedFrom, supersedes }: RecordBatch, row: number): boolean => row >= carriedFrom || supersedes.has(row);

/** The record as its reader gave it. */
export const recordAt = (batch: RecordBatch, row: number): Fields => {
  const record: Record<string, unknown> = {};
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) record[name] = value;
  };
  const amount = batch.amounts[row] as number;
  const currency = currencyText(batch.currencies[row] as number);
  const day = batch.days[row] as number;
  put('id', fieldText(batch, 'id', row));
  put('amount', Number.isNaN(amount) ? fieldText(batch, 'amount', row) : decimalText(amount, exponentOf(currency)));
  put('currency', currency === '' ? fieldText(batch, 'currency', row) : currency);
  put('date', day === noDay ? fieldText(batch, 'date', row) : dayText(day));
  for (const [name, column] of batch.texts) {
    if (Object.hasOwn(record, name) || !isPresent(column, row)) continue;
    const text = textAt(column, row);
    const value: unknown = column.json?.[row] === 1 ? JSON.parse(text) : text;
    // A column may be called so, and assigning to it would be another thing.
    if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true });
    else record[name] = value;
  }
  return record;
};

const fieldText = ({ texts }: RecordBatch, name: string, row: number): string | undefined => {
  const column = texts.get(name);
  return column !== undefined && isPresent(column, row) ? textAt(column, row) : undefined;
};

/**
 * Whether two rows say the same in every field, and else which comes first: by id, then by what they say. Which lines they
 * stood on decides nothing.
 */
export const compareRows = (batch: RecordBatch, one: number, other: number): number => {
  const id = batch.texts.get('id');
  const byId = id === undefined ? 0 : compareTexts(id, one, id, other);
  return byId === 0 ? compareContents(batch, one, other) : byId;
};

const compareNumbers = (one: number, other: number): number =>
  one === other || (Number.isNaN(one) && Number.isNaN(other)) ? 0 : Number.isNaN(one) ? -1 : Number.isNaN(other) ? 1 : one < other ? -1 : 1;

export const compareContents = (batch: RecordBatch, one: number, other: number): number => {
  const byNumbers =
    compareNumbers(batch.days[one] as number, batch.days[other] as number) ||
    compareNumbers(batch.amounts[one] as number, batch.amounts[other] as number) ||
    (batch.currencies[one] as number) - (batch.currencies[other] as number);
  if (byNumbers !== 0) return byNumbers;
  for (const column of batch.texts.values()) {
    const byText = compareTexts(column, one, column, other);
    if (byText !== 0) return byText;
  }
  return 0;
};
