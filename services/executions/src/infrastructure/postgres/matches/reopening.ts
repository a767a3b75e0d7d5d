/** Whether records may be open again, by their exception or the match that they are in: not while they are matched, and need nobody. */
import { Refusal } from '@settler/chassis/refusal';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { SideRecord } from '../../../application/ports.ts';
import { canonical } from '../../../domain/matching/canonical.ts';
import type { Fields } from '../../../domain/stake.ts';
import { sourcesIn } from '../open-items/record-key.ts';
import { completedRun, isAlone, type Run, resultsHolding, type StoredResult } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { recordsOf } from './match-exchange.ts';
import { calledIn } from './match-records.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exceptions']>;

export const refuseWhileMatchedByHand = async (trx: Trx, matchId: string): Promise<void> => {
  const match = await trx
    .selectFrom('matches')
    .select('execution_id')
    .where('id', '=', matchId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (match === undefined) return;
  throw new Refusal('conflict', `Its record was matched by hand: undo the match ${matchId} of ${match.execution_id} to open it again.`);
};

/**
 * @throws Refusal `conflict` where the newest run that has its record, or else the one that has resolved it, has matched it, has it together with
 * others, or has another version
 */
export const refuseWhileMatched = async (trx: Trx, row: Row): Promise<void> => {
  const records = recordsIn(row);
  // Of what could not be read at all there is nothing that could be found.
  if (records.length === 0) return;
  for (const run of await runsToAsk(trx, row, records)) {
    const found = await resultsHolding(trx, await completedRun(trx, run.id), records);
    if (found.length === 0) continue;
    // It is the reason for one of them, whatever became of others that say the same.
    if (found.some(({ exceptionId }) => exceptionId === row.id)) return;
    refuseWhileChanged(row, records, found);
    refuseWhileWithOthers(records, found);
    const matched = found.filter(({ outcome }) => outcome === 'matched');
    if (matched.length === 0) return;
    const matches = await holdingOf(trx, matched);
    const [match] = matches;
    if (match === undefined) continue;
    if (matches.length <= (await resolvedLike(trx, row, run.id))) continue;
    throw new Refusal('conflict', `Its record is matched: undo the match ${match.id} of ${run.id} instead.`);
  }
};

/** Open again, it would be worked on, and take part in runs, as it was. A version that could not be read has an exception of its own. */
const refuseWhileChanged = (row: Row, records: readonly SideRecord[], found: readonly StoredResult[]): void => {
  if (row.record_key.startsWith('invalid:')) return;
  const told = toldIn(found);
  const changed = new Set(records.flatMap((one) => told.holding(one).filter((result) => told.saysOtherwise(result, one))));
  const newer = found.find((result) => result.exceptionId !== null && changed.has(result));
  if (newer !== undefined) throw new Refusal('conflict', `Its record says something else by now: work on ${newer.exceptionId} instead.`);
};

/** The run has found it to differ from another, or to be one of several: that has an exception, which says so, and alone it is in no run any more. */
const refuseWhileWithOthers = (records: readonly SideRecord[], found: readonly StoredResult[]): void => {
  const own = new Set(records.map(placeOf));
  const told = toldIn(found.filter((result) => result.outcome !== 'matched' && recordsOf(result).some((one) => !own.has(placeOf(one)))));
  // Without an id it may be another that says the same.
  const named = records.filter(({ record }) => record['id'] !== undefined);
  const newer = named.flatMap((one) => told.holding(one)).find(({ exceptionId }) => exceptionId !== null);
  if (newer !== undefined)
    throw new Refusal('conflict', `Its record was found together with others: work on ${newer.exceptionId} instead.`);
};

const recordsIn = ({ record_key: key, records }: Pick<Row, 'record_key' | 'records'>): SideRecord[] => {
  const sources = sourcesIn(key, records);
  return (records as readonly Fields[]).map((record, index) => ({ side: index < sources ? 'source' : 'target', record }));
};

/**
 * Each record has one open exception. That none is open under the same key the table sees to; of what was a pair, each may be in another by now.
 * Those without ids that say the same nobody tells apart, and a version that could not be read has an exception of its own.
 * @throws Refusal `conflict` where one of its records is in another open exception
 */
export const refuseWhileInAnother = async (trx: Trx, row: Row): Promise<void> => {
  const names = namesIn(row);
  if (names.size === 0) return;
  // Two who reopen two exceptions of one record would each find the other closed.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`reopening in ${row.job_id}`}, 0))`.execute(trx);
  const ids = recordsIn(row).map(({ record }) => String(record['id']));
  const others = await trx
    .selectFrom('exceptions')
    .select(['id', 'record_key', 'records'])
    .where('job_id', '=', row.job_id)
    .where('status', 'in', ['open', 'in_progress'])
    .where('record_key', '<>', row.record_key)
    .where(sql<boolean>`exists (select from jsonb_array_elements(records) as r(record) where record ->> 'id' = any(${ids}::text[]))`)
    .orderBy('id', 'desc')
    .execute();
  const other = others.find((one) => !names.isDisjointFrom(namesIn(one)));
  if (other !== undefined) throw new Refusal('conflict', `Another exception is open for one of its records: work on ${other.id} instead.`);
};

const namesIn = (row: Pick<Row, 'record_key' | 'records'>): Set<string> =>
  new Set(
    row.record_key.startsWith('invalid:')
      ? []
      : recordsIn(row).flatMap(({ side, record }) => (record['id'] === undefined ? [] : [`${side} ${String(record['id'])}`])),
  );

/** But for those by hand that have ended since: the run that they were made in still tells of them, and nobody could undo them. */
const holdingOf = async (trx: Trx, matched: readonly StoredResult[]): Promise<readonly StoredResult[]> => {
  const ids = matched.flatMap(({ manual }) => manual?.matchId ?? []);
  if (ids.length === 0) return matched;
  const rows = await trx.selectFrom('matches').select('id').where('id', 'in', ids).where('ended_at', 'is not', null).execute();
  const hasEnded = new Set(rows.map(({ id }) => id));
  return matched.filter(({ manual }) => manual === null || !hasEnded.has(manual.matchId));
};

/** Of records without ids that say the same: for how many others the run has found a counterpart. */
const resolvedLike = async (trx: Trx, { id, job_id: jobId, record_key: key, records }: Row, executionId: string): Promise<number> => {
  if ((records as readonly Fields[]).every((record) => record['id'] !== undefined)) return 0;
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from exceptions e
     where job_id = ${jobId} and status = 'resolved' and resolution = 'matched_later' and id <> ${id}
       and records = (select records from exceptions where id = ${id})
       and left(record_key, 7) = left(${key}, 7)
       and exists (select from exception_history h
                    where h.exception_id = e.id and h.action = 'resolved' and h.detail ->> 'executionId' = ${executionId})`.execute(trx);
  return rows[0]?.count ?? 0;
};

/** @throws Refusal `conflict` where one of these records was found otherwise: free, it would find a second counterpart, or be open twice */
export const refuseWhileFoundLater = async (
  trx: Trx,
  run: Run,
  records: readonly SideRecord[],
  together: readonly SideRecord[] = [],
): Promise<void> => {
  const found = await foundLater(trx, run, records, together);
  if (found !== undefined) throw new Refusal('conflict', found);
};

/**
 * In which newer run the rules have matched one of these records, or found it in another version or with others than `together`, as a caller is
 * told it. Undefined where they have not. What somebody has matched by hand stays as it is, in whichever run.
 */
export const foundLater = async (
  trx: Trx,
  run: Run,
  records: readonly SideRecord[],
  together: readonly SideRecord[] = [],
): Promise<string | undefined> => {
  const newer = await newestWithResults(trx, run.jobId, run.carriesForward ? runsAskedFor(records) : 1)
    .where('created_at', '>', run.createdAt)
    .execute();
  const known = new Set(together.map(contentOf));
  const isWithOthers = (result: StoredResult): boolean => !isAlone(result) && !recordsOf(result).every((one) => known.has(contentOf(one)));
  let asked = records;
  for (const [index, { id }] of newer.entries()) {
    if (asked.length === 0) return undefined;
    const found = await resultsHolding(trx, await completedRun(trx, id), asked);
    // What keeps a match of another run is told once, in the newest.
    const match = found.find(({ outcome, manual, pass }) => outcome === 'matched' && manual === null && (pass !== null || index === 0));
    if (match !== undefined) return `A later run has a record of it in a match: undo the match ${match.id} of ${id} instead.`;
    const told = toldIn(found);
    const withOthers = new Set(found.filter(isWithOthers));
    // Without an id it may be another that says the same.
    for (const one of asked.filter(({ record }) => record['id'] !== undefined)) {
      const other = told
        .holding(one)
        .find((result) => result.manual === null && (withOthers.has(result) || told.saysOtherwise(result, one)));
      if (other !== undefined) return `A later run has found the ${calledIn(one)} otherwise: it is in ${other.id} of ${id}.`;
    }
    // Of each, the newest run that has it tells.
    asked = asked.filter((one) => told.holding(one).length === 0);
  }
  return undefined;
};

/** Rows that repeat or contradict each other tell nothing of what was found before. */
const isTold = ({ outcome, pass }: StoredResult): boolean =>
  outcome === 'matched' ? pass !== null : outcome !== 'invalid' && outcome !== 'duplicate';

const placeOf = ({ side, record }: SideRecord): string => `${side} ${JSON.stringify(record['id'])}`;
const contentOf = ({ side, record }: SideRecord): string => `${side} ${canonical(record)}`;

/** Which of a run's results tell of a record, and what they say. Both may be thousands, so that each is looked up. */
const toldIn = (results: readonly StoredResult[]) => {
  const holding = new Map<string, StoredResult[]>();
  const said = new Set<string>();
  for (const result of results.filter(isTold)) {
    for (const one of recordsOf(result)) {
      const here = holding.get(placeOf(one)) ?? [];
      if (here.at(-1) !== result) here.push(result);
      holding.set(placeOf(one), here);
      said.add(`${result.id} ${contentOf(one)}`);
    }
  }
  return {
    /** By its id; of those without one, all that have none. */
    holding: (one: SideRecord): readonly StoredResult[] => holding.get(placeOf(one)) ?? [],
    /** Of a record that it holds: without an id it may be another that says the same. */
    saysOtherwise: (result: StoredResult, one: SideRecord): boolean =>
      one.record['id'] !== undefined && !said.has(`${result.id} ${contentOf(one)}`),
  };
};

/** Each run is searched, which takes it some milliseconds by ids, and seconds without. */
const runsAskedMax = 50;
const runsAskedFor = (records: readonly SideRecord[]): number =>
  records.every(({ record }) => record['id'] !== undefined) ? runsAskedMax : 1;

const newestWithResults = (trx: Trx, jobId: string, limit: number) =>
  trx
    .selectFrom('executions')
    .select('id')
    .where('job_id', '=', jobId)
    .where('status', '=', 'completed')
    .where('dry_run', '=', false)
    .where('results_dropped_at', 'is', null)
    .orderBy('created_at', 'desc')
    .limit(limit);

/** The newest ones, and the one that has resolved it. */
const runsToAsk = async (trx: Trx, { id, job_id: jobId }: Row, records: readonly SideRecord[]) => {
  const withResults = newestWithResults(trx, jobId, runsAskedFor(records));
  const resolving = await trx
    .selectFrom('exception_history')
    .select(sql<string | null>`detail ->> 'executionId'`.as('executionId'))
    .where('exception_id', '=', id)
    .where('action', '=', 'resolved')
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  const newest = await withResults.execute();
  const resolved = await withResults.where('id', '=', resolving?.executionId ?? '').execute();
  return [...newest, ...resolved.filter((run) => !newest.some(({ id: asked }) => asked === run.id))];
};
