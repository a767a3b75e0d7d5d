/** Queues and cancels executions. Workers change them elsewhere, under a lease. */
import { eventMessage, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { invalid, notFound, Refusal } from '@settler/chassis/refusal';
import { doorbell, doorbellType } from '@settler/contracts/audit';
import * as events from '@settler/contracts/events/executions';
import { carriesForward } from '@settler/contracts/rules';
import { executionDoorbellSubject } from '@settler/contracts/subjects';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Actor, ExecutionStore, PlannedExecution } from '../../../application/ports.ts';
import { type InputFiles, isOver } from '../../../domain/execution.ts';
import type { Side } from '../../../domain/side.ts';
import { auditOf } from '../audit.ts';
import { completedRun } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';

type Row = Selectable<Database['executions']>;
type Trx = Transaction<Database>;

/** Says that the row may be claimed. Ringing twice does no harm: the claim decides. */
export const doorbellFor = (row: Pick<Row, 'id' | 'organization_id' | 'lease_epoch'>): OutboxMessage => ({
  subject: executionDoorbellSubject,
  type: doorbellType,
  organizationId: row.organization_id,
  aggregateId: row.id,
  aggregateVersion: 1,
  priority: 1,
  data: doorbell.parse({ executionId: row.id, epoch: row.lease_epoch }),
});

/** The event of a state that was just reached. Terminal ones leave the outbox before anything else. */
export const stateEvent = (
  row: Pick<
    Row,
    | 'id'
    | 'organization_id'
    | 'revision'
    | 'job_id'
    | 'job_version'
    | 'status'
    | 'dry_run'
    | 'summary'
    | 'error'
    | 'created_at'
    | 'started_at'
    | 'completed_at'
  >,
): OutboxMessage => {
  const definition = {
    queued: events.executionQueued,
    running: events.executionStarted,
    completed: events.executionCompleted,
    failed: events.executionFailed,
    cancelled: events.executionCancelled,
  }[row.status];
  return eventMessage(
    definition,
    {
      organizationId: row.organization_id,
      aggregateId: row.id,
      aggregateVersion: Number(row.revision),
      priority: isOver(row.status) ? 10 : 0,
    },
    {
      executionId: row.id,
      organizationId: row.organization_id,
      jobId: row.job_id,
      jobVersion: row.job_version,
      status: row.status,
      dryRun: row.dry_run,
      summary: row.summary,
      error: row.error === null ? null : { code: row.error.code, message: row.error.message },
      createdAt: row.created_at.toISOString(),
      startedAt: row.started_at?.toISOString() ?? null,
      completedAt: row.completed_at?.toISOString() ?? null,
    },
  );
};

export const createExecutionStore = (postgres: Postgres<Database>, outbox: Outbox): ExecutionStore => ({
  queue: (id, planned, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const inputs = await inputsOf(trx, planned);
      await requireFreeJob(trx, planned);
      await insert(trx, outbox, id, { ...planned, inputs, triedOn: null }, actor);
    }),

  tryRules: (id, executionId, { rules, note }, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      await completedRun(trx, executionId);
      const base = await trx.selectFrom('executions').selectAll().where('id', '=', executionId).executeTakeFirstOrThrow();
      const period = base.period_from === null || base.period_to === null ? null : { from: base.period_from, to: base.period_to };
      const planned: PlannedExecution = {
        jobId: base.job_id,
        jobVersion: base.job_version,
        definition: { ...base.definition, rules },
        dryRun: true,
        period,
        note,
        overlap: true,
        files: [],
      };
      await insert(trx, outbox, id, { ...planned, inputs: null, triedOn: executionId }, actor);
    }),

  cancel: (id, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const row = await trx
        .selectFrom('executions')
        .select(['status', 'cancel_requested_at'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) throw notFound('execution');
      if (isOver(row.status)) throw new Refusal('conflict', `This execution is over: it is ${row.status}.`);
      if (row.cancel_requested_at !== null) return;
      // Nobody works on a queued one: it is cancelled on the spot. A running one is told by its next heartbeat.
      const changed = await trx
        .updateTable('executions')
        .set({
          cancel_requested_at: sql<Date>`now()`,
          ...(row.status === 'queued' ? { status: 'cancelled' as const, completed_at: sql<Date>`now()` } : {}),
          revision: sql<bigint>`revision + 1`,
          progress_sequence: sql<bigint>`progress_sequence + 1`,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      const audit = auditOf(
        { action: 'execution.cancel_requested', resource: { type: 'execution', id }, after: { status: changed.status } },
        actor,
      );
      await outbox.append(trx, changed.status === 'cancelled' ? [stateEvent(changed), audit] : [audit]);
    }),
});

interface Inserted extends PlannedExecution {
  readonly inputs: InputFiles | null;
  /** The execution on whose stored records it is a trial. */
  readonly triedOn: string | null;
}

const insert = async (trx: Trx, outbox: Outbox, id: string, planned: Inserted, actor: Actor): Promise<void> => {
  const row = await trx
    .insertInto('executions')
    .values({
      id,
      organization_id: actor.principal.organizationId,
      job_id: planned.jobId,
      job_version: planned.jobVersion,
      definition: JSON.stringify(planned.definition),
      dry_run: planned.dryRun,
      is_serial: !planned.dryRun && carriesForward(planned.definition.rules),
      period_from: planned.period?.from ?? null,
      period_to: planned.period?.to ?? null,
      note: planned.note,
      tried_on: planned.triedOn,
      inputs: planned.inputs === null ? null : JSON.stringify(planned.inputs),
      ...(planned.dryRun ? {} : { created_at: afterAllOf(planned.jobId) }),
      file_ids: planned.files.map((file) => file.id),
      status: 'queued',
      progress: JSON.stringify({ stage: 'queued', done: 0, total: null }),
      created_by_type: actor.principal.kind,
      created_by_id: actor.principal.id,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const { jobId, jobVersion, dryRun, inputs } = planned;
  await outbox.append(trx, [
    doorbellFor(row),
    stateEvent(row),
    auditOf(
      {
        action: 'execution.queued',
        resource: { type: 'execution', id },
        after: { jobId, jobVersion, dryRun, ...(inputs === null ? {} : { inputs }) },
      },
      actor,
    ),
  ]);
};

/** Runs of a job know each other by their times: each is later than all that were queued before, which its lock on the job makes sure of. */
const afterAllOf = (jobId: string) => sql<Date>`greatest(
  date_trunc('milliseconds', clock_timestamp()),
  (select max(created_at) + interval '1 millisecond' from executions where job_id = ${jobId}))`;

/** @throws Refusal `validation_failed` where one of them is not there */
const inputsOf = async (trx: Trx, { files }: PlannedExecution): Promise<InputFiles> => {
  if (files.length === 0) return { source: null, target: null };
  const wanted = files.map((file) => file.id);
  // Locked, so that none of them can be deleted between this and the commit.
  const rows = await trx
    .selectFrom('files')
    .select(['id', 'sha256'])
    .where('id', 'in', wanted)
    .where('state', '=', 'ready')
    .forShare()
    .execute();
  const known = new Map(rows.map(({ id, sha256 }) => [id, { fileId: id, sha256: sha256 ?? '' }]));
  const missing = files.filter(({ id }) => !known.has(id));
  if (missing.length > 0) throw invalid(missing.map(({ side, id }) => ({ path: `${side}.fileId`, message: `there is no file ${id}` })));
  const of = (side: Side) => known.get(files.find((file) => file.side === side)?.id ?? '') ?? null;
  return { source: of('source'), target: of('target') };
};

/** Dry runs store nothing that another run could be in the way of. */
const requireFreeJob = async (trx: Trx, { jobId, overlap, dryRun }: PlannedExecution): Promise<void> => {
  if (dryRun) return;
  // Two requests at the same moment must not both find the job free.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`executions of ${jobId}`}, 0))`.execute(trx);
  if (overlap) return;
  const live = await trx
    .selectFrom('executions')
    .select('id')
    .where('job_id', '=', jobId)
    .where('status', 'in', ['queued', 'running'])
    .where('dry_run', '=', false)
    .limit(1)
    .executeTakeFirst();
  if (live !== undefined)
    throw new Refusal('conflict', `This job runs already as ${live.id}; send "overlap": true to queue another run behind it.`);
};
