/**
 * Due jobs, by the database's clock. The request for a run and the next due time are one transaction on the locked row: killed before
 * the commit, the job is still due; after it, the request is in the outbox. Two replicas pass by each other's rows.
 */
import { faultPoint } from '@settler/chassis/faults';
import type { Logger } from '@settler/chassis/logger';
import { auditMessage, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import { runRequest, runRequestType } from '@settler/contracts/internal/run-request';
import { runRequestSubject } from '@settler/contracts/subjects';
import { sql } from 'kysely';
import type { Schedules } from '../../application/scheduler.ts';
import { type Fire, fire, type Schedule } from '../../domain/schedule.ts';
import type { Database } from './tables.ts';

interface DueJob {
  readonly id: string;
  readonly organization_id: string;
  readonly due_at: Date;
  readonly schedule: Schedule | null;
  readonly now: Date;
}

interface Options {
  readonly graceMs: number;
  readonly logger: Logger;
}

export const createScheduleStore = (postgres: Postgres<Database>, outbox: Outbox, { graceMs, logger }: Options): Schedules => ({
  fireDue: async (batchMax) => {
    const count = await postgres.system(async (trx) => {
      const { rows } = await sql<DueJob>`
        select j.id, j.organization_id, j.next_run_at as due_at, v.schedule, now() as now
          from jobs j join job_versions v on v.job_id = j.id and v.version = j.version
         where j.next_run_at <= now() and j.status = 'active'
         order by j.next_run_at limit ${batchMax} for update of j skip locked`.execute(trx);
      for (const job of rows) {
        const fired = decide(job, graceMs, logger);
        // Neither version nor revision: whoever changes the job at this moment is not disturbed.
        await trx.updateTable('jobs').set({ next_run_at: fired.nextRunAt }).where('id', '=', job.id).execute();
        await actFor(trx, job.organization_id);
        await outbox.append(trx, messagesOf(job, fired));
        faultPoint('jobs.schedule.fired');
      }
      return rows.length;
    });
    if (count > 0) faultPoint('jobs.schedule.committed');
    return count;
  },
});

const decide = (job: DueJob, graceMs: number, logger: Logger): Fire => {
  if (job.schedule === null) return { runs: false, missed: false, nextRunAt: null };
  try {
    return fire(job.schedule, job.due_at, job.now, graceMs);
  } catch (error) {
    // Such as a time zone that this Node does not know any more. It must not keep the others from their runs.
    logger.error({ err: error, jobId: job.id }, 'a schedule cannot be read: it rests until the job is changed');
    return { runs: false, missed: true, nextRunAt: null };
  }
};

const messagesOf = (job: DueJob, { runs, missed, nextRunAt }: Fire): OutboxMessage[] => {
  const dueAt = job.due_at.toISOString();
  const request: OutboxMessage = {
    subject: runRequestSubject,
    type: runRequestType,
    organizationId: job.organization_id,
    aggregateId: job.id,
    aggregateVersion: 1,
    data: runRequest.parse({ jobId: job.id, dueAt }),
  };
  const said = auditMessage('jobs', job.organization_id, {
    actor: { type: 'system', id: 'schedule' },
    address: null,
    action: 'job.schedule_missed',
    resource: { type: 'job', id: job.id },
    after: { firstMissedAt: dueAt, runsOnce: runs, nextRunAt: nextRunAt?.toISOString() ?? null },
  });
  return [...(runs ? [request] : []), ...(missed ? [said] : [])];
};
