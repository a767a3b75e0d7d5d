/**
 * Leases on executions, by the database's clock. Each claim raises the epoch; every later write names it, so that a worker that
 * was thought dead changes nothing when it comes back.
 */

import { violatedConstraint } from '@settler/chassis/database-errors';
import { faultPoint } from '@settler/chassis/faults';
import { auditMessage, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Ending, HeldExecution, LeaseStore } from '../../application/ports.ts';
import { attemptsMax } from '../../domain/execution.ts';
import { openExceptions } from './exception-writer.ts';
import { doorbellFor, stateEvent } from './execution-store.ts';
import { settleHandMatches } from './hand-matches.ts';
import { applyMoves } from './open-items.ts';
import type { Database } from './tables.ts';

type Row = Selectable<Database['executions']>;

export interface LeaseOptions {
  readonly leaseMs: number;
  /** A bell that was rung this long ago and not answered is rung again. */
  readonly ringAgainMs: number;
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

/** Rolls back what was settled for a run that is not this worker's any more, or that was cancelled meanwhile. */
class NotHeld extends Error {}

const endingOf = async (postgres: Postgres<Database>, work: (trx: Transaction<Database>) => Promise<true>): Promise<boolean> => {
  try {
    return await postgres.system(work);
  } catch (error) {
    if (error instanceof NotHeld) return false;
    throw error;
  }
};

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::float8)`;

/** From as many on, the planner is told how they lie now: else it sorts all of them for every page. */
const analyzedFrom = 1_000;

export const createLeaseStore = (postgres: Postgres<Database>, outbox: Outbox, { leaseMs, ringAgainMs }: LeaseOptions): LeaseStore => ({
  claim: async (id, owner) => {
    try {
      return await postgres.system(async (trx) => {
        const { rows } = await sql<Row>`
          update executions e
             set status = 'running', lease_owner = ${owner}, lease_epoch = lease_epoch + 1, attempt = attempt + 1,
                 lease_until = now() + ${seconds(leaseMs)}, started_at = coalesce(started_at, now()), waiting_for = null,
                 revision = revision + 1, progress_sequence = progress_sequence + 1
           where id = ${id} and cancel_requested_at is null and attempt < ${attemptsMax}
             and ((status = 'queued' and not_before <= now()) or (status = 'running' and lease_until < now()))
             and not (is_serial and exists (select 1 from executions o where o.job_id = e.job_id and o.id <> e.id and o.is_serial
                                               and (o.status = 'running' or (o.status = 'queued' and o.created_at < e.created_at))))
          returning *`.execute(trx);
        const [row] = rows;
        if (row === undefined) return undefined;
        if (row.attempt === 1) {
          await actFor(trx, row.organization_id);
          await outbox.append(trx, [stateEvent(row)]);
        }
        return heldOf(row);
      });
    } catch (error) {
      // Another run of the same job began at the same moment; this one waits for the sweeper.
      if (violatedConstraint(error) === 'executions_one_serial_run') return undefined;
      throw error;
    }
  },

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

  end: async (held, ending) => {
    let exceptionsChanged = 0;
    const hasEnded = await endingOf(postgres, async (trx) => {
      const { id, epoch, organizationId } = held;
      await actFor(trx, organizationId);
      // The row comes last: until it is written, heartbeats and a cancellation find it free, however much there is to be settled.
      const changed = ending.status === 'completed' && !held.dryRun ? await settleExceptions(trx, held, ending) : nothingChanged;
      const mayEnd = ending.status === 'cancelled' ? sql`true` : sql`cancel_requested_at is null`;
      const { rows } = await sql<Row>`
        update executions
           set status = ${ending.status}, completed_at = now(), lease_owner = null, lease_until = null, waiting_for = null,
               revision = revision + 1, progress_sequence = progress_sequence + 1,
               ${sql.join(columnsOf(ending, changed))}
         where id = ${id} and lease_epoch = ${epoch} and status = 'running' and ${mayEnd}
        returning *`.execute(trx);
      const [row] = rows;
      if (row === undefined) throw new NotHeld();
      await outbox.append(trx, [stateEvent(row), ...changed.messages, endingEntry(row, ending, changed)]);
      faultPoint('executions.before-commit');
      exceptionsChanged = changed.opened + changed.resolved;
      return true;
    });
    // Where it cannot be done now, PostgreSQL does it by itself within minutes.
    if (exceptionsChanged >= analyzedFrom) await sql`analyze exceptions`.execute(postgres.systemDb).catch(() => undefined);
    return hasEnded;
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
      await endOrphans(trx, outbox);
      const { rows } = await sql<Row>`
        update executions set rung_at = now()
         where id in (select id from executions
                       where status in ('queued', 'running') and rung_at < now() - ${seconds(ringAgainMs)}
                         and ((status = 'queued' and not_before <= now()) or (status = 'running' and lease_until < now()))
                       order by created_at limit 100 for update skip locked)
        returning *`.execute(trx);
      for (const row of rows) {
        await actFor(trx, row.organization_id);
        await outbox.append(trx, [doorbellFor(row)]);
      }
      return rows.map((row) => row.id);
    }),
});

type Completed = Extract<Ending, { readonly status: 'completed' }>;

interface Changed {
  readonly opened: number;
  readonly resolved: number;
  readonly messages: readonly OutboxMessage[];
  /** Where matches by hand have changed it. */
  readonly summary?: ExecutionSummary;
}
const nothingChanged: Changed = { opened: 0, resolved: 0, messages: [] };

/** Resolved before others are opened: a record whose counterpart differs has one exception, that of the difference. */
const settleExceptions = async (trx: Transaction<Database>, held: HeldExecution, { given, summary }: Completed): Promise<Changed> => {
  const applied = await applyMoves(trx, held);
  const matches = await settleHandMatches(trx, held, given, summary);
  const opened = await openExceptions(trx, held);
  return {
    opened: opened.count,
    resolved: applied.resolved,
    summary: matches.summary,
    messages: [...applied.messages, ...matches.messages, ...opened.messages],
  };
};

/** What a run did is in the trail as one entry, however many exceptions it opened. */
const endingEntry = (row: Row, ending: Ending, { opened, resolved }: Changed) =>
  auditMessage('executions', row.organization_id, {
    actor: { type: 'system', id: 'executions' },
    address: null,
    action: `execution.${ending.status}`,
    resource: { type: 'execution', id: row.id },
    after: {
      jobId: row.job_id,
      ...(ending.status === 'failed' ? { code: ending.error.code } : {}),
      ...(ending.status === 'completed' ? { exceptionsOpened: opened, exceptionsResolved: resolved } : {}),
    },
  });

const columnsOf = (ending: Ending, { summary }: Changed) => {
  switch (ending.status) {
    case 'completed':
      return [
        sql`summary = ${JSON.stringify(summary ?? ending.summary)}`,
        sql`problems = ${JSON.stringify(ending.problems)}`,
        sql`control_totals = ${JSON.stringify(ending.controlTotals)}`,
        sql`report = ${ending.report === null ? null : JSON.stringify(ending.report)}`,
        sql`progress = jsonb_set(progress, '{stage}', '"done"')`,
      ];
    case 'failed':
      return [sql`error = ${JSON.stringify(ending.error)}`];
    case 'cancelled':
      return [sql`error = null`];
  }
};

/** Executions whose worker went silent after a cancellation, or for the last time. */
const endOrphans = async (trx: Parameters<Parameters<Postgres<Database>['system']>[0]>[0], outbox: Outbox): Promise<void> => {
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
  for (const row of rows) {
    await actFor(trx, row.organization_id);
    const ending: Ending = row.error === null ? { status: 'cancelled' } : { status: 'failed', error: row.error };
    await outbox.append(trx, [stateEvent(row), endingEntry(row, ending, nothingChanged)]);
  }
};
