/** What a list of exceptions comes to: how many they are and how much, all of them, and by each thing that work is divided by. */
import { sql, type Transaction } from 'kysely';
import {
  type ExceptionDimension,
  type ExceptionFilter,
  type ExceptionGroup,
  type ExceptionSummary,
  exceptionDimensions,
} from '../../../application/queries.ts';
import { type AgeBucket, ageBuckets } from '../../../domain/exceptions.ts';
import type { Database } from '../tables.ts';
import { ageBucket, matching, severityNow } from './exception-filter.ts';

/** Of the jobs and assignees, which may be many, those with the most. */
const groupsMax = 100;

interface Row {
  /** The dimensions that the row is not about, as PostgreSQL's `grouping` has them: a bit for each, that of the first on the left. */
  readonly left_out: number;
  /** Of the one that it is about; of all the others it has none. */
  readonly value: string | null;
  readonly currency: string | null;
  readonly count: number;
  readonly amount: string | null;
}

const allBut = (dimension?: ExceptionDimension): number =>
  exceptionDimensions.reduce((bits, one) => bits * 2 + (one === dimension ? 0 : 1), 0);

export const summarizeExceptions = async (trx: Transaction<Database>, filter: ExceptionFilter): Promise<ExceptionSummary> => {
  const found = matching(
    trx
      .selectFrom('exceptions')
      .select([sql<string>`status`.as('status'), sql<string>`category`.as('category'), severityNow.as('severity'), ageBucket.as('age')])
      .select([sql<string | null>`assignee_id`.as('assignee'), sql<string>`job_id`.as('job'), 'currency', sql`abs(amount)`.as('amount')]),
    filter,
  );
  const columns = exceptionDimensions.map((dimension) => sql.ref(dimension));
  const { rows } = await sql<Row>`
    select grouping(${sql.join(columns)}) as left_out, coalesce(${sql.join(columns)}) as value, currency, count(*)::int as count,
           sum(amount)::text as amount
      from (${found}) as found
     group by grouping sets ((currency), ${sql.join(columns.map((column) => sql`(${column}, currency)`))})`.execute(trx);
  const groupsOf = (dimension: ExceptionDimension): readonly ExceptionGroup[] => {
    const own = Map.groupBy(
      rows.filter(({ left_out: leftOut }) => leftOut === allBut(dimension)),
      ({ value }) => value,
    );
    const groups = [...own].map(([value, those]): ExceptionGroup => ({ value, ...sumOf(those) }));
    return groups.sort(dimension === 'age' ? youngestFirst : mostFirst).slice(0, groupsMax);
  };
  return {
    ...sumOf(rows.filter(({ left_out: leftOut }) => leftOut === allBut())),
    by: {
      status: groupsOf('status'),
      category: groupsOf('category'),
      severity: groupsOf('severity'),
      age: groupsOf('age'),
      assignee: groupsOf('assignee'),
      job: groupsOf('job'),
    },
  };
};

const sumOf = (rows: readonly Row[]): Omit<ExceptionGroup, 'value'> => ({
  count: rows.reduce((sum, { count }) => sum + count, 0),
  amounts: Object.fromEntries(rows.flatMap(({ currency, amount }) => (currency === null || amount === null ? [] : [[currency, amount]]))),
});

const mostFirst = (one: ExceptionGroup, other: ExceptionGroup): number =>
  other.count - one.count || (String(one.value) < String(other.value) ? -1 : 1);
const youngestFirst = (one: ExceptionGroup, other: ExceptionGroup): number => ageOf(one) - ageOf(other);
const ageOf = ({ value }: ExceptionGroup): number => ageBuckets.indexOf(value as AgeBucket);
