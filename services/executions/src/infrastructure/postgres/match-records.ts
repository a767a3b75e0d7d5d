/** Records of matches by hand, by the identity that they have in every run, and the open items that they are. */
import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '@settler/chassis/refusal';
import { sql, type Transaction } from 'kysely';
import { asRead, contentOf, type ItemKey, identityOf } from '../../domain/open-items.ts';
import type { Side } from '../../domain/side.ts';
import type { Fields } from '../../domain/stake.ts';
import { hashOf, keyOfOne } from './record-key.ts';
import type { Run } from './stored-results.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;

export interface SideRecord {
  readonly side: Side;
  readonly record: Fields;
}

export interface KnownRecord extends SideRecord, ItemKey {
  readonly recordKey: string;
  /** Whether it is an open item, retired or not. */
  readonly isItem: boolean;
  readonly isRetired: boolean;
  /** The match by hand that it is in. */
  readonly match?: { readonly id: string; readonly executionId: string };
}

export const identified = async (trx: Trx, jobId: string, records: readonly SideRecord[]): Promise<KnownRecord[]> => {
  if (records.length === 0) return [];
  const keys = [...new Set(records.map(({ side, record }) => keyOfOne(side, record)))];
  const items = await trx
    .selectFrom('open_items')
    .select(['identity', 'occurrence', 'record_key', 'record', sql<boolean>`retired_at is not null`.as('isRetired')])
    .where('job_id', '=', jobId)
    .where(sql<boolean>`record_key = any(${keys}::text[])`)
    .orderBy('isRetired')
    .orderBy('occurrence')
    .execute();
  const matched = await trx
    .selectFrom('match_records')
    .innerJoin('matches', 'matches.id', 'match_records.match_id')
    .select(['identity', 'matches.id as id', 'execution_id as executionId'])
    .where('match_records.job_id', '=', jobId)
    .where(sql<boolean>`record_key = any(${keys}::text[])`)
    .execute();
  const taken = new Map(matched.map((one) => [one.identity, one]));
  const used = new Set(taken.keys());
  const itemsOf = Map.groupBy(items, (item) => item.record_key);
  return records.map(({ side, record }) => {
    const recordKey = keyOfOne(side, record);
    const same = itemsOf.get(recordKey) ?? [];
    const known = record['id'] === undefined ? anonymous(side, record, same, used) : named(side, record, same);
    const match = taken.get(known.identity);
    used.add(known.identity);
    return { side, record, recordKey, ...known, ...(match === undefined ? {} : { match }) };
  });
};

/** @throws Refusal `conflict` for a record that is in another match of the job already */
export const requireUnmatched = (records: readonly KnownRecord[]): void => {
  const found = records.find(({ match }) => match !== undefined);
  if (found?.match === undefined) return;
  const { side, record, match } = found;
  throw new Refusal(
    'conflict',
    `The ${side} record ${String(record['id'])} is matched by hand already: see ${match.id} of ${match.executionId}.`,
  );
};

type Item = ItemKey & { readonly record: Fields; readonly isRetired: boolean };
type Known = ItemKey & Pick<KnownRecord, 'isItem' | 'isRetired'>;

const named = (side: Side, record: Fields, items: readonly Item[]): Known => {
  const identity = identityOf(side, String(record['id']), hashOf);
  const item = items.find((one) => one.identity === identity);
  return { identity, occurrence: 1, isItem: item !== undefined, isRetired: item?.isRetired ?? false };
};

/** The first of those that say the same and are nobody else's. */
const anonymous = (side: Side, record: Fields, items: readonly Item[], used: ReadonlySet<string>): Known => {
  const item = items.find(({ identity, record: said }) => !used.has(identity) && isDeepStrictEqual(asRead(said), asRead(record)));
  if (item !== undefined) return { identity: item.identity, occurrence: item.occurrence, isItem: true, isRetired: item.isRetired };
  for (let occurrence = 1; ; occurrence += 1) {
    const identity = identityOf(side, contentOf(asRead(record), occurrence), hashOf);
    if (!used.has(identity)) return { identity, occurrence, isItem: false, isRetired: false };
  }
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
    .onConflict((conflict) => conflict.columns(['job_id', 'identity']).doUpdateSet({ retired_at: null }))
    .returning(['identity', sql<boolean>`xmax = 0`.as('isNew')])
    .execute();
  return rows.flatMap(({ identity, isNew }) => (isNew ? [identity] : []));
};
