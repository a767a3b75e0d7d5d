import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { sql, type Transaction } from 'kysely';
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

/** Text that is looked for as it stands: the wildcards of LIKE are letters like any other. */
const containing = (text: string) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

export const createJobQueries = (postgres: Postgres<Database>, cursors: Cursors): JobQueries => ({
  read: (organizationId, id) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const row = await jobsWithConfiguration(trx).where('jobs.id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : { view: viewOf(row), revision: row.revision };
    }),

  list: (organizationId, { status, tag, q, limit, cursor }) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
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
      const rows = await query
        .orderBy('jobs.created_at', 'desc')
        .orderBy('jobs.id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, viewOf, (row) => cursors.write(listName, [row.created_at.toISOString(), row.id]));
    }),

  versions: (organizationId, id, { limit, cursor }) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const listName = JSON.stringify(['versions', organizationId, id]);
      const [before] = cursors.read(listName, cursor) ?? [];
      let query = versionsOf(trx, id);
      if (before !== undefined) query = query.where('version', '<', Number(before));
      const rows = await query
        .orderBy('version', 'desc')
        .limit(limit + 1)
        .execute();
      if (rows.length === 0 && cursor === undefined) return undefined;
      return toPage(rows, limit, versionViewOf, (row) => cursors.write(listName, [row.version]));
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
