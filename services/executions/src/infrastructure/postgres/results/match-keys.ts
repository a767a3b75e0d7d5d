/** What runs have matched, as later ones know it: a row for each piece of results. */
import type { Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import type { HeldExecution, MatchedBefore, SideRecord } from '../../../application/ports.ts';
import type { EarlierMatches } from '../../../domain/matching/earlier-matches.ts';
import type { BrokenMatch } from '../../../domain/matching/kept-matches.ts';
import { type Keys, type MatchKeys, wordsPerKey } from '../../../domain/matching/match-keys.ts';
import type { Side } from '../../../domain/side.ts';
import type { Fields } from '../../../domain/stake.ts';
import { recordsOf } from '../matches/match-exchange.ts';
import { keyOfOne } from '../open-items/record-key.ts';
import type { Database } from '../tables.ts';
import { told } from './find-results.ts';
import { withoutNumber } from './records-by-name.ts';

/** Of the newest runs, so many matched records are known: more would take longer to read than a run of the usual size takes. */
const knownMax = 2_000_000;
/** And so many pieces of results: a job that runs every minute has half a million runs a year. */
const piecesMax = 10_000;
/** Those of large runs have half a megabyte each; where they turn out to be small, more are read at once. */
const pageRows = { first: 16, most: 1_024, growsBelowBytes: 2 ** 20 };

export const createMatchedBefore = (postgres: Postgres<Database>): MatchedBefore => ({
  read: async function* (jobId, before) {
    let after: Place = { created_at: before, execution_id: '', first: 0 };
    for (let known = 0, pieces = 0, limit = pageRows.first; known < knownMax && pieces < piecesMax; ) {
      const rows = await pageOf(postgres, jobId, after, limit);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last;
      const matches = rows.map(
        ({ execution_id: executionId, created_at: createdAt, first, source_keys: source, target_keys: target }): EarlierMatches => ({
          executionId,
          runAt: createdAt.getTime(),
          first,
          source: wordsOf(source),
          target: wordsOf(target),
        }),
      );
      const words = matches.reduce((sum, { source, target }) => sum + source.length + target.length, 0);
      known += words / wordsPerKey;
      pieces += rows.length;
      if (words * Uint32Array.BYTES_PER_ELEMENT < pageRows.growsBelowBytes) limit = Math.min(pageRows.most, limit * 2);
      yield matches;
    }
  },

  others: async function* (jobId, broken) {
    for (const [executionId, matches] of Map.groupBy(broken, (match) => match.executionId)) {
      for (let from = 0; from < matches.length; from += resultsTogether) {
        const found = await othersOf(postgres, executionId, matches.slice(from, from + resultsTogether));
        yield await unsettled(postgres, jobId, executionId, found);
      }
    }
  },
});

const resultsTogether = 1_000;

/**
 * Of those results that still are what they were, the records but the one that is there. What a person has decided about them is about all of
 * them together, and holds for as long as they are found together and say the same.
 */
const othersOf = async (
  { systemDb }: Postgres<Database>,
  executionId: string,
  matches: readonly BrokenMatch[],
): Promise<readonly SideRecord[]> => {
  const at = new Map(matches.map((match) => [match.position, match]));
  const { rows } = await sql<{ position: number; source: readonly Fields[]; target: readonly Fields[] }>`
    select position, ${told('source')}, ${told('target')} from results r
     where execution_id = ${executionId} and created_at = (select created_at from executions where id = ${executionId})
       and position = any(${[...at.keys()]}::int[]) and manual is null and outcome in ('matched', 'mismatched', 'ambiguous')
       and not exists (select 1 from exceptions e where e.id = r.exception_id and e.resolution = 'matched_later')`.execute(systemDb);
  return rows.flatMap(({ position, ...result }) => {
    const broken = at.get(position);
    const isThere = (side: Side, { id }: Fields): boolean => side === broken?.side && String(id) === broken.recordId;
    const records = recordsOf(result);
    const others = records.filter(({ side, record }) => !isThere(side, record));
    // Without an id it is among the others, and taken for the same as the one that is delivered.
    return others.length < records.length || broken?.recordId === null ? others : [];
  });
};

/**
 * Without what is an open item, which takes part anyway or was settled by somebody since the run that has found it, and what is matched by hand.
 * Of records without ids that say the same, each that another run has left open since may be the one that was found, and so may each that was
 * matched by hand elsewhere since; those that were open or matched before are others.
 */
const unsettled = async (
  { systemDb }: Postgres<Database>,
  jobId: string,
  executionId: string,
  records: readonly SideRecord[],
): Promise<readonly SideRecord[]> => {
  const keys = records.map(({ side, record }) => keyOfOne(side, record, null));
  const isNamed = (index: number): boolean => records[index]?.record['id'] !== undefined;
  const named = keys.filter((_, index) => isNamed(index));
  const others = keys.filter((_, index) => !isNamed(index));
  const foundAt = sql`(select created_at from executions where id = ${executionId})`;
  const key = withoutNumber(sql`record_key`);
  const saysSo = sql`(record_key = any(${others}::text[]) or occurrence > 1 and ${key} = any(${others}::text[]))`;
  const anonymous = sql`
    union select ${key} from open_items
     where job_id = ${jobId} and first_execution_id <> ${executionId} and first_seen_at >= ${foundAt} and ${saysSo}
    union select ${key} from match_records r join matches m on m.id = r.match_id
     where r.job_id = ${jobId} and not retired and m.execution_id <> ${executionId} and m.created_at >= ${foundAt} and ${saysSo}`;
  const { rows } = await sql<{ key: string }>`
    select record_key as key from open_items
     where job_id = ${jobId} and (retired_at is null or retired_at >= ${foundAt}) and record_key = any(${named}::text[])
    union select record_key from match_records where job_id = ${jobId} and record_key = any(${named}::text[])
    ${others.length === 0 ? sql`` : anonymous}`.execute(systemDb);
  const settled = new Set(rows.map((row) => row.key));
  return records.filter((_, index) => !settled.has(keys[index] as string));
};

interface Place {
  readonly created_at: Date;
  readonly execution_id: string;
  readonly first: number;
}

/** Those before that place, the newest first. */
const pageOf = ({ systemDb }: Postgres<Database>, jobId: string, { created_at: at, execution_id: id, first }: Place, limit: number) =>
  systemDb
    .selectFrom('match_keys as k')
    .innerJoin('executions as e', 'e.id', 'k.execution_id')
    .select(['k.execution_id', 'k.created_at', 'k.first', 'k.source_keys', 'k.target_keys'])
    .where('k.job_id', '=', jobId)
    .where('e.status', '=', 'completed')
    .where(sql<boolean>`(k.created_at, k.execution_id, k.first) < (${at}, ${id}, ${first})`)
    .orderBy('k.created_at', 'desc')
    .orderBy('k.execution_id', 'desc')
    .orderBy('k.first', 'desc')
    .limit(limit)
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
  { id, organizationId, jobId, createdAt }: HeldExecution,
  first: number,
  { source, target }: MatchKeys,
): Promise<unknown> =>
  client.query(
    'insert into match_keys (execution_id, organization_id, job_id, created_at, first, source_keys, target_keys) values ($1, $2, $3, $4, $5, $6, $7)',
    [id, organizationId, jobId, createdAt, first, bytesOf(source), bytesOf(target)],
  );
