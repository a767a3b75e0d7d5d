/** What a dry run is held against: the execution that its rules are tried on, or else the last one of its job. */
import type { Postgres } from '@settler/chassis/postgres';
import { type Selectable, sql } from 'kysely';
import type { Base, BaseResult, BaseResults } from '../../../application/ports.ts';
import { keptIn } from '../../../domain/matching/reconcile.ts';
import { matchRateOf } from '../../../domain/matching/results/summary.ts';
import type { Side } from '../../../domain/side.ts';
import type { Database } from '../tables.ts';
import { told } from './find-results.ts';
import { storedSums } from './result-sums.ts';

const pageRows = 5_000;

export const createBaseResults = (postgres: Postgres<Database>): BaseResults => ({
  find: async ({ jobId, organizationId, createdAt, triedOn }) => {
    const completed = postgres.systemDb
      .selectFrom('executions')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .where('job_id', '=', jobId)
      .where('status', '=', 'completed')
      .where('dry_run', '=', false)
      .where('results_dropped_at', 'is', null);
    const row = await (triedOn === null
      ? completed.where('created_at', '<', createdAt).orderBy('created_at', 'desc').limit(1)
      : completed.where('id', '=', triedOn)
    ).executeTakeFirst();
    return row && baseOf(row);
  },

  hasIds: async ({ id, createdAt }) => {
    const lacks = (side: Side) =>
      sql<boolean>`coalesce(bool_or(exists (select 1 from jsonb_array_elements(${sql.ref(side)}::jsonb) as r where not r ? 'id')), false)`.as(
        side,
      );
    const { source, target } = await postgres.systemDb
      .selectFrom('results')
      .select([lacks('source'), lacks('target')])
      .where('execution_id', '=', id)
      .where('created_at', '=', createdAt)
      .where('outcome', '<>', 'invalid')
      .executeTakeFirstOrThrow();
    return { source: !source, target: !target };
  },

  matchRate: async ({ id }) => {
    const sources = (await storedSums(postgres.systemDb, id)).filter(({ side, outcome }) => side === 'source' && outcome !== 'invalid');
    const matched = sources.reduce((sum, { outcome, count }) => sum + (outcome === 'matched' ? count : 0), 0);
    const records = sources.reduce((sum, { count }) => sum + count, 0);
    return records === 0 ? undefined : matchRateOf(matched, records);
  },

  read: async function* ({ id, createdAt }) {
    for (let after = -1; ; ) {
      const rows = await postgres.systemDb
        .selectFrom('results')
        .select(['position', 'outcome', whyMatched, told('source'), told('target')])
        .where('execution_id', '=', id)
        .where('created_at', '=', createdAt)
        .where('position', '>', after)
        .orderBy('position')
        .limit(pageRows)
        .execute();
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.position;
      // Rows of which nothing could be read took part in nothing.
      yield rows.flatMap(({ outcome, why, source, target }) =>
        outcome === 'invalid' ? [] : [{ outcome, keptIn: keptIn(why), source, target }],
      ) as readonly BaseResult[];
    }
  },
});

/** Of what no pass and nobody by hand has matched. */
const whyMatched = sql<string | null>`case when outcome = 'matched' and pass is null and manual is null then reason end`.as('why');

const baseOf = ({ id, created_at: createdAt, summary }: Selectable<Database['executions']>): Base => ({ id, createdAt, summary });
