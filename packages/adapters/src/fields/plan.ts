/** Mappings made into functions, once per read: what to take from a row for each field, and how to read it. */
import { exponentOf } from '@settler/contracts/money';
import type { ReadRecord } from '../reader.ts';
import {
  type DecimalSeparator,
  decimalOf,
  exact,
  inCurrency,
  mayBeThousands,
  negated,
  readAmount,
  readCurrency,
  readDebitCredit,
  twoWays,
} from './amount.ts';
import { dateReader } from './date.ts';
import { type FieldMapping, type FieldMappings, kindOf } from './mapping.ts';
import { empty, type Unreadable } from './unreadable.ts';

/**
 * How one field is read: from no column (a constant), one, or two (debit and credit). `read` gets their cells, '' for
 * what is not there, and answers undefined where the record is to go without the field.
 */
export type FieldPlan = {
  readonly field: string;
  readonly columns: readonly string[];
  /** Whether any value will do as it is: the field has no meaning of its own, and its mapping gives it none. */
  readonly verbatim: boolean;
  readonly written: Written;
  /** What the record is refused for where the cell is empty; undefined where it may go without the field. */
  readonly onEmpty: Unreadable | undefined;
  readonly read: (cell: string, second: string) => string | undefined | Unreadable;
};

/**
 * How a field stands in its cells, for readers of bytes: what is plainly written needs no text to be read from, and `read`
 * is for the rest. `fixed` stands in none; `point` is the byte between whole and fraction, and `assumed` where no mapping names it.
 */
export type Written =
  | { readonly as: 'fixed' | 'text' | 'id' | 'currency' }
  | { readonly as: 'date'; readonly iso: boolean; readonly zoned: boolean }
  | { readonly as: 'amount'; readonly point: number; readonly assumed: boolean; readonly negate: boolean }
  | { readonly as: 'debitCredit'; readonly point: number; readonly assumed: boolean };

/** An identity has to fit an index of PostgreSQL, whose entries end at 2704 bytes. */
const idLengthMax = 512;

export const planFields = (mappings: FieldMappings): FieldPlan[] =>
  Object.entries(mappings).flatMap(([field, mapping]) => (mapping === undefined ? [] : [planField(field, mapping)]));

/** `isMapped` is false where the field is read under its own name, and what is wrong cannot be mended in a mapping. */
export const planField = (field: string, mapping: FieldMapping, isMapped = true): FieldPlan => {
  if (typeof mapping === 'object' && 'value' in mapping) {
    const constant = reading(field, field)(mapping.value);
    return { field, columns: [], verbatim: false, written: { as: 'fixed' }, onEmpty: undefined, read: () => constant };
  }
  // Amount and identity are what reconciling is about: a record without one that its source has cannot be trusted. The rest may be absent.
  const onEmpty = field === 'id' || field === 'amount' ? empty : undefined;
  if (typeof mapping === 'object' && 'debit' in mapping) {
    const { debit, credit, decimal } = mapping;
    const limited = limitOf(field);
    return {
      field,
      columns: [debit, credit],
      verbatim: false,
      written: { as: 'debitCredit', point: pointOf(decimal), assumed: decimal === undefined },
      onEmpty,
      read: (out, into) => (out.trim() === '' && into.trim() === '' ? onEmpty : limited(readDebitCredit(out, into, decimal))),
    };
  }
  const column = typeof mapping === 'string' ? mapping : mapping.column;
  const verbatim = kindOf(field) === 'any' && (typeof mapping === 'string' || Object.keys(mapping).length === 1);
  return {
    field,
    columns: [column],
    verbatim,
    written: writtenAs(field, mapping),
    onEmpty,
    read: unlessEmpty(reading(field, mapping, isMapped), onEmpty),
  };
};

/** A column that nobody mapped but is called like a field of ours that must be canonical: it is, or the record is invalid; empty, it is absent. */
export const planUnmapped = (name: string): FieldPlan | undefined =>
  ['amount', 'currency', 'date'].includes(kindOf(name))
    ? { ...planField(name, name), onEmpty: undefined, read: unlessEmpty(reading(name, name), undefined) }
    : undefined;

const unlessEmpty =
  (read: (cell: string) => string | Unreadable, onEmpty: Unreadable | undefined) =>
  (cell: string): string | undefined | Unreadable =>
    cell === '' || cell.trim() === '' ? onEmpty : read(cell);

type ColumnMapping = Exclude<FieldMapping, { debit: string } | { value: string }>;
type Options = {
  column?: string;
  decimal?: '.' | ',' | undefined;
  negate?: boolean | undefined;
  format?: string | undefined;
  timezone?: string | undefined;
};

const pointOf = (decimal: DecimalSeparator | undefined): number => (decimal ?? '.').charCodeAt(0);

const writtenAs = (field: string, mapping: ColumnMapping): Written => {
  const { decimal, negate, format, timezone }: Options = typeof mapping === 'string' ? {} : mapping;
  const kind = kindOf(field);
  if (kind === 'currency') return { as: 'currency' };
  if (kind === 'date' || format !== undefined || timezone !== undefined) {
    return { as: 'date', iso: format === undefined, zoned: timezone !== undefined };
  }
  if (kind === 'amount' || decimal !== undefined || negate !== undefined) {
    return { as: 'amount', point: pointOf(decimal), assumed: decimal === undefined, negate: negate === true };
  }
  return { as: kind === 'id' ? 'id' : 'text' };
};

const reading = (field: string, mapping: ColumnMapping, isMapped = true): ((cell: string) => string | Unreadable) => {
  const written = writtenAs(field, mapping);
  const options: Options = typeof mapping === 'string' ? {} : mapping;
  switch (written.as) {
    case 'currency':
      return readCurrency;
    case 'date':
      return dateReader({ ...options, isMapped });
    case 'amount':
      return amountReader(options, limitOf(field));
    case 'id':
      return readId;
    default:
      return (cell) => cell;
  }
};

type Limit = (amount: string | Unreadable) => string | Unreadable;

/** Of all amounts only `amount` is reckoned with; the others are as long as they are. */
const limitOf = (field: string): Limit =>
  field === 'amount' ? (amount) => (typeof amount === 'string' ? exact(amount) : amount) : (amount) => amount;

const amountReader =
  ({ decimal, negate = false }: Options, limited: Limit) =>
  (cell: string) => {
    const amount = limited(readAmount(cell, decimal));
    return negate && typeof amount === 'string' ? negated(amount) : amount;
  };

const readId = (cell: string): string | Unreadable => {
  const id = cell.trim();
  return id.length > idLengthMax ? { reason: `is longer than ${idLengthMax} characters` } : id;
};

export type Fault = { readonly field: string; readonly reason: string };

/** Whether its point is one that nobody named. */
export const assumesPoint = ({ written }: FieldPlan): boolean => 'assumed' in written && written.assumed;

/** Of an amount that was read with a point that nobody named: whether it may have meant thousands, in the currency of its record. */
export const mayMeanThousands = (amount: string, currency: string): boolean => {
  const { digits, scale } = decimalOf(amount);
  return mayBeThousands(digits, scale, exponentOf(currency));
};

/**
 * What only shows once all fields of a record are read. Writes the amount with its currency's decimals. `assumed` are the fields whose point
 * nobody named: what one of them may not have meant is a fault, and an amount is taken out besides, because it is nobody's to add up.
 */
export const settle = (record: ReadRecord, currencyMapped: boolean, assumed: readonly string[]): Fault | undefined => {
  const { currency } = record;
  const fault = settleAmount(record, currencyMapped, assumed.includes('amount'));
  if (fault !== undefined || currency === undefined) return fault;
  for (const field of assumed) {
    const value = field === 'amount' ? undefined : record[field];
    if (typeof value === 'string' && mayMeanThousands(value, currency)) return { field, ...twoWays(value) };
  }
  return undefined;
};

const settleAmount = (record: ReadRecord, currencyMapped: boolean, pointAssumed: boolean): Fault | undefined => {
  const { amount, currency } = record;
  if (amount === undefined) return undefined;
  if (currency === undefined) return currencyMapped ? { field: 'currency', ...empty } : undefined;
  const exact = inCurrency(amount, currency);
  if (typeof exact !== 'string') return { field: 'amount', ...exact };
  if (pointAssumed && mayMeanThousands(amount, currency)) {
    delete record.amount;
    return { field: 'amount', ...twoWays(amount) };
  }
  record.amount = exact;
  return undefined;
};
