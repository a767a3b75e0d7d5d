/** What is settled with an exception: all that its records come to on either side and in every currency, which may be more than a list shows. */
import { type Selectable, sql, type Transaction } from 'kysely';
import { takesSecond } from '../../domain/approval.ts';
import { type Fields, type Stake, stakesOf } from '../../domain/stake.ts';
import { approvalRule } from './approvals.ts';
import { sourcesIn } from './record-key.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;
type Row = Pick<Selectable<Database['exceptions']>, 'id' | 'job_id' | 'record_key' | 'records'>;

const unknown: readonly Stake[] = [{ currency: null, amountMinor: null }];

/** By the ids of the exceptions. */
export const stakesOfAll = async (trx: Trx, rows: readonly Row[]): Promise<ReadonlyMap<string, readonly Stake[]>> => {
  const times = await timesOf(trx, rows.filter(mayBeSeveral));
  return new Map(rows.map((row) => [row.id, stakesIn(row, mayBeSeveral(row) ? times(row) : 1n)]));
};

export const stakesOfOne = async (trx: Trx, row: Row): Promise<readonly Stake[]> => (await stakesOfAll(trx, [row])).get(row.id) ?? unknown;

/** Whether one person may not settle it alone; and what is at stake. */
export const requiresSecond = async (trx: Trx, row: Row): Promise<{ readonly takesSecond: boolean; readonly stakes: readonly Stake[] }> => {
  const stakes = await stakesOfOne(trx, row);
  return { takesSecond: takesSecond(await approvalRule(trx, row.job_id), stakes), stakes };
};

/** Records without ids that say the same have one exception. */
const mayBeSeveral = ({ records }: Row): boolean => (records as readonly Fields[]).some(({ id }) => id === undefined);

/** How many records there are: as many as are carried; where none is, nobody knows. */
const timesOf = async (trx: Trx, rows: readonly Row[]): Promise<(row: Row) => bigint> => {
  const nameOf = (jobId: string, key: string): string => `${jobId} ${key}`;
  const found =
    rows.length === 0
      ? []
      : await trx
          .selectFrom('open_items')
          .select(({ fn }) => ['job_id', 'record_key', fn.countAll<bigint>().as('count')])
          .where('job_id', '=', sql<string>`any(${[...new Set(rows.map((row) => row.job_id))]}::text[])`)
          .where('record_key', '=', sql<string>`any(${rows.map((row) => row.record_key)}::text[])`)
          .groupBy(['job_id', 'record_key'])
          .execute();
  const counts = new Map(found.map(({ job_id: jobId, record_key: key, count }) => [nameOf(jobId, key), count]));
  return (row) => counts.get(nameOf(row.job_id, row.record_key)) ?? 0n;
};

const stakesIn = ({ record_key: key, records }: Row, times: bigint): readonly Stake[] => {
  if (records.length === 0 || times === 0n) return unknown;
  const sources = sourcesIn(key, records);
  const taken = { source: records.slice(0, sources) as Fields[], target: records.slice(sources) as Fields[] };
  return stakesOf(taken).map(({ currency, amountMinor }) => ({ currency, amountMinor: amountMinor === null ? null : amountMinor * times }));
};
