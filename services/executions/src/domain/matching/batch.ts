/**
 * One side of a reconciliation in columns, its rows in the order of their keys. Rows come as readers deliver them; what makes a row unusable is decided here, with its
 * reason, so that nothing unreadable is ever matched, dropped or taken for zero.
 */
import { exponentOf, toMinor } from '@settler/contracts/money';
import { dayOf } from './day.ts';

export type Fields = Readonly<Record<string, unknown>>;

export type Row =
  | { readonly line?: number; readonly record: Fields }
  | { readonly line?: number; readonly invalid: { readonly field?: string; readonly reason: string }; readonly partial?: Fields };

/** `repeated`: the same id with the same content occurred before. */
export type RowState = 'usable' | 'invalid' | 'repeated';

export interface RecordBatch {
  readonly length: number;
  readonly records: readonly Fields[];
  /** The id, or content and occurrence number where the source has no ids. */
  readonly keys: readonly string[];
  readonly currencies: readonly string[];
  /** Minor units; null where there is no readable amount. */
  readonly amounts: readonly (bigint | null)[];
  /** Days since 1970-01-01; `noDay` where there is no date. */
  readonly days: Int32Array;
  readonly lines: readonly (number | null)[];
  readonly states: readonly RowState[];
  readonly reasons: readonly (string | null)[];
}

export const noDay = -2_147_483_648;

export interface BatchBuilder {
  readonly add: (rows: readonly Row[]) => void;
  readonly build: () => RecordBatch;
}

/** `idMapped`: whether the source gives its records identities of their own. */
export const createBatchBuilder = ({ idMapped }: { readonly idMapped: boolean }): BatchBuilder => {
  const rows: Row[] = [];
  return {
    add: (more) => {
      for (const row of more) rows.push(row);
    },
    build: () => buildBatch(rows, idMapped),
  };
};

const buildBatch = (input: readonly Row[], idMapped: boolean): RecordBatch => {
  const { rows, contents, keys } = inOrder(input, idMapped);
  const records = rows.map(fieldsOf);
  const currencies = records.map(({ currency }) => (typeof currency === 'string' ? currency : ''));
  const amounts = records.map(({ amount }, index) => {
    const currency = currencies[index] ?? '';
    return typeof amount === 'string' && currency !== '' ? toMinor(amount, exponentOf(currency)) : null;
  });
  const reasons = rows.map((row, index) => reasonOf(row, amounts[index] ?? null, idMapped));
  const states: RowState[] = reasons.map((reason) => (reason === null ? 'usable' : 'invalid'));
  if (idMapped) judgeRepeatedIds(records, contents, states, reasons);
  return {
    length: rows.length,
    records,
    keys,
    currencies,
    amounts,
    days: Int32Array.from(records, ({ date }) => (typeof date === 'string' ? (dayOf(date) ?? noDay) : noDay)),
    lines: rows.map(({ line }) => line ?? null),
    states,
    reasons,
  };
};

const fieldsOf = (row: Row): Fields => ('record' in row ? row.record : (row.partial ?? {}));

/** By identity, then content, then line: the input's own order is forgotten here, once, and can decide nothing afterwards. */
const inOrder = (input: readonly Row[], idMapped: boolean) => {
  const seen = new Map<string, number>();
  const sorted = input
    .map((row) => {
      const content = canonical(fieldsOf(row));
      const { id } = fieldsOf(row);
      const identity = idMapped && typeof id === 'string' && id !== '' ? `id ${id}` : `content ${content}`;
      return { row, content, identity };
    })
    .sort(
      (one, other) =>
        compare(one.identity, other.identity) || compare(one.content, other.content) || (one.row.line ?? 0) - (other.row.line ?? 0),
    );
  const keys = sorted.map(({ identity }) => {
    const occurrence = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, occurrence);
    return occurrence === 1 && identity.startsWith('id ') ? identity : `${identity} #${occurrence}`;
  });
  return { rows: sorted.map(({ row }) => row), contents: sorted.map(({ content }) => content), keys };
};

const reasonOf = (row: Row, amount: bigint | null, idMapped: boolean): string | null => {
  if (!('record' in row)) return row.invalid.reason;
  const { record } = row;
  if (idMapped && (record['id'] === undefined || record['id'] === '')) return 'the id is empty';
  if (record['amount'] === undefined || amount !== null) return null;
  if (typeof record['currency'] !== 'string' || record['currency'] === '') return 'the amount has no currency';
  return `the amount ${String(record['amount']).slice(0, 40)} has more digits than ${record['currency']} has`;
};

/** Equal content again is a repetition; other content under one id leaves nobody knowing which of them is true. */
const judgeRepeatedIds = (
  records: readonly Fields[],
  contents: readonly string[],
  states: RowState[],
  reasons: (string | null)[],
): void => {
  const groups = new Map<string, number[]>();
  for (const [index, { id }] of records.entries()) {
    if (states[index] !== 'usable') continue;
    const group = groups.get(String(id));
    if (group === undefined) groups.set(String(id), [index]);
    else group.push(index);
  }
  for (const [id, [first = 0, ...others]] of groups) {
    const isContradictory = others.some((index) => contents[index] !== contents[first]);
    for (const index of isContradictory ? [first, ...others] : others) {
      states[index] = isContradictory ? 'invalid' : 'repeated';
      reasons[index] = isContradictory
        ? `the id ${id.slice(0, 80)} occurs ${others.length + 1} times with different content`
        : `the id ${id.slice(0, 80)} occurred before with the same content`;
    }
  }
};

/** By code units: the same order on every machine. */
export const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The same text for the same content, whatever the order of the fields. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .sort(([one], [other]) => compare(one, other))
    .map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`)
    .join(',')}}`;
};
