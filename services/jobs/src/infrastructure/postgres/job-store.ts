/** Writes jobs: the row, the version, the event and the audit entry are one transaction. */
import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, eventMessage, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import * as events from '@settler/contracts/events/jobs';
import type { Transaction } from 'kysely';
import type { Actor, JobStore } from '../../application/ports.ts';
import type { Job, JobEvent, Transition } from '../../domain/job.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;

export const createJobStore = (postgres: Postgres<Database>, outbox: Outbox): JobStore => ({
  insert: (transition, actor) =>
    postgres.organization(transition.job.organizationId, async (trx) => {
      await trx.insertInto('jobs').values(rowOf(transition.job)).execute();
      await insertVersion(trx, transition.job, actor);
      await outbox.append(trx, messagesOf(undefined, transition, actor));
    }),

  update: (id, ifMatch, actor, change) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const before = await lock(trx, id);
      if (before === undefined) throw notFound('job');
      requireRevision(ifMatch, before.revision);
      const transition = change(before);
      if ('refused' in transition) throw new Refusal('conflict', transition.refused);
      const { id: _id, organization_id: _organization, created_at: _created, ...changed } = rowOf(transition.job);
      await trx.updateTable('jobs').set(changed).where('id', '=', id).execute();
      if (transition.job.version !== before.version) await insertVersion(trx, transition.job, actor);
      await outbox.append(trx, messagesOf(before, transition, actor));
      return transition.job;
    }),
});

const rowOf = (job: Job) => ({
  id: job.id,
  organization_id: job.organizationId,
  name: job.name,
  description: job.description,
  tags: [...job.tags],
  status: job.status,
  version: job.version,
  revision: job.revision,
  next_run_at: job.nextRunAt,
  created_at: job.createdAt,
  updated_at: job.updatedAt,
});

const insertVersion = async (trx: Trx, job: Job, { principal }: Actor): Promise<void> => {
  const { source, target, rules, schedule } = job.configuration;
  await trx
    .insertInto('job_versions')
    .values({
      job_id: job.id,
      organization_id: job.organizationId,
      version: job.version,
      source: JSON.stringify(source),
      target: JSON.stringify(target),
      rules: JSON.stringify(rules),
      schedule: schedule === null ? null : JSON.stringify(schedule),
      created_by_type: principal.kind,
      created_by_id: principal.id,
      created_at: job.updatedAt,
    })
    .execute();
};

const lock = async (trx: Trx, id: string): Promise<Job | undefined> => {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) return undefined;
  const configuration = await trx
    .selectFrom('job_versions')
    .select(['source', 'target', 'rules', 'schedule'])
    .where('job_id', '=', id)
    .where('version', '=', row.version)
    .executeTakeFirstOrThrow();
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    description: row.description,
    tags: row.tags,
    status: row.status,
    version: row.version,
    revision: Number(row.revision),
    configuration,
    nextRunAt: row.next_run_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
};

const definitions: Readonly<Record<JobEvent, typeof events.jobCreated>> = {
  created: events.jobCreated,
  updated: events.jobUpdated,
  paused: events.jobPaused,
  resumed: events.jobResumed,
  archived: events.jobArchived,
};

const messagesOf = (before: Job | undefined, { job, event }: Transition, { principal, address }: Actor) => [
  eventMessage(
    definitions[event],
    { organizationId: job.organizationId, aggregateId: job.id, aggregateVersion: job.revision },
    {
      jobId: job.id,
      organizationId: job.organizationId,
      name: job.name,
      status: job.status,
      version: job.version,
      sourceAdapter: job.configuration.source.adapter,
      targetAdapter: job.configuration.target.adapter,
      updatedAt: job.updatedAt.toISOString(),
    },
  ),
  auditMessage('jobs', job.organizationId, {
    ...doneBy({ principal, address }),
    action: `job.${event}`,
    resource: { type: 'job', id: job.id },
    ...(before === undefined ? {} : { before: auditView(before) }),
    after: auditView(job),
  }),
];

// The configuration itself is in job_versions, and may be as large as its inline records.
const auditView = (job: Job) => ({ name: job.name, status: job.status, version: job.version, tags: [...job.tags] });
