/** Fees of an execution: what was agreed and what was declared, against what was charged, which is what lies between its sides. */
import { exponentOf } from '@settler/contracts/money';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { FeeLine, FeeReport } from '../../../application/queries.ts';
import { agreedFees } from '../../../domain/fees.ts';
import { requireResults } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

const isDecimal = '^-?[0-9]{1,18}(\\.[0-9]{1,9})?$';
/** A field as a number; null for what is none. Fees come from strangers, and are whatever they wrote. `name`: an expression. */
const decimalOf = (name: RawBuilder<unknown>) => sql`case when r ->> ${name} ~ ${sql.lit(isDecimal)} then (r ->> ${name})::numeric end`;
/** What the records of a side say, each read once. `offset 0` has it worked out before it is added up, in place of wherever it is named. */
const saidBy = (side: 'source' | 'target', amount: RawBuilder<unknown>) => sql`
  (select r ->> 'currency' as currency, ${decimalOf(amount)} as amount, ${decimalOf(sql`'fee'`)} as declared
     from jsonb_array_elements(${sql.ref(side)}::jsonb) as r offset 0) as r`;
/** Of one currency, and each of them with an amount. */
const canBeHeld = sql`min(r.currency) = max(r.currency) and count(r.amount) = count(*) as can_be_held`;
/** A part of them says nothing of what all were charged. */
const declaredByAll = sql`case when count(r.declared) = count(*) then sum(r.declared) end`;

export const readFees = async (trx: Trx, id: string): Promise<FeeReport | undefined> => {
  const execution = await trx
    .selectFrom('executions')
    .select(['status', 'dry_run', 'definition', 'summary', 'created_at', 'results_dropped_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (execution === undefined) return undefined;
  const { status, definition, summary } = execution;
  requireResults(execution);
  const hasResults = !execution.dry_run && summary !== null;
  const lines = hasResults
    ? await linesOf(trx, id, execution.created_at, agreedFees(definition.rules), Object.keys(summary.byCurrency))
    : [];
  return { executionId: id, status, lines };
};

const linesOf = async (
  trx: Trx,
  id: string,
  createdAt: Date,
  fees: ReturnType<typeof agreedFees>,
  currencies: readonly string[],
): Promise<FeeLine[]> => {
  const { rows } = await sql<{
    pass: string;
    currency: string;
    results: bigint;
    gross: string;
    net: string;
    agreed: string | null;
    declared: string | null;
    charged: string;
    drift: string;
    mismatches: bigint;
    mismatch_drift: string;
  }>`
    with fees as (select * from unnest(${fees.map(({ pass }) => pass)}::text[], ${fees.map(({ percent }) => percent)}::numeric[],
                                       ${fees.map(({ fixed }) => fixed)}::numeric[], ${fees.map(({ source }) => source)}::text[],
                                       ${fees.map(({ target }) => target)}::text[])
                          with ordinality as f(pass, percent, fixed, gross_field, net_field, place)),
    units as (select * from unnest(${[...currencies]}::text[], ${currencies.map(exponentOf)}::int[]) as u(currency, digits)),
    sums as (
      select results.pass, results.category, told.*
        from results
       -- Of several fees the one that a match comes nearest to; where they differ, the first, which is the one that was meant most of all.
       cross join lateral (
         select s.currency, s.gross, t.net, s.gross - t.net as charged, s.agreed, coalesce(t.declared, s.declared) as declared
           from fees f
          cross join lateral (
            select min(r.currency) as currency, ${canBeHeld}, sum(r.amount) as gross, ${declaredByAll} as declared,
                   -- A division would be rounded to sixteen digits before it is rounded to the currency's.
                   sum(round(r.amount * f.percent * 0.01, u.digits) + round(f.fixed, u.digits)) as agreed
              from ${saidBy('source', sql`f.gross_field`)} left join units u on u.currency = r.currency) as s
          cross join lateral (
            select min(r.currency) as currency, ${canBeHeld}, sum(r.amount) as net, ${declaredByAll} as declared
              from ${saidBy('target', sql`f.net_field`)}) as t
          where f.pass = results.pass and s.can_be_held and t.can_be_held and s.currency = t.currency
            and (s.agreed is not null or s.declared is not null or t.declared is not null)
          order by case outcome when 'matched' then abs(s.gross - t.net - s.agreed) end, f.place
          limit 1) as told
       where execution_id = ${id} and created_at = ${createdAt} and outcome in ('matched', 'mismatched')
         and results.pass = any(${fees.map(({ pass }) => pass)}::text[])
         -- Where nothing is agreed and nobody declares any, which the text shows, no record has to be read.
         and (results.pass = any(${fees.filter(({ percent }) => percent !== null).map(({ pass }) => pass)}::text[])
              or source like '%"fee"%' or target like '%"fee"%')),
    drifts as (select *, charged - coalesce(agreed, declared) as drift from sums)
    select pass, currency, count(*) as results, sum(gross)::text as gross, sum(net)::text as net, sum(agreed)::text as agreed,
           sum(declared)::text as declared, sum(charged)::text as charged, sum(drift)::text as drift,
           count(*) filter (where category = 'fee_mismatch') as mismatches,
           coalesce(sum(drift) filter (where category = 'fee_mismatch'), 0 * sum(drift))::text as mismatch_drift
      from drifts group by pass, currency order by pass, currency`.execute(trx);
  return rows.map(({ results, mismatches, mismatch_drift: drift, ...line }) => ({
    ...line,
    results: Number(results),
    mismatches: { count: Number(mismatches), drift },
  }));
};
