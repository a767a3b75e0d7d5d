/** What runs have matched, as later ones know it: a row for each piece of results. */
import type { Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import type { HeldExecution, MatchedBefore } from '../../application/ports.ts';
import type { EarlierMatches } from '../../domain/matching/kept-matches.ts';
import { type Keys, type MatchKeys, wordsPerKey } from '../../domain/matching/match-keys.ts';
import type { Database } from './tables.ts';

/** Of the newest runs, so many matched records are known: more would take longer to read than a run of the usual size takes. */
const knownMax = 2_000_000;
const pageRows = 16;

export const createMatchedBefore = (postgres: Postgres<Database>): MatchedBefore => ({
  read: async function* (jobId, before) {
    let known = 0;
    for (let after: Place | undefined; known < knownMax; ) {
      const rows = await pageOf(postgres, jobId, before, after);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last;
      const matches = rows.map(
        (row): EarlierMatches => ({ executionId: row.execution_id, source: wordsOf(row.source_keys), target: wordsOf(row.target_keys) }),
      );
      known += matches.reduce((sum, { source, target }) => sum + (source.length + target.length) / wordsPerKey, 0);
      yield matches;
    }
  },
});

interface Place {
  readonly execution_id: string;
  readonly created_at: Date;
  readonly first: number;
}

const pageOf = async ({ systemDb }: Postgres<Database>, jobId: string, before: Date, after: Place | undefined) =>
  systemDb
    .selectFrom('match_keys as k')
    .innerJoin('executions as e', 'e.id', 'k.execution_id')
    .select(['k.execution_id', 'e.created_at', 'k.first', 'k.source_keys', 'k.target_keys'])
    .where('k.job_id', '=', jobId)
    .where('e.status', '=', 'completed')
    .where('e.created_at', '<', before)
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(e.created_at, k.execution_id, k.first) < (${after?.created_at ?? null}, ${after?.execution_id ?? null}, ${after?.first ?? null})`,
      ),
    )
    .orderBy('e.created_at', 'desc')
    .orderBy('k.execution_id', 'desc')
    .orderBy('k.first', 'desc')
    .limit(pageRows)
    .execute();

/** Little-endian, as is every machine that this runs on. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Keys): Buffer => Buffer.from(buffer, byteOffset, byteLength);
const wordsOf = (bytes: Buffer): Keys => {
  const words = new Uint32Array(bytes.length / Uint32Array.BYTES_PER_ELEMENT);
  bytesOf(words).set(bytes);
  return words;
};

export const insertMatchKeys = (
  client: PoolClient,
  { id, organizationId, jobId }: HeldExecution,
  first: number,
  { source, target }: MatchKeys,
): Promise<unknown> =>
  client.query(
    'insert into match_keys (execution_id, organization_id, job_id, first, source_keys, target_keys) values ($1, $2, $3, $4, $5, $6)',
    [id, organizationId, jobId, first, bytesOf(source), bytesOf(target)],
  );
