/** What the results of a run hold: the sums that they were stored with, and what matches by hand have called something else since. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import type { PassSum } from '../../../domain/certificate.ts';
import type { Renaming } from '../../../domain/hand-match.ts';
import type { Side } from '../../../domain/side.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

/** Whether a renamed record had been carried is not known, and nothing asks: only how many of all were. */
export const storedSums = async (db: Kysely<Database>, id: string): Promise<PassSum[]> => {
  const { rows } = await sql<{
    side: Side;
    currency: string;
    outcome: string;
    pass: string | null;
    carried: boolean;
    count: bigint;
    amount: string;
  }>`
    select side, currency, outcome, pass, carried, sum(count)::bigint as count, sum(amount_minor)::text as amount
      from (select side, currency, outcome, pass, carried, count, amount_minor from result_sums where execution_id = ${id}
            union all
            select side, currency, changed.outcome, changed.pass, false, changed.count, changed.count * coalesce(amount_minor, 0)
              from result_renamings
             cross join lateral (values (from_outcome, from_pass, -count), (to_outcome, to_pass, count)) as changed(outcome, pass, count)
             where execution_id = ${id}) as told
     group by side, currency, outcome, pass, carried`.execute(db);
  return rows.map(({ count, amount, ...row }) => ({ ...row, count: Number(count), amountMinor: BigInt(amount) }));
};

export const rename = async (
  trx: Trx,
  run: Pick<HeldExecution, 'id' | 'organizationId'>,
  renamings: readonly Renaming[],
): Promise<void> => {
  await trx
    .insertInto('result_renamings')
    .values(
      renamings.map(({ side, currency, amountMinor, count, from, to }) => ({
        execution_id: run.id,
        organization_id: run.organizationId,
        side,
        currency,
        amount_minor: amountMinor?.toString() ?? null,
        count: BigInt(count),
        from_outcome: from.outcome,
        from_pass: from.pass,
        to_outcome: to.outcome,
        to_pass: to.pass,
      })),
    )
    .execute();
};
