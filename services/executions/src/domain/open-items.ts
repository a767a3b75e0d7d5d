/**
 * Open items: records without counterpart that take part in the job's next runs. Each has an identity that outlives its run, by its id
 * or, where records have none, by what it says and which of those that say the same it is.
 */
import type { Outcome } from '@settler/contracts/executions';
import type { Fields, RecordBatch } from './matching/batch.ts';
import type { CarriedRecord } from './matching/batch-builder.ts';
import type { Side } from './side.ts';

export interface ItemKey {
  /** The same in every run, whatever a new version of the record says. */
  readonly identity: string;
  /** Of records without ids that say the same, which one it is, from 1. */
  readonly occurrence: number;
}

/** What a run leaves open. */
export const isLeftOpen = (outcome: Outcome): boolean => outcome === 'missing_in_target' || outcome === 'missing_in_source';

/**
 * Outcomes after which a record is no open item any more: it has met its counterpart, or those that may be, or was found to repeat another
 * record.
 */
export const settlingOutcomes = ['matched', 'mismatched', 'ambiguous', 'duplicate'] as const satisfies readonly Outcome[];

/** What makes records the same one from run to run. `hash` must be one that nobody finds a second text for. */
export const identityOf = (side: Side, said: string, hash: (text: string) => string): string => hash(`${side}\n${said}`);

/** What a record without an id is known by. */
export const contentOf = (record: Fields, occurrence: number): string => `${JSON.stringify(record)}#${occurrence}`;

/** A record that was stored, with its fields in the order in which a run reads it. */
export const asRead = (record: Fields): Fields => {
  const names = ['id', 'amount', 'currency', 'date', ...Object.keys(record).sort()];
  return Object.fromEntries([...new Set(names)].filter((name) => name in record).map((name) => [name, sorted(record[name])]));
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
};

/** Of one side in one run. */
export const createOpenItems = (side: Side, hash: (text: string) => string) => {
  const items: (ItemKey & CarriedRecord)[] = [];
  const given: (ItemKey & CarriedRecord)[] = [];
  const takenOf = new Map<string, Set<number>>();
  /** No lower number is free: to ask from the first one on for each of a hundred thousand would take minutes. */
  const lowestOf = new Map<string, number>();
  const take = (content: string, occurrence: number): void => {
    takenOf.set(content, (takenOf.get(content) ?? new Set()).add(occurrence));
  };
  const keyOfNew = (hasId: boolean, record: Fields): ItemKey => {
    if (hasId) return { identity: identityOf(side, String(record['id']), hash), occurrence: 1 };
    const content = JSON.stringify(record);
    let occurrence = lowestOf.get(content) ?? 1;
    while (takenOf.get(content)?.has(occurrence) === true) occurrence += 1;
    take(content, occurrence);
    lowestOf.set(content, occurrence + 1);
    return { identity: identityOf(side, contentOf(record, occurrence), hash), occurrence };
  };

  return {
    add: (item: ItemKey & { readonly record: Fields }): void => {
      items.push(item);
      if (item.record['id'] === undefined) take(JSON.stringify(item.record), item.occurrence);
    },
    all: (): readonly CarriedRecord[] => items,
    ids: (): ReadonlySet<string> => new Set(items.flatMap(({ record: { id } }) => (id === undefined ? [] : [String(id)]))),
    /** A record of a match that holds no longer, which is open again. */
    bring: (stored: Fields): void => {
      const record = asRead(stored);
      items.push({ ...keyOfNew(record['id'] !== undefined, record), record });
    },
    /** A record of a match by hand, which is no open item while the match holds. */
    give: (record: ItemKey & CarriedRecord): void => {
      given.push(record);
      if (record.record['id'] === undefined) take(JSON.stringify(record.record), record.occurrence);
    },
    given: (): readonly CarriedRecord[] => given,
    /** Of a row that was known before this run, as it was or delivered again. */
    keyOf: ({ carriedFrom, givenFrom, supersedes }: RecordBatch, row: number): ItemKey | undefined => {
      const carried = row >= carriedFrom ? row : supersedes.get(row);
      if (carried === undefined) return undefined;
      const item = carried >= givenFrom ? given[carried - givenFrom] : items[carried - carriedFrom];
      return item && { identity: item.identity, occurrence: item.occurrence };
    },
    /** Of a record that becomes one. */
    newKey: ({ idMapped }: RecordBatch, record: Fields): ItemKey => keyOfNew(idMapped, record),
  };
};
