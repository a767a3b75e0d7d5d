/** The report, and its certificate: the sums of what is stored, held against what the readers counted. */
import { type Selectable, sql, type Transaction } from 'kysely';
import type { ReportOptions, ReportView } from '../../../application/queries.ts';
import { baseTotals } from '../../../domain/base-totals.ts';
import { certify, outcomeLines } from '../../../domain/certificate.ts';
import type { ReportLine, StoredReport } from '../../../domain/execution.ts';
import { inDigitsOf } from '../../../domain/stake.ts';
import { ageBucket } from '../exceptions/exception-filter.ts';
import { storedSums } from '../results/result-sums.ts';
import type { Database } from '../tables.ts';
import { baseCurrencyOf } from './base-currencies.ts';
import { ratesOn } from './exchange-rates.ts';

type Trx = Transaction<Database>;

/** Nothing adds up to nothing, but that is no statement about what the run was given. */
const nothingCertified: StoredReport = { outcomes: [], certificate: { holds: false, lines: [] } };

export const readReport = async (
  trx: Trx,
  id: string,
  { baseCurrency, ratesOn: wanted }: ReportOptions = {},
): Promise<ReportView | undefined> => {
  const execution = await trx.selectFrom('executions').selectAll().where('id', '=', id).executeTakeFirst();
  if (execution === undefined) return undefined;
  const { status, summary, dry_run: isDry } = execution;
  const head = { executionId: id, status, summary, matchRate: summary?.matchRate ?? null };
  const isComplete = status === 'completed';
  const report = execution.report ?? (isComplete ? await sumsOf(trx, execution) : nothingCertified);
  const currency = baseCurrency ?? (await baseCurrencyOf(trx));
  const day = wanted ?? execution.completed_at?.toISOString().slice(0, 10) ?? null;
  return {
    ...head,
    comparison: null,
    ...report,
    base: currency === undefined ? null : await inBase(trx, currency, day, report.outcomes),
    ageing: isComplete && !isDry ? await ageingOf(trx, execution.job_id) : [],
  };
};

/** A run that has not completed has no totals, and needs no day. */
const inBase = async (trx: Trx, currency: string, day: string | null, lines: readonly ReportLine[]): Promise<ReportView['base']> => {
  const others = [...new Set(lines.map((line) => line.currency))].filter((code) => code !== currency);
  const known = day === null ? [] : await ratesOn(trx, currency, others, day);
  return { ratesOn: day, ...baseTotals(currency, lines, known) };
};

/** What the stored results of a completed run add up to. */
export const sumsOf = async (trx: Trx, run: Pick<Selectable<Database['executions']>, 'id' | 'control_totals'>): Promise<StoredReport> => {
  const sums = await storedSums(trx, run.id);
  return { outcomes: outcomeLines(sums), certificate: certify(run.control_totals ?? [], sums) };
};

/** A refund that is missing takes nothing away from a payment that is: what is open is the sum of both. What is of no currency is counted alone. */
const ageingOf = async (trx: Trx, jobId: string): Promise<ReportView['ageing']> => {
  const { rows } = await sql<{ bucket: string; currency: string | null; count: bigint; amount: string }>`
    select bucket, currency, count(*) as count, coalesce(sum(abs(amount)) filter (where currency is not null), 0)::text as amount
      from (select ${ageBucket} as bucket, extract(day from now() - first_seen_at) as days, currency, amount from exceptions
             where job_id = ${jobId} and status in ('open', 'in_progress')) as aged
     group by bucket, currency order by min(days), currency`.execute(trx);
  return rows.map(({ bucket, currency, count, amount }) => ({
    bucket,
    currency: currency ?? '',
    count: Number(count),
    amount: inDigitsOf(currency ?? '', amount),
  }));
};
