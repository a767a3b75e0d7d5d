/** A match in the place of results, or results in the place of a match: the same records, told otherwise. */
import { newId } from '@settler/chassis/ids';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { sql, type Transaction } from 'kysely';
import type { SideRecord } from '../../../application/ports.ts';
import { differenceOf, type Joined, missingOn } from '../../../domain/hand-match.ts';
import type { Manual } from '../../../domain/matched-result.ts';
import { asRead } from '../../../domain/open-items.ts';
import { sides } from '../../../domain/side.ts';
import { type NewResult, putIn, type Run, retell, type StoredResult, takeOut } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { carry, identified, type KnownRecord, restore } from './match-records.ts';

type Trx = Transaction<Database>;

/** What stands now, in the place of what. */
export interface Exchanged {
  readonly before: readonly StoredResult[];
  readonly after: readonly StoredResult[];
}

export const recordsOf = (records: Joined['taken']): SideRecord[] =>
  sides.flatMap((side) => records[side].map((record) => ({ side, record })));

/** One match takes the place of these results; what else they had stands beside it, each for itself. `rows` can be put back. */
export const join = async (
  trx: Trx,
  run: Run,
  { taken, left }: Pick<Joined, 'taken'> & { readonly left: readonly KnownRecord[] },
  before: readonly StoredResult[],
  { id, manual }: { readonly id: string; readonly manual: Manual },
): Promise<Exchanged & { readonly rows: readonly Record<string, unknown>[]; readonly match: StoredResult }> => {
  const rows = await takeOut(trx, run, before);
  const results: NewResult[] = [
    { id, outcome: 'matched', ...taken, delta: differenceOf(taken), manual },
    ...left.map((record) => aloneOf(run, record)),
  ];
  const after = await putIn(trx, run, results, placesOf(before));
  return { before, after, rows, match: after[0] as StoredResult };
};

/** Each record of these matches stands for itself, and takes part in the next runs. */
export const part = async (trx: Trx, run: Run, matches: readonly StoredResult[]): Promise<Exchanged> => {
  if (matches.length === 0) return { before: [], after: [] };
  const known = await identified(trx, run, matches.flatMap(recordsOf));
  await takeOut(trx, run, matches);
  const alone = known.map((record) => aloneOf(run, record));
  const after = await putIn(trx, run, alone, placesOf(matches));
  await carry(
    trx,
    run,
    known.filter((record) => record.match === undefined),
  );
  return { before: matches, after };
};

const placesOf = (results: readonly StoredResult[]): number[] => results.map(({ position }) => position).sort((one, other) => one - other);

const aloneOf = (run: Run, { side, record, occurrence }: KnownRecord): NewResult => ({
  id: newId('result'),
  outcome: missingOn(side),
  source: side === 'source' ? [record] : [],
  target: side === 'target' ? [record] : [],
  dueOn: run.dueOn(record),
  occurrence,
});

/** The same for a run that is over: the summary is the row's. */
export const retellRun = async (trx: Trx, run: Run, exchanged: Exchanged): Promise<void> => {
  const { summary } = await trx.selectFrom('executions').select('summary').where('id', '=', run.id).forUpdate().executeTakeFirstOrThrow();
  if (summary === null) throw new Error(`${run.id} is completed and has no summary`);
  const changed: ExecutionSummary = await retell(trx, run, summary, exchanged);
  await trx
    .updateTable('executions')
    .set({ summary: JSON.stringify(changed), revision: sql<bigint>`revision + 1` })
    .where('id', '=', run.id)
    .execute();
};

/** From now on the job's runs are given these records as a match. */
export const hold = async (
  trx: Trx,
  run: Run,
  matchId: string,
  records: readonly KnownRecord[],
  retired: ReadonlySet<string>,
): Promise<void> => {
  await trx
    .insertInto('match_records')
    .values(
      records.map(({ side, record, identity, occurrence, recordKey }) => ({
        match_id: matchId,
        organization_id: run.organizationId,
        job_id: run.jobId,
        side,
        identity,
        occurrence,
        record: JSON.stringify(asRead(record)),
        record_key: recordKey,
        retired: retired.has(identity),
      })),
    )
    .execute();
};

/** And no longer: its records take part like any others. */
export const release = async (
  trx: Trx,
  jobId: string,
  matchId: string,
  because: 'undone' | 'record_changed',
  by: { readonly type: string; readonly id: string },
): Promise<void> => {
  const records = await trx.deleteFrom('match_records').where('match_id', '=', matchId).returning(['identity', 'retired']).execute();
  await restore(
    trx,
    jobId,
    records.filter(({ retired }) => retired).map(({ identity }) => identity),
  );
  await trx
    .updateTable('matches')
    .set({ ended_at: sql<Date>`now()`, ended_because: because, ended_by_type: by.type, ended_by_id: by.id })
    .where('id', '=', matchId)
    .execute();
};
