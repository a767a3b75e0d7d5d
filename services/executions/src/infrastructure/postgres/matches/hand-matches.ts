/** Matches by hand as runs know them: given to each before it reads, and held against what it has written when it ends. */
import { isDeepStrictEqual } from 'node:util';
import { newId } from '@settler/chassis/ids';
import type { OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { Selectable, Transaction } from 'kysely';
import type { GivenMatchIds, HandMatch, HandMatches, HeldExecution } from '../../../application/ports.ts';
import { joined } from '../../../domain/hand-match.ts';
import type { Manual } from '../../../domain/matched-result.ts';
import type { Side } from '../../../domain/side.ts';
import type { Fields } from '../../../domain/stake.ts';
import type { Opened } from '../exceptions/exception-messages.ts';
import { isAlone, manualResults, type Run, resultsHolding, retell, runWith, type StoredResult } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { endChanged } from './ended-matches.ts';
import { type Exchanged, join, part } from './match-exchange.ts';
import { carry, identified, mayBe, recordsOfMatches, retire } from './match-records.ts';
import { undoneMeanwhile } from './separations.ts';

type Trx = Transaction<Database>;
type MatchRow = Pick<Selectable<Database['matches']>, (typeof said)[number]>;

const pageRows = 1_000;

/** Without what is needed to undo it: a job may have thousands. */
const said = [
  'id',
  'execution_id',
  'created_by_type',
  'created_by_id',
  'created_at',
  'note',
  'approved_by_type',
  'approved_by_id',
] as const;

const manualOf = (row: MatchRow): Manual => ({
  matchId: row.id,
  by: { type: row.created_by_type, id: row.created_by_id },
  at: row.created_at.toISOString(),
  note: row.note,
  ...(row.approved_by_type === null || row.approved_by_id === null
    ? {}
    : { approvedBy: { type: row.approved_by_type, id: row.approved_by_id } }),
});

export const createHandMatches = (postgres: Postgres<Database>): HandMatches => ({
  read: async function* ({ jobId }) {
    for (let after = ''; ; ) {
      const matches = await postgres.systemDb
        .selectFrom('matches')
        .select(said)
        .where('job_id', '=', jobId)
        .where('ended_at', 'is', null)
        .where('id', '>', after)
        .orderBy('id')
        .limit(pageRows)
        .execute();
      const last = matches.at(-1);
      if (last === undefined) return;
      after = last.id;
      const records = Map.groupBy(
        await recordsOfMatches(
          postgres.systemDb,
          matches.map(({ id }) => id),
        ),
        (record) => record.match_id,
      );
      // One that was undone between the two reads has no records any more.
      yield matches.flatMap((row): HandMatch[] => {
        const own = records.get(row.id);
        return own === undefined ? [] : [{ manual: manualOf(row), records: own }];
      });
    }
  },
});

export interface Settled {
  readonly summary: ExecutionSummary;
  /** What matches that hold no longer have left open. */
  readonly opened: readonly Opened[];
  readonly messages: readonly OutboxMessage[];
}

/**
 * What was decided while the run was going on, and what it found changed. Under the lock on the job's open items, after those were moved
 * and before exceptions are opened for what is missing.
 */
export const settleHandMatches = async (
  trx: Trx,
  held: HeldExecution,
  given: GivenMatchIds,
  summary: ExecutionSummary,
): Promise<Settled> => {
  const { id, organizationId, jobId, createdAt, epoch } = held;
  const run = runWith(held.definition.rules, { id, organizationId, jobId, createdAt, epoch });
  const holding = await trx.selectFrom('matches').select(said).where('job_id', '=', run.jobId).where('ended_at', 'is', null).execute();
  const isHolding = new Set(holding.map(({ id }) => id));
  const isKnown = new Set(given.known);
  let told = summary;
  const say = async (exchanged: Exchanged): Promise<void> => {
    if (exchanged.before.length > 0) told = await retell(trx, run, told, exchanged);
  };
  const undone = given.known.filter((id) => !isHolding.has(id));
  await say(await part(trx, run, [...(await manualResults(trx, run, undone)), ...(await undoneMeanwhile(trx, run, given.apart))]));
  const changed = new Set(given.changed);
  for (const row of holding.filter(({ id }) => !isKnown.has(id))) {
    const exchanged = await matchLate(trx, run, row);
    if (exchanged === 'changed') changed.add(row.id);
    else if ('instead' in exchanged) await say(await part(trx, run, exchanged.instead));
    else await say(exchanged);
  }
  const messages: OutboxMessage[] = [];
  const opened: Opened[] = [];
  for (const row of holding.filter(({ id }) => changed.has(id))) {
    const ended = await endChanged(trx, run, row);
    messages.push(...ended.messages);
    opened.push(...ended.opened);
  }
  return { summary: told, opened, messages };
};

/** Not all of its records are there; what the rules have found together with one that is, which waits for the others. */
interface Absent {
  readonly instead: readonly StoredResult[];
}

const isTogether: ReadonlySet<string> = new Set(['matched', 'mismatched', 'ambiguous']);

/** Made while the run was going on: what a person said goes before what the rules have found meanwhile. */
const matchLate = async (trx: Trx, run: Run, row: MatchRow): Promise<Exchanged | Absent | 'changed'> => {
  const records = await recordsOfMatches(trx, [row.id]);
  const found = await resultsHolding(trx, run, records);
  const places: ((typeof records)[number] & Place)[] = [];
  for (const record of records) places.push({ ...record, ...placeOf(found, record, places) });
  if (places.some(({ isChanged }) => isChanged)) return 'changed';
  if (places.some(({ result }) => result === undefined)) {
    const hasSome = (result: StoredResult): boolean =>
      records.some(({ side, record }) => result[side].some((other) => isDeepStrictEqual(other, record)));
    return { instead: found.filter((result) => isTogether.has(result.outcome) && result.manual === null && hasSome(result)) };
  }
  const displaced = found.filter((result) => places.some((place) => place.result === result));
  const parts = joined(displaced, (side, result, at) =>
    places.some((place) => place.side === side && place.result === result && place.at === at),
  );
  const left = await identified(trx, run, parts.left);
  const exchanged = await join(trx, run, { taken: parts.taken, left }, displaced, { id: newId('result'), manual: manualOf(row) });
  // The rules of the run may have settled some, which are no open items any more: whoever undoes the match has to find them.
  await carry(
    trx,
    run,
    records.filter((record) => record.retired),
  );
  const retired = await retire(
    trx,
    run.jobId,
    records.map(({ identity }) => identity),
  );
  if (retired.size > 0)
    await trx
      .updateTable('match_records')
      .set({ retired: true })
      .where('match_id', '=', row.id)
      .where('identity', 'in', [...retired])
      .execute();
  await carry(
    trx,
    run,
    left.filter((record) => record.match === undefined),
  );
  return exchanged;
};

interface Place {
  readonly side: Side;
  readonly result?: StoredResult;
  readonly at: number;
  readonly isChanged: boolean;
}

type Known = { readonly side: Side; readonly record: Fields; readonly occurrence: number };

/** Among results that nobody has matched by hand, where none of the others is. Itself, if it is alone, before any that says the same. */
const placeOf = (results: readonly StoredResult[], known: Known, others: readonly Place[]): Place => {
  const { side, record } = known;
  const places = results.flatMap((result): Place[] => {
    if (result.manual !== null || result.outcome === 'invalid' || result.outcome === 'duplicate') return [];
    const isFree = (at: number): boolean => !others.some((other) => other.side === side && other.result === result && other.at === at);
    const at = result[side].findIndex((other, index) => isDeepStrictEqual(other, record) && isFree(index));
    return at === -1 ? [] : [{ side, result, at, isChanged: false }];
  });
  const place = places.find(({ result }) => result !== undefined && isAlone(result) && mayBe(result, known)) ?? places[0];
  if (place !== undefined) return place;
  const id = record['id'];
  const isChanged =
    id !== undefined && results.some((result) => result[side].some((other) => other['id'] === id && !isDeepStrictEqual(other, record)));
  return { side, at: -1, isChanged };
};
