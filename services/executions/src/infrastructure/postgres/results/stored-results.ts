/** Results of a run that is over, and their exchange for others that have the same records: a match by hand, and its undoing. */
import { notFound, Refusal } from '@settler/chassis/refusal';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { carriesForward, type Rules } from '@settler/contracts/rules';
import { type Selectable, sql, type Transaction } from 'kysely';
import { renamingsOf, type Standing, summaryAfter } from '../../../domain/hand-match.ts';
import type { Manual } from '../../../domain/matched-result.ts';
import { noDay } from '../../../domain/matching/batch.ts';
import { dayOf } from '../../../domain/matching/day.ts';
import { dueFrom } from '../../../domain/matching/due.ts';
import type { Delta } from '../../../domain/matching/results/result.ts';
import { cardinalityOf } from '../../../domain/matching/results/result.ts';
import { type Side, sides } from '../../../domain/side.ts';
import { type Fields, worthOf } from '../../../domain/stake.ts';
import type { Database } from '../tables.ts';
import { eitherOf, type FoundResult, findResults, holdsOneOf, type Sought, soughtByIds, soughtByRecordIds } from './find-results.ts';
import { largestAmount } from './result-rows.ts';
import { rename, storedSums } from './result-sums.ts';
import { searchTextOf } from './search-text.ts';

type Trx = Transaction<Database>;
type ExecutionRow = Selectable<Database['executions']>;

/** What an exchange has to know of a run. */
export interface Run {
  readonly id: string;
  readonly organizationId: string;
  readonly jobId: string;
  readonly createdAt: Date;
  readonly epoch: number;
  readonly carriesForward: boolean;
  readonly severity: Rules['severity'];
  /** Until when the counterpart of a record that stands alone in it may still come; null where that is over, or nothing was said of it. */
  readonly dueOn: (record: Fields) => string | null;
}

export interface StoredResult extends Standing {
  readonly position: number;
  readonly manual: Manual | null;
  readonly reason: string | null;
  readonly exceptionId: string | null;
  readonly dueOn: string | null;
  readonly occurrence: number | null;
}

export interface NewResult extends Omit<Standing, 'pass'> {
  readonly dueOn?: string | null;
  /** Of a record that stands alone. */
  readonly occurrence?: number;
  readonly delta?: Delta;
  readonly manual?: Manual;
}

/** @throws Refusal `not_found`, or `conflict` where it has no results that could be exchanged */
export const completedRun = async (trx: Trx, id: string): Promise<Run> => {
  const row = await trx.selectFrom('executions').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('execution');
  if (row.dry_run) throw new Refusal('conflict', 'This execution is a dry run, which keeps no results.');
  requireCompleted(row);
  if (row.results_dropped_at !== null) throw new Refusal('conflict', whyGone(row.results_dropped_at));
  return runOf(row);
};

/**
 * What is empty would look as if there were nothing to tell. Rows of an attempt that did not end are nobody's results.
 * @throws Refusal `conflict`
 */
export const requireCompleted = ({ status }: Pick<ExecutionRow, 'status'>): void => {
  if (status !== 'completed') throw new Refusal('conflict', `This execution is ${status}: only one that is completed has results.`);
};

/** @throws Refusal `conflict` for a run that has not completed, `gone` for one whose results are kept no longer */
export const requireResults = (run: Pick<ExecutionRow, 'status' | 'results_dropped_at'>): void => {
  requireCompleted(run);
  if (run.results_dropped_at !== null) throw new Refusal('gone', whyGone(run.results_dropped_at));
};

const whyGone = (droppedAt: Date): string =>
  `The results of this execution were kept for their time and dropped on ${droppedAt.toISOString().slice(0, 10)}; its report stays.`;

const runOf = (row: ExecutionRow): Run =>
  runWith(row.definition.rules, {
    id: row.id,
    organizationId: row.organization_id,
    jobId: row.job_id,
    createdAt: row.created_at,
    epoch: row.lease_epoch,
  });

export const runWith = (rules: Rules, about: Omit<Run, 'carriesForward' | 'severity' | 'dueOn'>): Run => {
  const due = dueFrom(rules, dayOf(about.createdAt.toISOString().slice(0, 10)) ?? noDay);
  return {
    ...about,
    carriesForward: carriesForward(rules),
    severity: rules.severity,
    dueOn: ({ date }) => due(typeof date === 'string' ? (dayOf(date) ?? noDay) : noDay)?.dueOn ?? null,
  };
};

const find = async (
  trx: Trx,
  { id, createdAt }: Pick<Run, 'id' | 'createdAt'>,
  sought: readonly Sought[],
  limit: number,
): Promise<StoredResult[]> => asStored(await findResults(trx, { id, created_at: createdAt }, sought, { limit }));

const asStored = (rows: readonly FoundResult[]): StoredResult[] =>
  rows.map(({ id, outcome, pass, source, target, position, occurrence, manual, reason, exception_id: exceptionId, due_on: dueOn }) => ({
    ...({ source, target } as Pick<StoredResult, 'source' | 'target'>),
    ...{ id, outcome, pass, position, occurrence, manual, reason, exceptionId, dueOn },
  }));

/** An id that stands in more results than this is no name for any of them. */
const namedMax = 2_000;

/** Results that have a record of this id on either side, or that are named themselves. Those that need somebody come first. */
export const resultsNaming = async (trx: Trx, run: Run, ids: readonly string[]): Promise<StoredResult[]> => {
  const found = await find(trx, run, [eitherOf(soughtByRecordIds(ids), soughtByIds(ids))], namedMax);
  const needsNobody = ({ outcome }: StoredResult): number => (['matched', 'duplicate', 'invalid'].includes(outcome) ? 1 : 0);
  return found.sort((one, other) => needsNobody(one) - needsNobody(other));
};

export const resultsById = async (trx: Trx, run: Pick<Run, 'id' | 'createdAt'>, ids: readonly string[]): Promise<StoredResult[]> =>
  ids.length === 0 ? [] : find(trx, run, [soughtByIds(ids)], ids.length);

type Records = readonly { readonly side: Side; readonly record: Fields }[];

/** Results that have one of these records, or another under its id. */
export const resultsHolding = async (trx: Trx, run: Pick<Run, 'id' | 'createdAt'>, records: Records): Promise<StoredResult[]> =>
  find(trx, run, [soughtByRecords(records)], namedMax);

const soughtByRecords = (records: Records): Sought => {
  const of = (wanted: Side): Sought => {
    const own = records.flatMap(({ side, record }) => (side === wanted ? [record] : []));
    const named = soughtByRecordIds(
      own.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])),
      [wanted],
    );
    const others = own.filter(({ id }) => typeof id !== 'string');
    return others.length === 0 ? named : eitherOf(named, { result: holdsOneOf(wanted, others) });
  };
  return eitherOf(of('source'), of('target'));
};

/** Whether it is about one record, which is nobody's match. */
export const isAlone = ({ outcome, source, target }: StoredResult): boolean => outcome !== 'matched' && source.length + target.length === 1;

/** Of records without ids that say the same, an input has a few. */
const aloneMax = 100_000;

/** Those of them that are about one record, which has a number there. */
export const aloneHolding = async (trx: Trx, run: Run, records: Records): Promise<StoredResult[]> => {
  const isOne: Sought = {
    result: sql`outcome not in ('matched', 'invalid') and jsonb_array_length(source::jsonb) + jsonb_array_length(target::jsonb) = 1`,
    digest: sql`outcomes is distinct from ${['matched']}::text[]`,
  };
  return find(trx, run, [isOne, soughtByRecords(records)], aloneMax);
};

/** Those that were matched by hand and not by the rules. */
export const manualResults = async (trx: Trx, run: Run, matchIds: readonly string[]): Promise<StoredResult[]> =>
  matchIds.length === 0
    ? []
    : find(trx, run, [{ result: sql`outcome = 'matched' and manual ->> 'matchId' = any(${[...matchIds]}::text[])` }], matchIds.length);

/** Whole rows, to be put back as they were. */
export const takeOut = async (trx: Trx, run: Run, results: readonly StoredResult[]): Promise<readonly Record<string, unknown>[]> => {
  const { rows } = await sql<{ row: Record<string, unknown> }>`
    delete from results r
     where created_at = ${run.createdAt} and execution_id = ${run.id} and position = any(${results.map(({ position }) => position)}::int[])
       and id = any(${results.map(({ id }) => id)}::text[])
    returning to_jsonb(r) as row`.execute(trx);
  if (rows.length !== results.length) throw new Error('a result that makes way is not there');
  return rows.map(({ row }) => row);
};

/** In one statement: a group has more records than a statement may have parameters. */
export const putRows = async (trx: Trx, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> => {
  await sql`insert into results select * from jsonb_populate_recordset(null::results, ${JSON.stringify(rows)}::jsonb)`.execute(trx);
};

/** The new ones stand where the old ones stood, as far as those went. */
export const putIn = async (trx: Trx, run: Run, results: readonly NewResult[], places: readonly number[]): Promise<StoredResult[]> => {
  const { last } = await trx
    .selectFrom('results')
    .select(({ fn }) => fn.coalesce(fn.max('position'), sql<number>`0`).as('last'))
    .where('execution_id', '=', run.id)
    .where('created_at', '=', run.createdAt)
    .executeTakeFirstOrThrow();
  const end = Math.max(last, ...places);
  const rows = results.map((result, index) => ({ ...result, position: places[index] ?? end + 1 + index - places.length }));
  await putRows(
    trx,
    rows.map((row) => rowOf(run, row)),
  );
  // What is found there now, the digest of that place does not know: from now on it is looked for there.
  await sql`
    delete from result_digests d using unnest(${rows.map(({ position }) => position)}::int[]) as changed(position)
     where execution_id = ${run.id} and changed.position between d.first and d.last`.execute(trx);
  return rows.map((row) => ({
    ...row,
    ...{
      pass: null,
      reason: null,
      exceptionId: null,
      manual: row.manual ?? null,
      dueOn: row.dueOn ?? null,
      occurrence: row.occurrence ?? null,
    },
  }));
};

const rowOf = (run: Run, { position, ...result }: NewResult & { readonly position: number }) => {
  const records = sides.flatMap((side) => result[side]);
  return {
    created_at: run.createdAt,
    id: result.id,
    organization_id: run.organizationId,
    execution_id: run.id,
    epoch: run.epoch,
    position,
    outcome: result.outcome,
    cardinality: result.outcome === 'matched' ? cardinalityOf(result) : null,
    delta: result.delta === undefined ? null : JSON.stringify(result.delta),
    due_on: result.dueOn ?? null,
    conditions: '[]',
    source: JSON.stringify(result.source),
    target: JSON.stringify(result.target),
    amount_max: largestAmount(records.map(worthOf).map(({ amountMinor, currency }) => ({ units: amountMinor, currency }))),
    search: searchTextOf(records),
    manual: result.manual ?? null,
    occurrence: result.occurrence === 1 ? null : (result.occurrence ?? null),
  };
};

type Told = Omit<Standing, 'id'>;

/** The summary of the run once these results have made way for those, whose records are called what they are called there. */
export const retell = async (
  trx: Trx,
  run: Run,
  summary: ExecutionSummary,
  { before, after }: { readonly before: readonly Told[]; readonly after: readonly Told[] },
): Promise<ExecutionSummary> => {
  await rename(trx, run, renamingsOf(before, after));
  const matched = (await storedSums(trx, run.id)).filter(({ side, outcome }) => side === 'source' && outcome === 'matched');
  const matchedSources = matched.reduce((sum, { count }) => sum + count, 0);
  return summaryAfter(summary, before, after, matchedSources);
};
