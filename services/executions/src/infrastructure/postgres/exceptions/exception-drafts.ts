/** What a run has written beside its results of those that need somebody: most of it becomes exceptions as it is, and nobody reads it. */
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import type { OpenedLine } from '../../../domain/opened.ts';
import { withoutLoops } from '../results/records-by-name.ts';
import type { Database } from '../tables.ts';
import { underKeys } from '../under-keys.ts';
import { eventsMax, type Opened } from './exception-messages.ts';

type Trx = Transaction<Database>;
type Held = Pick<HeldExecution, 'id' | 'epoch' | 'jobId'>;

/** Each by its name; what else there is, whoever asks has given. */
const saidColumns = [
  ...(['position', 'id', 'result_id', 'record_key', 'category', 'severity', 'search', 'records', 'amount', 'currency', 'reason'] as const),
] satisfies readonly (keyof Database['exception_drafts'])[];
type Draft = Pick<Selectable<Database['exception_drafts']>, (typeof saidColumns)[number]>;

export interface OpenedDrafts {
  readonly lines: readonly OpenedLine[];
  /** Each of them, where they are few; of more, as many as say so. */
  readonly opened: readonly Opened[];
  /** Where the results stand whose records are in an exception already, or share one. */
  readonly left: readonly number[];
}

const draftsOf = ({ id, epoch }: Held): RawBuilder<unknown> => sql`exception_drafts where execution_id = ${id} and epoch = ${epoch}`;

/**
 * `open`: the statement that opens what it is given, and returns it. `decided`: by their keys, records of which a person has decided before:
 * whether that holds, the database cannot tell.
 */
export const openDrafts = async (
  trx: Trx,
  held: Held,
  open: (rows: RawBuilder<unknown>) => RawBuilder<unknown>,
  decided: readonly string[],
): Promise<OpenedDrafts> => {
  const isUndecided = decided.length === 0 ? sql`true` : sql`record_key <> all(${[...decided]}::text[])`;
  const drafts = sql`(select *, null::text as former_exception_id from ${draftsOf(held)} and ${isUndecided} order by position) as r`;
  const { rows } = await withoutLoops(trx, () =>
    sql<OpenedDrafts>`
      with opened as (${open(drafts)}),
      lines as (
        select category, coalesce(currency, '') as currency, count(*)::int as count, coalesce(sum(abs(amount)) filter (where currency is not null), 0)::text as amount
          from opened group by 1, 2),
      firsts as (select id, category, severity, amount::text, currency, first_seen_at as "firstSeenAt" from opened limit ${eventsMax + 1}),
      shared as (select record_key from ${draftsOf(held)} and not exists (select from opened o where o.id = exception_drafts.id))
      select coalesce((select json_agg(lines) from lines), '[]') as lines,
             coalesce((select json_agg(firsts) from firsts), '[]') as opened,
             array(select position from ${draftsOf(held)} and record_key in (select record_key from shared) order by position) as left`.execute(
      trx,
    ),
  );
  const [{ lines, opened, left }] = rows as [OpenedDrafts];
  return { lines, opened: opened.map((one) => ({ ...one, firstSeenAt: new Date(one.firstSeenAt) })), left };
};

export const draftsAt = (trx: Trx, { id, epoch }: Pick<Held, 'id' | 'epoch'>, positions: readonly number[]): Promise<Draft[]> =>
  trx
    .selectFrom('exception_drafts')
    .select(saidColumns)
    .where('execution_id', '=', id)
    .where('epoch', '=', epoch)
    .where(sql<boolean>`position = any(${[...positions]}::int[])`)
    .orderBy('position')
    .execute();

/** By their keys, those whose records were closed, or matched by hand. */
export const decidedDrafts = async (trx: Trx, held: Held): Promise<readonly string[]> => {
  const { rows } = await sql<Keyed>`select record_key from ${draftsOf(held)}`.execute(trx);
  const keys = rows.map(keyOf);
  const closed = await underKeys(keys, (isOneOf) =>
    trx
      .selectFrom('exceptions')
      .distinct()
      .select('record_key')
      .where('job_id', '=', held.jobId)
      .where('status', 'in', ['resolved', 'dismissed'])
      .where(isOneOf)
      .execute(),
  );
  const matched = await underKeys(keys, (isOneOf) =>
    trx.selectFrom('match_records').select('record_key').where('job_id', '=', held.jobId).where(isOneOf).execute(),
  );
  return [...new Set([...closed, ...matched].map(keyOf))];
};

type Keyed = Pick<Draft, 'record_key'>;
const keyOf = ({ record_key: key }: Keyed): string => key;
