/**
 * Whether a certificate can be believed: what the report says is held against the documents of the results, which the report does
 * not read. A row that was changed, lost or added in one of the two places shows.
 */
import { type Operation, UsageError } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import { exponentOf, toMinor } from '@settler/contracts/money';
import { sql, type Transaction } from 'kysely';
import type { Certificate } from '../../domain/execution.ts';
import { readReport } from './report-query.ts';
import type { Database } from './tables.ts';

/** Differences beyond these say nothing new. */
const shownMax = 20;

export const verifyCertificate: Operation = {
  command: 'certificate verify',
  argument: 'executionId',
  does: 'Sums what the results of an execution hold, and says whether its certificate says the same. Fails where it does not.',
  options: {},
  run: async ({ postgres, print }, { executionId }) => {
    const { lines, faults } = await (postgres as unknown as Postgres<Database>).system((trx) => verify(trx, String(executionId)));
    if (faults.length > 0) throw new Error(`The certificate does not hold.\n${faults.slice(0, shownMax).join('\n')}`);
    print(`The certificate holds: ${lines} lines, each of which the stored results say too.`);
  },
};

const verify = async (trx: Transaction<Database>, id: string): Promise<{ lines: number; faults: string[] }> => {
  const execution = await trx
    .selectFrom('executions')
    .select(['status', 'dry_run', 'created_at', 'results_dropped_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  const report = await readReport(trx, id);
  if (execution === undefined || report === undefined) throw new UsageError(`There is no execution ${id}.`);
  if (execution.status !== 'completed') throw new UsageError(`${id} is ${execution.status}: only what is completed has a certificate.`);
  if (execution.dry_run) throw new UsageError(`${id} is a dry run, which stores no results.`);
  if (execution.results_dropped_at !== null)
    throw new UsageError(`The results of ${id} were dropped after their time: nothing is left to hold its certificate against.`);
  const { certificate } = report;
  const broken = certificate.lines
    .filter(({ currency, difference }) => difference.count !== 0 || toMinor(difference.amount, exponentOf(currency)) !== 0n)
    .map(
      ({ side, currency, difference }) =>
        `${side} ${currency}: ${difference.count} records and ${difference.amount} were read and are in no outcome`,
    );
  const said = saidBy(certificate);
  const held = await heldBy(trx, id, execution.created_at);
  const unequal = [...new Set([...said.keys(), ...held.keys()])]
    .filter((key) => said.get(key) !== held.get(key))
    .sort()
    .map((key) => `${key}: the certificate says ${said.get(key) ?? 'nothing'}, the results hold ${held.get(key) ?? 'nothing'}`);
  return { lines: certificate.lines.length, faults: [...broken, ...unequal] };
};

const unreadable = 'invalid';
const text = (count: bigint, minor: bigint | null, currency: string): string =>
  `${count} records${minor === null ? '' : `, ${minor} minor units of ${currency}`}`;

/** By side, currency and outcome. Records that could not be read are counted only: their amounts may be none. */
const saidBy = ({ lines }: Certificate): Map<string, string> => {
  const said = new Map<string, string>();
  const invalid = new Map<string, number>();
  for (const { side, currency, byOutcome } of lines) {
    for (const [outcome, { count, amount }] of Object.entries(byOutcome)) {
      if (outcome === unreadable) invalid.set(side, (invalid.get(side) ?? 0) + count);
      else said.set(`${side} ${currency} ${outcome}`, text(BigInt(count), toMinor(amount, exponentOf(currency)), currency));
    }
  }
  for (const [side, count] of invalid) said.set(`${side} ${unreadable}`, text(BigInt(count), null, ''));
  return said;
};

const heldBy = async (trx: Transaction<Database>, id: string, createdAt: Date): Promise<Map<string, string>> => {
  const { rows } = await sql<{ side: string; currency: string | null; outcome: string; count: bigint; amount: string | null }>`
    select side, currency, outcome, count(*) as count, sum(amount)::text as amount
      from (select side, outcome,
                   case when outcome <> ${unreadable} then record ->> 'currency' end as currency,
                   case when outcome <> ${unreadable} then (record ->> 'amount')::numeric end as amount
              from results
             cross join lateral (select 'source' as side, jsonb_array_elements(source::jsonb) as record
                                 union all select 'target', jsonb_array_elements(target::jsonb)) as records
             where execution_id = ${id} and created_at = ${createdAt}) as held
     group by side, currency, outcome`.execute(trx);
  return new Map(
    rows.map(({ side, currency, outcome, count, amount }) =>
      outcome === unreadable
        ? [`${side} ${unreadable}`, text(count, null, '')]
        : [`${side} ${currency} ${outcome}`, text(count, toMinor(amount ?? '0', exponentOf(currency ?? '')), currency ?? '')],
    ),
  );
};
