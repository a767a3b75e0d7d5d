/**
 * Opens the exceptions of an execution that just completed, from its stored results: one open exception per record, ever. What a person
 * has decided about a record stays decided for as long as the record says the same.
 */

import { isDeepStrictEqual } from 'node:util';
import { newId } from '@settler/chassis/ids';
import type { OutboxMessage } from '@settler/chassis/outbox';
import type { Rules } from '@settler/contracts/rules';
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import { isSettledBy, type Resolution, type Said } from '../../../domain/exception-life.ts';
import { type Category, categoryOf } from '../../../domain/exceptions.ts';
import { type OpenedLine, openedLines } from '../../../domain/opened.ts';
import type { Fields } from '../../../domain/stake.ts';
import { matchedByHand } from '../matches/match-records.ts';
import { type FoundResult, findAll, type Sought } from '../results/find-results.ts';
import { resultPartition } from '../results/partition.ts';
import { searchTextOf } from '../results/search-text.ts';
import type { Database } from '../tables.ts';
import { weigh } from './exception-candidate.ts';
import { decidedDrafts, draftsAt, openDrafts } from './exception-drafts.ts';
import { type Opened, openedMessages } from './exception-messages.ts';
import { liveOf, openThoughNotDue, refreshChanged } from './exception-refresh.ts';

type Trx = Transaction<Database>;
/** The execution whose results they are. */
export type About = Pick<HeldExecution, 'id' | 'organizationId' | 'jobId' | 'createdAt'> & { readonly severity: Rules['severity'] };
export type ResultInNeed = Pick<
  FoundResult,
  'id' | 'outcome' | 'category' | 'reason' | 'line' | 'delta' | 'source' | 'target' | 'position' | 'occurrence' | 'exception_id'
> & { readonly due_on?: FoundResult['due_on'] };

const batchRows = 1_000;

/** For results that came to be after the run was over, or that are in none of its. What was opened, and the messages that tell of it. */
export const openExceptionsFor = async (
  trx: Trx,
  about: About,
  results: readonly ResultInNeed[],
): Promise<{ opened: readonly Opened[]; messages: OutboxMessage[] }> => {
  // Its own run, too, has left records open, some time ago.
  const target = { table: 'results', known: { ...(await knownOf(trx, about)), leftOpen: true } };
  const opened: Opened[] = [];
  for (let from = 0; from < results.length; from += batchRows)
    opened.push(...(await insertBatch(trx, about, candidatesOf(about, results.slice(from, from + batchRows)), target)));
  return { opened, messages: openedMessages(about, openedLines(opened), opened) };
};

/**
 * What was opened, and the messages that tell of it, which are few, whatever the number. `areAsWritten`: the results are those
 * that the run has written. Where some had to make way since, what was written beside them does not tell what they are.
 */
export const openExceptions = async (
  trx: Trx,
  held: HeldExecution,
  areAsWritten: boolean,
): Promise<{ lines: OpenedLine[]; messages: OutboxMessage[] }> => {
  const about = { ...held, severity: held.definition.rules.severity };
  const target = { table: resultPartition(held.createdAt), known: await knownOf(trx, about) };
  const notDue = await openThoughNotDue(trx, held);
  const drafted = areAsWritten ? await openAsDrafted(trx, held, target.known) : undefined;
  const others =
    drafted === undefined
      ? resultsInNeed(trx, about, eitherInNeed(notDue))
      : leftOver(trx, about, { ...drafted, epoch: held.epoch, notDue });
  const opened = await openEach(trx, about, others, target);
  const lines = openedLines([...(drafted?.lines ?? []), ...opened]);
  return { lines, messages: openedMessages(held, lines, [...(drafted?.opened ?? []), ...opened]) };
};

/** Of records that are in no exception of the job: those are all that most runs open. */
const openAsDrafted = async (trx: Trx, held: HeldExecution, known: Known) => {
  const decided = known.closed || known.matched ? await decidedDrafts(trx, held) : [];
  const open = (rows: RawBuilder<unknown>) => openRows(held, rows, { at: new Date(), leftOpen: known.leftOpen });
  return { decided, ...(await openDrafts(trx, held, open, decided)) };
};

type Candidates = AsyncGenerator<readonly Candidate[], void, undefined>;

const openEach = async (trx: Trx, about: About, candidates: Candidates, target: Target): Promise<readonly Opened[]> => {
  const batches: Promise<readonly Opened[]>[] = [];
  try {
    for await (const some of candidates) {
      const before = batches.at(-1);
      const batch = insertBatch(trx, about, some, target, before);
      batch.catch(() => {});
      batches.push(batch);
      // While the database writes those of one thousand, those of the next are made.
      await before;
    }
    return (await Promise.all(batches)).flat();
  } finally {
    // Whatever failed: nothing more is asked of the connection, which is somebody else's then.
    await Promise.allSettled(batches);
  }
};

const resultsInNeed = async function* (trx: Trx, about: About, sought: Sought): Candidates {
  for await (const results of findAll(trx, { id: about.id, created_at: about.createdAt }, [sought], batchRows))
    yield candidatesOf(about, results);
};

interface LeftOver {
  /** Where they stand. */
  readonly left: readonly number[];
  readonly decided: readonly string[];
  readonly notDue: readonly number[];
  readonly epoch: number;
}

const leftOver = async function* (trx: Trx, about: About, { left, decided, notDue, epoch }: LeftOver): Candidates {
  const isDecided = new Set(decided);
  for (let from = 0; from < left.length; from += batchRows) {
    const drafts = await draftsAt(trx, { ...about, epoch }, left.slice(from, from + batchRows));
    yield drafts.map(({ position, result_id: resultId, records, ...row }) => ({
      ...{ position, resultId, row, linked: row.id },
      opens: isDecided.has(row.record_key),
      said: { category: row.category, reason: row.reason, records },
    }));
  }
  if (notDue.length > 0) yield* resultsInNeed(trx, about, { ...inNeed, result: sql`position = any(${[...notDue]}::int[])` });
};

/** Nearly all others are matched: of a thousand that are, nobody looks at any. */
const inNeed: Pick<Sought, 'digest'> = { digest: sql`outcomes is distinct from ${['matched']}::text[]` };

/** `open`: the positions of what is open though it is not due. */
const eitherInNeed = (open: readonly number[]): Sought => ({
  ...inNeed,
  result: sql`outcome <> 'matched' and (due_on is null ${open.length === 0 ? sql`` : sql`or position = any(${[...open]}::int[])`})`,
});

/** Whether anything of a job was ever closed, matched by hand, or left open by another run: in its first, nobody looks for any of them. */
interface Known {
  readonly closed: boolean;
  readonly matched: boolean;
  readonly leftOpen: boolean;
}

const knownOf = async (trx: Trx, { id, jobId }: About): Promise<Known> => {
  const { rows } = await sql<Known>`
    select exists (select 1 from exceptions where job_id = ${jobId} and status in ('resolved', 'dismissed')) as closed,
           exists (select 1 from match_records where job_id = ${jobId}) as matched,
           exists (select 1 from open_items where job_id = ${jobId} and first_execution_id <> ${id}) as "leftOpen"`.execute(trx);
  return rows[0] as Known;
};

interface Target {
  /** Where results can be written to. */
  readonly table: string;
  readonly known: Known;
}

/** `before`: the batch before it, which writes before this one does. */
const insertBatch = async (
  trx: Trx,
  held: About,
  candidates: readonly Candidate[],
  { table, known }: Target,
  before?: Promise<unknown>,
): Promise<readonly Opened[]> => {
  if (candidates.length === 0) return [];
  const recordKeys = [...new Set(candidates.map(({ row }) => row.record_key))];
  const closed = known.closed ? await lastClosed(trx, held.jobId, recordKeys) : new Map<string, Closed>();
  const matched = known.matched ? await matchedByHand(trx, held.jobId, recordKeys) : new Map<string, unknown>();
  const isSettled = ({ row, said }: Candidate): boolean => {
    const decided = closed.get(row.record_key);
    return (decided?.holds === true && isSettledBy(decided, said)) || isMatchedAsIs(matched.get(row.record_key), said);
  };
  const undecided = candidates.filter((candidate) => candidate.opens && !isSettled(candidate));
  const insert = undecided.length === 0 ? undefined : insertOf(held, undecided, { closed, leftOpen: known.leftOpen });
  await before;
  const inserted = (await insert?.execute(trx))?.rows ?? [];
  const opened = new Map(inserted.map((row) => [row.record_key, row]));
  const live = await liveOf(
    trx,
    held.jobId,
    recordKeys.filter((key) => !opened.has(key)),
  );
  await refreshChanged(trx, held, live, candidates);
  const told = candidates.filter(({ opens, row }) => opens || live.has(row.record_key));
  await linkResults(trx, held, told, new Map<string, { readonly id: string }>([...closed, ...live, ...opened]), table);
  return inserted.map((row) => ({
    id: row.id,
    category: row.category as Category,
    severity: row.severity,
    amount: row.amount,
    currency: row.currency,
    firstSeenAt: row.first_seen_at,
  }));
};

/** `holds`: not where it was decided by a match that was undone, or whose records have changed since. */
type Closed = Said & { readonly id: string; readonly resolution: Resolution | null; readonly holds: boolean };

/** The last decision about each record, where there is one. */
const lastClosed = async (trx: Trx, jobId: string, recordKeys: readonly string[]): Promise<ReadonlyMap<string, Closed>> => {
  const rows = await trx
    .selectFrom('exceptions')
    .distinctOn('record_key')
    .select(['record_key', 'id', 'resolution', 'category', 'reason', 'records'])
    .select(
      sql<boolean>`match_id is null or exists (select 1 from matches where matches.id = exceptions.match_id and ended_at is null)`.as(
        'holds',
      ),
    )
    .where('job_id', '=', jobId)
    .where('status', 'in', ['resolved', 'dismissed'])
    .where(sql<boolean>`record_key = any(${[...recordKeys]}::text[])`)
    .orderBy('record_key')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return new Map(rows.map(({ record_key: key, ...closed }) => [key, closed]));
};

const isMatchedAsIs = (matched: unknown, { records }: Said): boolean =>
  matched !== undefined && records.length === 1 && isDeepStrictEqual(matched, records[0]);

type Row = Selectable<Database['exceptions']>;
type Inserted = Pick<Row, 'id' | 'record_key' | 'category' | 'severity' | 'amount' | 'currency' | 'first_seen_at'>;

/** As one text: a thousand rows of parameters would take longer to be told than to be written. */
const insertOf = (
  held: About,
  candidates: readonly Candidate[],
  { closed, leftOpen }: { readonly closed: ReadonlyMap<string, Closed>; readonly leftOpen: boolean },
): RawBuilder<Inserted> => {
  const rows = candidates.map(({ row, said, resultId }) => ({
    ...row,
    records: said.records,
    result_id: resultId,
    former_exception_id: closed.get(row.record_key)?.id,
  }));
  const told = sql`
    jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(id text, record_key text, category text, severity text, search text, records jsonb, amount numeric, currency text, reason text,
           result_id text, former_exception_id text)`;
  return openRows(held, told, { at: new Date(), leftOpen });
};

/** Opens what these rows say, unless one is open for the same record. */
const openRows = (
  { id: executionId, organizationId, jobId }: Pick<About, 'id' | 'organizationId' | 'jobId'>,
  rows: RawBuilder<unknown>,
  { at, leftOpen }: { readonly at: Date; readonly leftOpen: boolean },
): RawBuilder<Inserted> => {
  // A record that was not due yet when it came in has been waiting since then.
  const leftOpenAt = sql`(select min(first_seen_at) from open_items i where i.job_id = ${jobId} and i.record_key = r.record_key)`;
  return sql<Inserted>`
    insert into exceptions (organization_id, job_id, execution_id, status, id, record_key, category, severity, search, records, amount,
                            currency, reason, result_id, former_exception_id, first_seen_at, created_at, updated_at)
    select ${organizationId}, ${jobId}, ${executionId}, 'open', id, record_key, category, severity, search, records, amount,
           currency, reason, result_id, former_exception_id, ${leftOpen ? sql`coalesce(${leftOpenAt}, ${at})` : at}, ${at}, ${at}
      from ${rows}
    on conflict (job_id, record_key) where status in ('open', 'in_progress') do nothing
    returning id, record_key, category, severity, amount, currency, first_seen_at`;
};

/**
 * Each result points at the exception that is open for its record, whichever execution opened it, or else at the decision about it. Most
 * have been written with the id of the one that was opened for them.
 */
const linkResults = async (
  trx: Trx,
  { id, createdAt }: About,
  candidates: readonly Candidate[],
  exceptions: ReadonlyMap<string, { readonly id: string }>,
  table: string,
): Promise<void> => {
  const changed = new Map(
    candidates.flatMap(({ position, linked, row }) => {
      const exceptionId = exceptions.get(row.record_key)?.id ?? null;
      return exceptionId === linked ? [] : [[position, exceptionId] as const];
    }),
  );
  if (changed.size === 0) return;
  // Without a join: just after a COPY nothing is known of the table, and for each link every result of the run would be looked at.
  await sql`
    update ${sql.table(table)} set exception_id = ${JSON.stringify(Object.fromEntries(changed))}::jsonb ->> position::text
     where execution_id = ${id} and created_at = ${createdAt} and position = any(${[...changed.keys()]}::int[])`.execute(trx);
};

interface Candidate {
  readonly resultId: string;
  readonly position: number;
  /** The exception that its result points at: the one that it would open, or none yet. */
  readonly linked: string | null;
  /** Whether one is opened for it, where none is open: not where it is not due yet, and not where one is open. */
  readonly opens: boolean;
  readonly said: Said;
  readonly row: Pick<Row, 'id' | 'record_key' | 'category' | 'severity' | 'search' | 'amount' | 'currency' | 'reason'>;
}

const candidatesOf = (held: About, results: readonly ResultInNeed[]): Candidate[] =>
  results.flatMap((result) => {
    const category = categoryOf(result.outcome, result.category ?? undefined);
    return category === undefined ? [] : [candidateOf(held, result, category)];
  });

const candidateOf = ({ severity }: About, result: ResultInNeed, category: Category): Candidate => {
  const { id: resultId, position, reason, exception_id: linked, due_on: dueOn = null } = result;
  const [source, target] = [result.source as readonly Fields[], result.target as readonly Fields[]];
  const records = [...source, ...target];
  const search = searchTextOf(records);
  return {
    ...{ resultId, position, linked, opens: dueOn === null },
    said: { category, reason, records },
    row: { id: linked ?? newId('exception'), category, reason, search, ...weigh({ ...result, source, target }, category, severity) },
  };
};
