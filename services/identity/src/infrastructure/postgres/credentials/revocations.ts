import type { Postgres } from '@settler/chassis/postgres';
import { type RevocationKind, revocationsMax } from '@settler/contracts/internal/api-keys';
import { sql } from 'kysely';
import type { Revocations } from '../../../application/queries.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';

/**
 * Says that these no longer count, or not as they did. Last in its transaction: the counter's row makes all others wait until the commit.
 * `ends`: when what is open with them has to end.
 */
export const revoke = async (
  trx: Trx,
  kind: Exclude<RevocationKind, 'user'>,
  ids: readonly string[],
  ends: Date | 'now' | 'never' = 'now',
): Promise<void> => {
  if (ids.length === 0) return;
  const { revision } = await trx
    .updateTable('revocation_counter')
    .set({ revision: sql<bigint>`revision + ${ids.length}` })
    .returning('revision')
    .executeTakeFirstOrThrow();
  await sql`
    insert into revocations (revision, kind, subject_id, ends_at)
    select ${revision - BigInt(ids.length)} + position, ${kind}, id, ${endsAtOf(ends)}::timestamptz from unnest(${ids}::text[]) with ordinality as subject (id, position)`.execute(
    trx,
  );
};

const endsAtOf = (ends: Date | 'now' | 'never'): Date | string | null => {
  if (ends === 'now') return null;
  return ends === 'never' ? 'infinity' : ends;
};

interface Row {
  readonly current: bigint;
  readonly oldest: bigint | null;
  readonly revoked: readonly { revision: number; kind: RevocationKind; id: string; ends: string | null }[];
}

export const createRevocations = (postgres: Postgres<Database>): Revocations => ({
  after: (revision) =>
    postgres.anonymous(async (trx) => {
      // One statement, so that the counter and the rows are of the same moment.
      const { rows } = await sql<Row>`
        select counter.revision as current,
               (select min(revision) from revocations) as oldest,
               coalesce((select json_agg(page order by page.revision)
                           from (select revision, kind, subject_id as id, ends_at as ends from revocations
                                  where revision > case when ${revision}::bigint > counter.revision then 0 else ${revision}::bigint end
                                  order by revision limit ${revocationsMax}) as page), '[]') as revoked
          from revocation_counter as counter`.execute(trx);
      const { current, oldest, revoked } = rows[0] ?? { current: 0n, oldest: null, revoked: [] };
      const known = BigInt(revision);
      const firstKept = oldest ?? current + 1n;
      return {
        revision: revoked.length === revocationsMax ? (revoked.at(-1)?.revision ?? revision) : Number(current),
        // Too far behind, or ahead: the database was restored to a time before what the asker knows.
        all: known + 1n < firstKept || known > current,
        revoked: revoked.map(({ kind, id, ends }) => ({ kind, id, ...(ends === null ? {} : { endsAt: instantOf(ends) }) })),
      };
    }),
});

/** Null for one that never comes. */
const instantOf = (text: string): string | null => (text === 'infinity' ? null : new Date(text).toISOString());
