/** Records of matches by hand, by the identity that they have in every run, and the open items that they are. */
import { Refusal } from '@settler/chassis/refusal';
import { sql, type Transaction } from 'kysely';
import type { SideRecord } from '../../../application/ports.ts';
import { asRead, contentOf, type ItemKey, identityOf } from '../../../domain/open-items.ts';
import type { Side } from '../../../domain/side.ts';
import type { Fields } from '../../../domain/stake.ts';
import { hashOf, keyOfOne } from '../open-items/record-key.ts';
import { aloneHolding, isAlone, type Run, type StoredResult } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

export const recordsOfMatches = (db: Pick<Trx, 'selectFrom'>, ids: readonly string[]) =>
  db
    .selectFrom('match_records')
    .select(['match_id', 'side', 'identity', 'occurrence', 'record', 'record_key as recordKey', 'retired'])
    .where('match_id', 'in', [...ids])
    .orderBy('match_id')
    .orderBy('identity')
    .execute();

/** Those of the records that are matched by hand, by their keys: a run that brings one of them without the others opens nothing for it. */
export const matchedByHand = async (trx: Trx, jobId: string, recordKeys: readonly string[]): Promise<ReadonlyMap<string, unknown>> => {
  const rows = await trx
    .selectFrom('match_records')
    .select(['record_key', 'record'])
    .where('job_id', '=', jobId)
    .where(sql<boolean>`record_key = any(${[...recordKeys]}::text[])`)
    .execute();
  return new Map(rows.map(({ record_key: key, record }) => [key, record]));
};

/** Nothing tells those that say the same apart but the number of one that is alone. */
export const mayBe = (result: StoredResult, { record, occurrence }: { readonly record: Fields; readonly occurrence: number }): boolean =>
  record['id'] !== undefined || !isAlone(result) || (result.occurrence ?? 1) === occurrence;

/** `occurrence`: its number, where it stands alone in a result. */
export type Placed = SideRecord & { readonly occurrence?: number | undefined };

export interface KnownRecord extends SideRecord, ItemKey {
  readonly recordKey: string;
  /** Whether it is an open item, retired or not. */
  readonly isItem: boolean;
  /** The match by hand that it is in. */
  readonly match?: { readonly id: string; readonly executionId: string };
}

/** Beyond those that stand alone in the run, so many of those that say the same are asked for at first. */
const numbersFirst = 4;

/** `others`: records that are known already, and none of these. */
export const identified = async (
  trx: Trx,
  run: Run,
  records: readonly Placed[],
  others: readonly KnownRecord[] = [],
): Promise<KnownRecord[]> => {
  const open = records.filter(hasNoKey);
  const alone = open.length === 0 ? [] : await aloneHolding(trx, run, open);
  for (let more = numbersFirst; ; more *= 4) {
    const known = await identifiedAmong(trx, run.jobId, withKeys(records, alone, more), others);
    if (known !== undefined) return known;
  }
};

/** Undefined where a record has none among its keys that is nobody else's. */
const identifiedAmong = async (
  trx: Trx,
  jobId: string,
  records: readonly WithKeys[],
  others: readonly KnownRecord[],
): Promise<KnownRecord[] | undefined> => {
  if (records.length === 0) return [];
  // Those that say the same have one list.
  const lists = [...new Set(records.map(({ keys }) => keys))];
  const identities = lists.flatMap((keys) => keys.map(({ identity }) => identity));
  const items = await trx
    .selectFrom('open_items')
    .select(['identity', sql<boolean>`retired_at is not null`.as('isRetired')])
    .where('job_id', '=', jobId)
    .where(sql<boolean>`identity = any(${identities}::text[])`)
    .execute();
  const matched = await trx
    .selectFrom('match_records')
    .innerJoin('matches', 'matches.id', 'match_records.match_id')
    .select(['identity', 'matches.id as id', 'execution_id as executionId'])
    .where('match_records.job_id', '=', jobId)
    .where(sql<boolean>`identity = any(${identities}::text[])`)
    .execute();
  const itemOf = new Map(items.map((item) => [item.identity, item]));
  const matchOf = new Map(matched.map((match) => [match.identity, match]));
  const used = new Set([...matchOf.keys(), ...others.map(({ identity }) => identity)]);
  const free = new Map(lists.map((keys) => [keys, (keys.length === 1 ? keys : inPreference(keys, used, itemOf)).values()]));
  const known: KnownRecord[] = [];
  for (const { side, record, keys } of records) {
    const key = free.get(keys)?.next().value;
    if (key === undefined) return undefined;
    const { identity, occurrence } = key;
    const match = matchOf.get(identity);
    const recordKey = keyOfOne(side, record, occurrence);
    const one = { side, record, identity, occurrence, recordKey, isItem: itemOf.has(identity) };
    known.push(match === undefined ? one : { ...one, match });
  }
  return known;
};

type WithKeys = SideRecord & { readonly keys: readonly ItemKey[] };

const hasNoKey = ({ record, occurrence }: Placed): boolean => record['id'] === undefined && occurrence === undefined;

/** Which record of its job each may be: by its id or its number, or, where it has neither, any that does not stand alone in the run. */
const withKeys = (records: readonly Placed[], alone: readonly StoredResult[], more: number): WithKeys[] => {
  const saying = (side: Side, record: Fields): string => `${side}\n${JSON.stringify(asRead(record))}`;
  const taken = Map.groupBy(alone, ({ source: [source], target }) =>
    saying(source === undefined ? 'target' : 'source', source ?? (target[0] as Fields)),
  );
  const keysOf = new Map(
    [...Map.groupBy(records.filter(hasNoKey), ({ side, record }) => saying(side, record))].map(([said, [first, ...others]]) => {
      const { side, record } = first as Placed;
      const numbers = new Set(taken.get(said)?.map(({ occurrence }) => occurrence ?? 1));
      const free = Array.from({ length: numbers.size + 1 + others.length + more }, (_, index) => index + 1).filter(
        (number) => !numbers.has(number),
      );
      return [said, free.map((number) => keyAt(side, record, number))];
    }),
  );
  return records.map((one) => {
    const { side, record, occurrence } = one;
    if (record['id'] !== undefined)
      return { side, record, keys: [{ identity: identityOf(side, String(record['id']), hashOf), occurrence: 1 }] };
    const keys = occurrence === undefined ? keysOf.get(saying(side, record)) : [keyAt(side, record, occurrence)];
    return { side, record, keys: keys ?? [] };
  });
};

const keyAt = (side: Side, record: Fields, occurrence: number): ItemKey => ({
  identity: identityOf(side, contentOf(asRead(record), occurrence), hashOf),
  occurrence,
});

/** Those that are nobody else's: open items first, and then settled ones. */
const inPreference = (
  keys: readonly ItemKey[],
  used: ReadonlySet<string>,
  items: ReadonlyMap<string, { readonly isRetired: boolean }>,
): readonly ItemKey[] => {
  const rankOf = ({ identity }: ItemKey): number => {
    const item = items.get(identity);
    return item === undefined ? 2 : Number(item.isRetired);
  };
  return keys.filter(({ identity }) => !used.has(identity)).sort((one, other) => rankOf(one) - rankOf(other));
};

export const calledIn = ({ side, record }: SideRecord): string => `${side} record ${String(record['id'] ?? 'without an id')}`;

/** @throws Refusal `conflict` for a record that is in another match of the job already */
export const requireUnmatched = (records: readonly KnownRecord[]): void => {
  const found = records.find(({ match }) => match !== undefined);
  if (found?.match === undefined) return;
  const { match } = found;
  throw new Refusal('conflict', `The ${calledIn(found)} is matched by hand already: see ${match.id} of ${match.executionId}.`);
};

/** Those that were no settled open items before. */
export const retire = async (trx: Trx, jobId: string, identities: readonly string[]): Promise<ReadonlySet<string>> => {
  if (identities.length === 0) return new Set();
  const rows = await trx
    .updateTable('open_items')
    .set({ retired_at: sql<Date>`now()` })
    .where('job_id', '=', jobId)
    .where('identity', 'in', [...identities])
    .where('retired_at', 'is', null)
    .returning('identity')
    .execute();
  return new Set(rows.map(({ identity }) => identity));
};

export const restore = async (trx: Trx, jobId: string, identities: readonly string[]): Promise<void> => {
  if (identities.length === 0) return;
  await trx
    .updateTable('open_items')
    .set({ retired_at: null })
    .where('job_id', '=', jobId)
    .where('identity', 'in', [...identities])
    .execute();
};

type CarriedRecord = SideRecord & ItemKey & Pick<KnownRecord, 'recordKey'>;

/** A group that the rules have made may have more than one statement has parameters for. */
const rowsPerStatement = 1_000;

/** Has records that were left without counterpart take part in the next runs. Returns those that had not been open items. */
export const carry = async (trx: Trx, run: Run, records: readonly CarriedRecord[]): Promise<string[]> => {
  const carried: string[] = [];
  for (let from = 0; run.carriesForward && from < records.length; from += rowsPerStatement)
    carried.push(...(await carrySome(trx, run, records.slice(from, from + rowsPerStatement))));
  return carried;
};

const carrySome = async (trx: Trx, run: Run, records: readonly CarriedRecord[]): Promise<string[]> => {
  const rows = await trx
    .insertInto('open_items')
    .values(
      records.map(({ side, record, identity, occurrence, recordKey }) => ({
        job_id: run.jobId,
        identity,
        organization_id: run.organizationId,
        side,
        occurrence,
        record: JSON.stringify(asRead(record)),
        record_key: recordKey,
        first_execution_id: run.id,
        first_seen_at: sql<Date>`now()`,
      })),
    )
    .onConflict((conflict) =>
      // What a person has settled stays so for as long as it says the same. An item that is open says already what its newest version says.
      conflict.columns(['job_id', 'identity']).doUpdateSet({
        record: sql`case when open_items.retired_at is null then open_items.record else excluded.record end`,
        record_key: sql`case when open_items.retired_at is null then open_items.record_key else excluded.record_key end`,
        retired_at: sql`case when open_items.record::jsonb = excluded.record::jsonb then open_items.retired_at end`,
      }),
    )
    .returning(['identity', sql<boolean>`xmax = 0`.as('isNew')])
    .execute();
  return rows.flatMap(({ identity, isNew }) => (isNew ? [identity] : []));
};
