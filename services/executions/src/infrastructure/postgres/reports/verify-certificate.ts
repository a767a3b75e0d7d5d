/**
 * Whether a certificate can be believed: what the report says is held against the documents of the results, which the report does
 * not read. A row that was changed, lost or added in one of the two places shows.
 */
import { type Operation, UsageError } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import { currentCurrencies, withdrawnCurrencies } from '@settler/contracts/currencies';
import { type ExecutionSummary, outcomes } from '@settler/contracts/executions';
import { exponentOf, toMinor } from '@settler/contracts/money';
import { sql, type Transaction } from 'kysely';
import type { Certificate, ReportLine } from '../../../domain/execution.ts';
import { countName } from '../../../domain/matching/results/summary.ts';
import type { Database } from '../tables.ts';
import { readReport } from './report-query.ts';

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
  const { certificate, outcomes: lines, summary } = report;
  const broken = certificate.lines
    .filter(({ currency, difference }) => difference.count !== 0 || toMinor(difference.amount, exponentOf(currency)) !== 0n)
    .map(
      ({ side, currency, difference }) =>
        `${side} ${currency}: ${difference.count} records and ${difference.amount} were read and are in no outcome`,
    );
  const held = await heldBy(trx, id, execution.created_at);
  const [said, found] = [saidBy(certificate), linesOf(held, outcomeKey)];
  // What differs in all passes together need not be told of each.
  const isEqual = (line: Held): boolean => said.get(outcomeKey(line)) === found.get(outcomeKey(line));
  const byPass = [lines.map(minorOf), held].map((items) => linesOf(items.filter(isEqual), passKey));
  const faults = [
    ...broken,
    ...differences('certificate', said, found),
    ...differences('report', byPass[0] as Lines, byPass[1] as Lines),
    ...(await miscounted(trx, id, execution.created_at, summary)),
  ];
  return { lines: certificate.lines.length, faults };
};

interface Held {
  readonly side: string;
  readonly currency: string;
  readonly outcome: string;
  readonly pass: string | null;
  readonly count: bigint;
  readonly minor: bigint;
}

type Lines = ReadonlyMap<string, string>;

const differences = (place: string, said: Lines, held: Lines): string[] =>
  [...new Set([...said.keys(), ...held.keys()])]
    .filter((key) => said.get(key) !== held.get(key))
    .sort()
    .map((key) => `${key}: the ${place} says ${said.get(key) ?? 'nothing'}, the results hold ${held.get(key) ?? 'nothing'}`);

const outcomeKey = ({ side, currency, outcome }: Omit<Held, 'count' | 'minor' | 'pass'>): string =>
  `${side} ${currency === '' ? 'without a currency' : currency} ${outcome}`;
const passKey = (line: Omit<Held, 'count' | 'minor'>): string =>
  `${outcomeKey(line)} ${line.pass === null ? 'in no pass' : `in the pass ${JSON.stringify(line.pass)}`}`;

const linesOf = (items: readonly Held[], keyOf: (item: Held) => string): Lines =>
  new Map(
    [...Map.groupBy(items, keyOf)].map(([key, same]) => {
      const count = same.reduce((sum, item) => sum + item.count, 0n);
      const minor = same.reduce((sum, item) => sum + item.minor, 0n);
      const currency = same[0]?.currency ?? '';
      return [key, `${count} records${currency === '' ? '' : `, ${minor} minor units of ${currency}`}`];
    }),
  );

const minorOf = ({ amount, count, ...line }: ReportLine): Held => ({
  ...line,
  count: BigInt(count),
  minor: toMinor(amount, exponentOf(line.currency)) ?? 0n,
});

const saidBy = ({ lines }: Certificate): Lines =>
  linesOf(
    lines.flatMap(({ side, currency, byOutcome }) =>
      Object.entries(byOutcome).map(([outcome, total]) => minorOf({ side, currency, outcome, pass: null, ...total })),
    ),
    outcomeKey,
  );

/** Two digits is what all others have. */
const exponents = Object.fromEntries(
  [...currentCurrencies, ...withdrawnCurrencies].map((code) => [code, exponentOf(code)] as const).filter(([, digits]) => digits !== 2),
);

/**
 * As a run reads them: what could not be used has the currency and the amount that can be read in it, and an amount without a currency,
 * or one that the currency cannot have, is none.
 */
const heldBy = async (trx: Transaction<Database>, id: string, createdAt: Date): Promise<Held[]> => {
  const { rows } = await sql<{ side: string; currency: string; outcome: string; pass: string | null; count: bigint; minor: string }>`
    with records as (
      select side, outcome, pass,
             case when jsonb_typeof(record -> 'currency') = 'string' and record ->> 'currency' collate "C" ~ '^[A-Z]{3}$'
                  then record ->> 'currency' else '' end as currency,
             case when jsonb_typeof(record -> 'amount') = 'string' and record ->> 'amount' collate "C" ~ '^[+-]?[0-9]{1,18}([.][0-9]{1,12})?$'
                  then (record ->> 'amount')::numeric end as amount
        from results
       cross join lateral (select 'source' as side, jsonb_array_elements(source::jsonb) as record
                           union all select 'target', jsonb_array_elements(target::jsonb)) as both_sides
       where execution_id = ${id} and created_at = ${createdAt}),
    amounts as (
      select side, outcome, pass, currency,
             case when currency <> '' then amount * power(10::numeric, coalesce((${JSON.stringify(exponents)}::jsonb ->> currency)::int, 2)) end as minor
        from records)
    select side, currency, outcome, pass, count(*) as count,
           coalesce(trunc(sum(minor) filter (where minor = trunc(minor) and abs(minor) <= ${Number.MAX_SAFE_INTEGER}::numeric)), 0)::text as minor
      from amounts
     group by side, currency, outcome, pass`.execute(trx);
  return rows.map(({ minor, ...row }) => ({ ...row, minor: BigInt(minor) }));
};

/** The summary counts results, where the certificate counts records. */
const miscounted = async (trx: Transaction<Database>, id: string, createdAt: Date, summary: ExecutionSummary | null): Promise<string[]> => {
  const rows = await trx
    .selectFrom('results')
    .select(['outcome', ({ fn }) => fn.countAll<bigint>().as('count')])
    .where('execution_id', '=', id)
    .where('created_at', '=', createdAt)
    .groupBy('outcome')
    .execute();
  const held = new Map(rows.map(({ outcome, count }) => [outcome, Number(count)]));
  return outcomes
    .map((outcome) => ({ outcome, said: summary?.[countName[outcome]], there: held.get(outcome) ?? 0 }))
    .filter(({ said, there }) => said !== there)
    .map(({ outcome, said, there }) => `${outcome}: the summary says ${said ?? 'nothing'}, there are ${there} results`);
};
