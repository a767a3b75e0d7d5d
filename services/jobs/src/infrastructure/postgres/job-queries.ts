import type { Cursors, Page } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import type { JobQueries, JobVersionView, JobView } from '../../application/queries.ts';
import type { Database } from './tables.ts';

const jobsWithConfiguration = (trx: Transaction<Database>) =>
  trx
    .selectFrom('jobs')
    .innerJoin('job_versions', (join) =>
      join.onRef('job_versions.job_id', '=', 'jobs.id').onRef('job_versions.version', '=', 'jobs.version'),
    )
    .leftJoin('last_executions', 'last_executions.job_id', 'jobs.id')
    .select([
      'jobs.id',
      'jobs.name',
      'jobs.description',
      'jobs.tags',
      'jobs.status',
      'jobs.version',
      'jobs.revision',
      'jobs.next_run_at',
      'jobs.created_at',
      'jobs.updated_at',
      'job_versions.source',
      'job_versions.target',
      'job_versions.rules',
      'job_versions.schedule',
      'last_executions.execution',
    ]);

type JobRow = Awaited<ReturnType<ReturnType<typeof jobsWithConfiguration>['executeTakeFirstOrThrow']>>;

const viewOf = (row: JobRow): JobView => ({
  id: row.id,
  name: row.name,
  description: row.description,
  tags: row.tags,
  status: row.status,
  version: row.version,
  source: row.source,
  target: row.target,
  rules: row.rules,
  schedule: row.schedule,
  lastExecution: row.execution,
  nextRunAt: row.next_run_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

const versionColumns = ['version', 'source', 'target', 'rules', 'schedule', 'created_by_type', 'created_by_id', 'created_at'] as const;
type VersionRow = Pick<Awaited<ReturnType<typeof allVersions>>[number], (typeof versionColumns)[number]>;
const allVersions = (trx: Transaction<Database>, id: string) => versionsOf(trx, id).execute();
const versionsOf = (trx: Transaction<Database>, id: string) =>
  trx.selectFrom('job_versions').select(versionColumns).where('job_id', '=', id);

const versionViewOf = (row: VersionRow): JobVersionView => ({
  version: row.version,
  source: row.source,
  target: row.target,
  rules: row.rules,
  schedule: row.schedule,
  createdBy: { type: row.created_by_type, id: row.created_by_id },
  createdAt: row.created_at.toISOString(),
});

/** Of the configurations of a page. One that is longer has a page to itself: whoever made it has sent as much. */
const pageBytesMax = 8 * 2 ** 20;

/** How many of the rows a page may have: records in the configuration of a job may be tens of megabytes, and those of each of its versions. */
const fitting = async <DB, Table extends keyof DB, Row>(
  page: SelectQueryBuilder<DB, Table, Row>,
  limit: number,
): Promise<{ readonly shown: number; readonly hasMore: boolean }> => {
  const rows: readonly { readonly bytes?: number }[] = await page
    .clearSelect()
    .select(sql<number>`job_versions.bytes`.as('bytes'))
    .limit(limit + 1)
    .execute();
  let bytes = 0;
  const beyond = rows.findIndex((row, index) => {
    bytes += row.bytes ?? 0;
    return index === limit || (index > 0 && bytes > pageBytesMax);
  });
  return { shown: beyond === -1 ? rows.length : beyond, hasMore: beyond !== -1 };
};

/** The page of as many as fit: by their number and by their bytes. */
const fittingPage = async <DB, Table extends keyof DB, Row, Item>(
  query: SelectQueryBuilder<DB, Table, Row>,
  limit: number,
  item: (row: Row) => Item,
  cursorAfter: (row: Row) => string,
): Promise<Page<Item>> => {
  const { shown, hasMore } = await fitting(query, limit);
  const rows = (shown === 0 ? [] : await query.limit(shown).execute()) as Row[];
  const last = rows.at(-1);
  return { data: rows.map(item), nextCursor: hasMore && last !== undefined ? cursorAfter(last) : null };
};

/** Text that is looked for as it stands: the wildcards of LIKE are letters like any other. */
const containing = (text: string) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

export const createJobQueries = (postgres: Postgres<Database>, cursors: Cursors): JobQueries => ({
  read: (organizationId, id) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const row = await jobsWithConfiguration(trx).where('jobs.id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : { view: viewOf(row), revision: row.revision };
    }),

  list: (organizationId, { status, tag, q, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const listName = JSON.stringify(['jobs', organizationId, status, tag, q]);
      const after = cursors.read(listName, cursor);
      let query = jobsWithConfiguration(trx);
      if (status !== undefined) query = query.where('jobs.status', '=', status);
      if (tag !== undefined) query = query.where(sql<boolean>`jobs.tags @> array[${tag}]::text[]`);
      if (q !== undefined)
        query = query.where((where) =>
          where.or([where('jobs.name', 'ilike', containing(q)), where('jobs.description', 'ilike', containing(q))]),
        );
      if (after !== undefined) query = query.where(sql<boolean>`(jobs.created_at, jobs.id) < (${after[0]}::timestamptz, ${after[1]})`);
      return fittingPage(query.orderBy('jobs.created_at', 'desc').orderBy('jobs.id', 'desc'), limit, viewOf, (row) =>
        cursors.write(listName, [row.created_at.toISOString(), row.id]),
      );
    }),

  versions: (organizationId, id, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const listName = JSON.stringify(['versions', organizationId, id]);
      const [before] = cursors.read(listName, cursor) ?? [];
      let query = versionsOf(trx, id);
      if (before !== undefined) query = query.where('version', '<', Number(before));
      const page = await fittingPage(query.orderBy('version', 'desc'), limit, versionViewOf, (row) =>
        cursors.write(listName, [row.version]),
      );
      return page.data.length === 0 && cursor === undefined ? undefined : page;
    }),

  version: (organizationId, id, version) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const row = await versionsOf(trx, id).where('version', '=', version).executeTakeFirst();
      return row === undefined ? undefined : versionViewOf(row);
    }),

  definition: (organizationId, id) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const row = await jobsWithConfiguration(trx).where('jobs.id', '=', id).executeTakeFirst();
      if (row === undefined) return undefined;
      const { name, status, version, source, target, rules } = row;
      return { jobId: row.id, name, status, version, source, target, rules };
    }),
});
