/** Mappings made into functions, once per read: what to take from a row for each field, and how to read it. */
import type { ReadRecord } from '../reader.ts';
import { inCurrency, negated, readAmount, readCurrency, readDebitCredit } from './amount.ts';
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
  readonly read: (cell: string, second: string) => string | undefined | Unreadable;
};

/** An identity has to fit an index of PostgreSQL, whose entries end at 2704 bytes. */
const idLengthMax = 512;

export const planFields = (mappings: FieldMappings): FieldPlan[] =>
  Object.entries(mappings).flatMap(([field, mapping]) => (mapping === undefined ? [] : [planField(field, mapping)]));

export const planField = (field: string, mapping: FieldMapping): FieldPlan => {
  if (typeof mapping === 'object' && 'value' in mapping) {
    const constant = reading(field, field)(mapping.value);
    return { field, columns: [], verbatim: false, read: () => constant };
  }
  // Amount and identity are what reconciling is about: a record without one that its source has cannot be trusted. The rest may be absent.
  const onEmpty = field === 'id' || field === 'amount' ? empty : undefined;
  if (typeof mapping === 'object' && 'debit' in mapping) {
    const { debit, credit, decimal } = mapping;
    return {
      field,
      columns: [debit, credit],
      verbatim: false,
      read: (out, into) => (out.trim() === '' && into.trim() === '' ? onEmpty : readDebitCredit(out, into, decimal)),
    };
  }
  const column = typeof mapping === 'string' ? mapping : mapping.column;
  const verbatim = kindOf(field) === 'any' && (typeof mapping === 'string' || Object.keys(mapping).length === 1);
  return { field, columns: [column], verbatim, read: unlessEmpty(reading(field, mapping), onEmpty) };
};

/** A column that nobody mapped but is called like a field of ours that must be canonical: it is, or the record is invalid; empty, it is absent. */
export const planUnmapped = (name: string): FieldPlan | undefined =>
  ['amount', 'currency', 'date'].includes(kindOf(name))
    ? { ...planField(name, name), read: unlessEmpty(reading(name, name), undefined) }
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

const reading = (field: string, mapping: ColumnMapping): ((cell: string) => string | Unreadable) => {
  const options: Options = typeof mapping === 'string' ? { column: mapping } : mapping;
  const kind = kindOf(field);
  if (kind === 'currency') return readCurrency;
  if (kind === 'date' || options.format !== undefined || options.timezone !== undefined) return dateReader(options);
  if (kind === 'amount' || options.decimal !== undefined || options.negate !== undefined) return amountReader(options);
  if (kind === 'id') return readId;
  return (cell) => cell;
};

const amountReader =
  ({ decimal, negate = false }: Options) =>
  (cell: string) => {
    const amount = readAmount(cell, decimal);
    return negate && typeof amount === 'string' ? negated(amount) : amount;
  };

const readId = (cell: string): string | Unreadable => {
  const id = cell.trim();
  return id.length > idLengthMax ? { reason: `is longer than ${idLengthMax} characters` } : id;
};

export type Fault = { readonly field: string; readonly reason: string };

/** What only shows once all fields of a record are read. Writes the amount with its currency's decimals. */
export const settle = (record: ReadRecord, currencyMapped: boolean): Fault | undefined => {
  const { amount, currency } = record;
  if (amount === undefined) return undefined;
  if (currency === undefined) return currencyMapped ? { field: 'currency', ...empty } : undefined;
  const exact = inCurrency(amount, currency);
  if (typeof exact !== 'string') return { field: 'amount', ...exact };
  record.amount = exact;
  return undefined;
};
