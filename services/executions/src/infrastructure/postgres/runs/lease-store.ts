/**
 * Leases on executions, by the database's clock. Each claim raises the epoch; every later write names it, so that a worker that
 * was thought dead changes nothing when it comes back.
 */
import { violatedConstraint } from '@settler/chassis/database-errors';
import type { Outbox } from '@settler/chassis/outbox';
import { afterCommit, type Postgres } from '@settler/chassis/postgres';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { OnEnd } from '../../../application/measured-ends.ts';
import type { Ending, HeldExecution, LeaseStore } from '../../../application/ports.ts';
import { attemptsMax } from '../../../domain/execution.ts';
import type { Database } from '../tables.ts';
import { appendAll, createEnd, endingEntry } from './execution-end.ts';
import { doorbellFor, stateEvent } from './execution-store.ts';
import { goesBefore } from './serial.ts';
import { together } from './together.ts';

type Row = Selectable<Database['executions']>;

export interface LeaseOptions {
  readonly leaseMs: number;
  /** A bell that was rung this long ago and not answered is rung again. */
  readonly ringAgainMs: number;
  /** Is told of runs that end because no worker could end them. */
  readonly onOrphan?: OnEnd;
}

const heldOf = (row: Row): HeldExecution => ({
  id: row.id,
  organizationId: row.organization_id,
  jobId: row.job_id,
  definition: row.definition,
  dryRun: row.dry_run,
  period: row.period_from === null || row.period_to === null ? null : { from: row.period_from, to: row.period_to },
  epoch: row.lease_epoch,
  attempt: row.attempt,
  createdAt: row.created_at,
  triedOn: row.tried_on,
});

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::float8)`;

export const createLeaseStore = (postgres: Postgres<Database>, outbox: Outbox, options: LeaseOptions): LeaseStore => {
  const { leaseMs, ringAgainMs, onOrphan = () => {} } = options;
  return {
    claim: createClaim(postgres, outbox, leaseMs),
    end: createEnd(postgres, outbox),

    renew: async ({ id, epoch }) => {
      const { rows } = await sql<{ cancel_requested_at: Date | null }>`
      update executions set lease_until = now() + ${seconds(leaseMs)}
       where id = ${id} and lease_epoch = ${epoch} and status = 'running' returning cancel_requested_at`.execute(postgres.systemDb);
      const [row] = rows;
      if (row === undefined) return 'lost';
      return row.cancel_requested_at === null ? 'held' : 'cancel';
    },

    progress: async ({ id, epoch }, progress) => {
      await sql`
      update executions set progress = ${JSON.stringify(progress)}, progress_sequence = progress_sequence + 1
       where id = ${id} and lease_epoch = ${epoch} and status = 'running'`.execute(postgres.systemDb);
    },

    giveBack: async ({ id, epoch }, { countsAttempt, delayMs, reason }) => {
      await sql`
      update executions
         set status = 'queued', lease_owner = null, lease_until = null, waiting_for = ${reason}, not_before = now() + ${seconds(delayMs)},
             attempt = attempt - ${countsAttempt ? 0 : 1}, progress = '{"stage":"queued","done":0,"total":null}',
             progress_sequence = progress_sequence + 1, rung_at = now() - ${seconds(ringAgainMs)} + ${seconds(delayMs)}
       where id = ${id} and lease_epoch = ${epoch} and status = 'running'`.execute(postgres.systemDb);
    },

    sweep: () =>
      postgres.system(async (trx) => {
        await endOrphans(trx, outbox, onOrphan);
        const { rows } = await sql<Row>`
        update executions set rung_at = now()
         where id in (select id from executions
                       where status in ('queued', 'running') and rung_at < now() - ${seconds(ringAgainMs)}
                         and ((status = 'queued' and not_before <= now()) or (status = 'running' and lease_until < now()))
                       order by created_at limit 100 for update skip locked)
        returning *`.execute(trx);
        await appendAll(trx, outbox, rows.map(doorbellFor));
        return rows.map((row) => row.id);
      }),
  };
};

/** As many as one transaction claims. */
const claimsMax = 32;

const createClaim = (postgres: Postgres<Database>, outbox: Outbox, leaseMs: number): LeaseStore['claim'] => {
  const claimed = together(claimsMax, (wanted: readonly { readonly id: string; readonly owner: string }[]) =>
    postgres.system(async (trx) => {
      // Locked in one order, so that two workers with the same bells do not wait for each other. What a status asks for is a case, because
      // the planner would come by the index of all live rows, which while many wait costs more than all ids do.
      const { rows } = await sql<Row>`
        update executions e
           set status = 'running', lease_owner = c.owner, lease_epoch = lease_epoch + 1, attempt = attempt + 1,
               lease_until = now() + ${seconds(leaseMs)}, started_at = coalesce(started_at, now()), waiting_for = null,
               revision = revision + 1, progress_sequence = progress_sequence + 1
          from (select w.id, w.owner
                  from unnest(${wanted.map(({ id }) => id)}::text[], ${wanted.map(({ owner }) => owner)}::text[]) as w(id, owner)
                  join executions l on l.id = w.id
                 order by l.id for update of l) as c
         where e.id = c.id and cancel_requested_at is null and attempt < ${attemptsMax}
           and case status when 'queued' then not_before <= now() when 'running' then lease_until < now() end
           and not (is_serial and exists (select 1 from executions o where ${sql.raw(goesBefore('o', 'e'))}))
        returning e.*`.execute(trx);
      await appendAll(trx, outbox, rows.filter((row) => row.attempt === 1).map(stateEvent));
      const byId = new Map(rows.map((row) => [row.id, heldOf(row)]));
      return wanted.map(({ id }) => {
        const held = byId.get(id);
        // Who rang twice at the same moment has one run.
        byId.delete(id);
        return held;
      });
    }),
  );
  return async (id, owner) => {
    try {
      return await claimed({ id, owner });
    } catch (error) {
      // Another run of the same job began at the same moment; this one waits for the sweeper.
      if (violatedConstraint(error) === 'executions_one_serial_run') return undefined;
      throw error;
    }
  };
};

/** Executions whose worker went silent after a cancellation, or for the last time. */
const endOrphans = async (trx: Transaction<Database>, outbox: Outbox, onOrphan: OnEnd): Promise<void> => {
  const { rows } = await sql<Row>`
    update executions
       set status = case when cancel_requested_at is not null then 'cancelled' else 'failed' end,
           error = case when cancel_requested_at is not null then null
                        else jsonb_build_object('code', 'attempts_exhausted', 'message',
                               'No worker could finish this execution in ' || attempt || ' attempts' || coalesce(': ' || waiting_for, '.')) end,
           completed_at = now(), lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1,
           revision = revision + 1, progress_sequence = progress_sequence + 1
     where id in (select id from executions
                   where ((status = 'running' and lease_until < now()) or (status = 'queued' and not_before <= now()))
                     and (cancel_requested_at is not null or attempt >= ${attemptsMax})
                   limit 100 for update skip locked)
    returning *`.execute(trx);
  const messages = rows.flatMap((row) => {
    const ending: Ending = row.error === null ? { status: 'cancelled' } : { status: 'failed', error: row.error };
    return [stateEvent(row), endingEntry(row, ending)];
  });
  await appendAll(trx, outbox, messages);
  afterCommit(() => {
    for (const { status, started_at: startedAt, completed_at: completedAt } of rows)
      onOrphan(
        status as Ending['status'],
        startedAt === null || completedAt === null ? 0 : (completedAt.getTime() - startedAt.getTime()) / 1_000,
      );
  });
};
