/** What is settled with an exception: all that its records come to on either side and in every currency, which may be more than a list shows. */
import type { Selectable, Transaction } from 'kysely';
import { takesSecond } from '../../../domain/approval.ts';
import { type Fields, type Stake, stakesOf, type Taken } from '../../../domain/stake.ts';
import { sourcesIn } from '../open-items/record-key.ts';
import type { Database } from '../tables.ts';
import { approvalRule } from './approvals.ts';

type Trx = Transaction<Database>;
type Row = Pick<Selectable<Database['exceptions']>, 'job_id' | 'record_key' | 'records'>;

const unknown: readonly Stake[] = [{ currency: null, amountMinor: null }];

/** The records of an exception, by their sides. */
export const takenIn = ({ record_key: key, records }: Pick<Row, 'record_key' | 'records'>): Taken => {
  const sources = sourcesIn(key, records);
  return { source: records.slice(0, sources) as Fields[], target: records.slice(sources) as Fields[] };
};

export const stakesIn = (row: Row): readonly Stake[] => (row.records.length === 0 ? unknown : stakesOf(takenIn(row)));

/** Whether one person may not settle it alone; and what is at stake. */
export const requiresSecond = async (trx: Trx, row: Row): Promise<{ readonly takesSecond: boolean; readonly stakes: readonly Stake[] }> => {
  const stakes = stakesIn(row);
  return { takesSecond: takesSecond(await approvalRule(trx, row.job_id), stakes), stakes };
};
