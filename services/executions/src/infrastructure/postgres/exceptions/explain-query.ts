/** What is stored of the run that an exception's record took part in last, as much of it as is needed to explain it. */
import { isCancelled } from '@settler/chassis/database-errors';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { becauseOf } from '@settler/contracts/internal/away';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Material, StoredResult } from '../../../application/explain.ts';
import { containing } from '../containing.ts';
import { newestSeparations } from '../matches/separations.ts';
import { type Told, told } from '../results/find-results.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;
type Execution = Pick<Selectable<Database['executions']>, 'id' | 'created_at' | 'definition' | 'summary'>;
type Result = Pick<Selectable<Database['results']>, 'id' | 'position' | 'amount_max'> & Pick<Told, 'source' | 'target'>;

/** Up to so many a run is explained as a whole: 20,000 are matched in a second. Above, by those that are near. */
const wholeRowsMax = 20_000;
const wholeBytesMax = 32 * 1024 * 1024;
/** On either side of the amount. */
const nearByAmount = 2_000;
const nearByReference = 1_000;
const nearInNeed = 4_000;
const statementMs = 8_000;

export const createExplainQuery =
  (postgres: Postgres<Database>) =>
  (organizationId: string, exceptionId: string): Promise<Material | null | undefined> =>
    inTime(postgres, organizationId, async (trx) => {
      await sql`select set_config('statement_timeout', ${`${statementMs}`}, true)`.execute(trx);
      const exception = await trx
        .selectFrom('exceptions')
        .select(['job_id', 'execution_id'])
        .where('id', '=', exceptionId)
        .executeTakeFirst();
      if (exception === undefined) return undefined;
      for (const execution of await executionsOf(trx, exception.job_id, exception.execution_id)) {
        const own = await resultOf(trx, execution, exceptionId);
        if (own === undefined) continue;
        const resultCount = countOf(execution.summary);
        const results = resultCount <= wholeRowsMax ? await whole(trx, execution) : undefined;
        return {
          executionId: execution.id,
          rules: execution.definition.rules,
          asOf: execution.created_at.toISOString().slice(0, 10),
          resultId: own.id,
          resultCount,
          results: results ?? (await near(trx, execution, own)),
          apart: await newestSeparations(trx, exception.job_id),
        };
      }
      return null;
    });

const inTime: <Result>(postgres: Postgres<Database>, organizationId: string, work: (trx: Trx) => Promise<Result>) => Promise<Result> =
  async (postgres, organizationId, work) => {
    try {
      return await postgres.reading(organizationId, work);
    } catch (error) {
      // The run is too large to be searched while the database has so much else to do.
      if (!isCancelled(error)) throw error;
      const detail = 'The results of this run could not be searched in time; try again later.';
      throw new Refusal('upstream_unavailable', detail, { retryAfterSeconds: 30, headers: becauseOf('explaining'), cause: error });
    }
  };

/** The job's last run, which carries open items; and the one that opened the exception, if its record was in no later one. */
const executionsOf = async (trx: Trx, jobId: string, openedBy: string): Promise<Execution[]> => {
  const completed = trx
    .selectFrom('executions')
    .select(['id', 'created_at', 'definition', 'summary'])
    .where('status', '=', 'completed')
    .where('dry_run', '=', false);
  const last = await completed.where('job_id', '=', jobId).orderBy('created_at', 'desc').limit(1).execute();
  const first = await completed.where('id', '=', openedBy).execute();
  return [...last, ...first.filter(({ id }) => id !== last[0]?.id)];
};

const of = (trx: Trx, { id, created_at: createdAt }: Execution) =>
  trx.selectFrom('results').where('execution_id', '=', id).where('created_at', '=', createdAt);

/** In their order, in which those that need a person are the first. */
const resultOf = (trx: Trx, execution: Execution, exceptionId: string): Promise<Result | undefined> =>
  of(trx, execution)
    .select(['id', 'position', 'amount_max', told('source'), told('target')])
    .where('exception_id', '=', exceptionId)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();

/** The summary counts results, each once. */
const countOf = (summary: ExecutionSummary | null): number =>
  summary === null
    ? 0
    : summary.matched +
      summary.mismatched +
      summary.missingInTarget +
      summary.missingInSource +
      summary.duplicates +
      summary.ambiguous +
      summary.invalid;

const asText = [sql<boolean>`manual is not null`.as('isManual'), 'source', 'target'] as const;

/** Undefined where the records are too large to be held all at once. */
const whole = async (trx: Trx, execution: Execution): Promise<StoredResult[] | undefined> => {
  const { bytes } = await of(trx, execution)
    .select(sql<string>`coalesce(sum(pg_column_size(source) + pg_column_size(target)), 0)::text`.as('bytes'))
    .executeTakeFirstOrThrow();
  if (Number(bytes) > wholeBytesMax) return undefined;
  return of(trx, execution)
    .select(['id', 'outcome', ...asText])
    .orderBy('position')
    .limit(wholeRowsMax)
    .execute();
};

/** By amount, by reference, and what else needs a person; of them no more than may be held. */
const near = async (trx: Trx, execution: Execution, { position, amount_max: amount, source, target }: Result): Promise<StoredResult[]> => {
  const [first] = [...source, ...target] as Record<string, unknown>[];
  const reference = typeof first?.['reference'] === 'string' ? first['reference'] : '';
  const places = async (query: ReturnType<typeof of>, limit: number): Promise<number[]> =>
    (await query.select('position').limit(limit).execute()).map((row) => row.position);
  const rows = of(trx, execution);
  const found = new Set([
    position,
    ...(reference === '' ? [] : await places(rows.where('search', 'like', containing(reference)), nearByReference)),
    ...(amount === null ? [] : await places(rows.where('amount_max', '>=', amount).orderBy('amount_max'), nearByAmount)),
    ...(amount === null ? [] : await places(rows.where('amount_max', '<', amount).orderBy('amount_max', 'desc'), nearByAmount)),
    ...(await places(rows.where('outcome', '<>', 'matched').orderBy('position'), nearInNeed)),
  ]);
  const { rows: kept } = await sql<StoredResult>`
    select id, outcome, is_manual as "isManual", source, target
      from (select id, outcome, manual is not null as is_manual, source, target, sum(pg_column_size(source) + pg_column_size(target)) over (order by place) as bytes
              from unnest(${[...found]}::int[]) with ordinality as wanted(wanted_position, place)
             cross join lateral (select * from results
                                  where execution_id = ${execution.id} and created_at = ${execution.created_at}
                                    and position = wanted_position limit 1) as result) as sized
     where bytes <= ${wholeBytesMax}`.execute(trx);
  return kept;
};
