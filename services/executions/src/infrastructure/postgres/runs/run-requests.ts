/** Requests of schedules: taken in once, and each turned into one execution or into an entry of the audit trail that says why not. */
import { faultPoint } from '@settler/chassis/faults';
import type { Outbox } from '@settler/chassis/outbox';
import { afterCommit, type Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import type { Envelope } from '@settler/contracts/envelope';
import { runRequest } from '@settler/contracts/internal/run-request';
import { sql, type Transaction } from 'kysely';
import type { Actor, ExecutionStore, RequestedRun, RunRequests } from '../../../application/ports.ts';
import { auditOf } from '../audit.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

/** A replica that took a request and died leaves it to the others after this long; so does one that jobs did not answer. */
const claimSeconds = 10;
const cleanRows = 5_000;

export const receiveRunRequest =
  (wake: () => void) =>
  async (trx: Trx, envelope: Envelope): Promise<void> => {
    const { jobId, dueAt } = runRequest.parse(envelope.data);
    await trx
      .insertInto('run_requests')
      .values({ job_id: jobId, organization_id: envelope.organizationid, due_at: new Date(dueAt) })
      .onConflict((conflict) => conflict.columns(['job_id', 'due_at']).doNothing())
      .execute();
    afterCommit(wake);
  };

export const createRunRequests = (postgres: Postgres<Database>, outbox: Outbox, executions: ExecutionStore): RunRequests => {
  /** Under the lock on a request that still waits; nothing where somebody else has seen to it. */
  const settle = ({ jobId, organizationId, dueAt }: RequestedRun, decide: (trx: Trx) => Promise<{ executionId: string } | 'skipped'>) =>
    postgres.organization(organizationId, async (trx) => {
      const waiting = await trx
        .selectFrom('run_requests')
        .select('job_id')
        .where('job_id', '=', jobId)
        .where('due_at', '=', dueAt)
        .where('state', '=', 'waiting')
        .forUpdate()
        .executeTakeFirst();
      if (waiting === undefined) return;
      const decided = await decide(trx);
      await trx
        .updateTable('run_requests')
        .set(decided === 'skipped' ? { state: 'skipped' } : { state: 'queued', execution_id: decided.executionId })
        .where('job_id', '=', jobId)
        .where('due_at', '=', dueAt)
        .execute();
      faultPoint('executions.request.settled');
    });

  const saySkipped = async (trx: Trx, { jobId, dueAt }: RequestedRun, reason: string, actor: Actor): Promise<'skipped'> => {
    const after = { dueAt: dueAt.toISOString(), reason };
    await outbox.append(trx, [auditOf({ action: 'job.schedule_skipped', resource: { type: 'job', id: jobId }, after }, actor)]);
    return 'skipped';
  };

  return {
    claim: async (batchMax) => {
      const { rows } = await sql<{ job_id: string; organization_id: string; due_at: Date }>`
        update run_requests set not_before = now() + make_interval(secs => ${claimSeconds}::float8)
         where (job_id, due_at) in (select job_id, due_at from run_requests where state = 'waiting' and not_before <= now()
                                     order by not_before limit ${batchMax} for update skip locked)
        returning job_id, organization_id, due_at`.execute(postgres.systemDb);
      return rows
        .map((row) => ({ jobId: row.job_id, organizationId: row.organization_id, dueAt: row.due_at }))
        .sort((one, other) => one.dueAt.getTime() - other.dueAt.getTime());
    },

    skip: (requested, reason, actor) => settle(requested, (trx) => saySkipped(trx, requested, reason, actor)),

    queue: (requested, id, planned, actor) =>
      settle(requested, async (trx) => {
        // After an outage many due times of one job wait here: the newest stands for all.
        const newer = await trx
          .selectFrom('run_requests')
          .select('due_at')
          .where('job_id', '=', requested.jobId)
          .where('due_at', '>', requested.dueAt)
          .limit(1)
          .executeTakeFirst();
        if (newer !== undefined) return saySkipped(trx, requested, 'superseded', actor);
        try {
          await executions.queue(id, planned, actor);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          if (error.code === 'conflict') return saySkipped(trx, requested, 'still_running', actor);
          if (error.code !== 'validation_failed') throw error;
          // A file that the job names is gone. Nobody waits for an answer: the run is queued and fails, where people look for runs.
          await executions.queue(id, { ...planned, files: [] }, actor);
        }
        return { executionId: id };
      }),

    // A message comes again within 14 days at most.
    clean: async () => {
      await sql`delete from run_requests where ctid = any(array(
        select ctid from run_requests where state <> 'waiting' and requested_at < now() - interval '30 days' limit ${cleanRows}))`.execute(
        postgres.systemDb,
      );
    },
  };
};
