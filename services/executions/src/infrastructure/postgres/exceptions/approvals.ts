/** What waits for a second person: whether something does, that it does, and what the world is told. */
import { eventMessage, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import { Refusal } from '@settler/chassis/refusal';
import { approvalDecided, approvalRequested, approvalWithdrawn } from '@settler/contracts/events/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { Rules } from '@settler/contracts/rules';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Actor } from '../../../application/ports.ts';
import type { ApprovalView } from '../../../application/queries.ts';
import { systemActor } from '../../../application/system-actor.ts';
import type { ApprovalRequest, Verdict } from '../../../domain/approval.ts';
import type { Said } from '../../../domain/exception-life.ts';
import type { Stake } from '../../../domain/stake.ts';
import { auditOf } from '../audit.ts';
import type { Database } from '../tables.ts';
import { lastPosition } from './exception-history.ts';

type Trx = Transaction<Database>;
export type ApprovalRow = Selectable<Database['approvals']>;

/** As the job's newest run has it; a dry run says nothing about what holds for others. */
export const approvalRule = async (trx: Trx, jobId: string): Promise<Rules['approval']> => {
  const row = await trx
    .selectFrom('executions')
    .select(sql<Rules['approval'] | null>`definition -> 'rules' -> 'approval'`.as('approval'))
    .where('job_id', '=', jobId)
    .where('dry_run', '=', false)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.approval ?? undefined;
};

/** Each by its name, as a statement has to say it that is to be prepared. */
const approvalColumns = [
  ...(['id', 'organization_id', 'job_id', 'execution_id', 'exception_id', 'kind', 'request', 'said', 'amount', 'currency'] as const),
  ...(['status', 'requested_by_type', 'requested_by_id', 'requested_person_id', 'requested_at'] as const),
  ...(['decided_by_type', 'decided_by_id', 'decided_at', 'decision_note', 'result_id', 'revision'] as const),
] satisfies readonly (keyof ApprovalRow)[];

export const pendingOf = (trx: Trx, exceptionId: string): Promise<ApprovalRow | undefined> =>
  trx
    .selectFrom('approvals')
    .select(approvalColumns)
    .where('exception_id', '=', exceptionId)
    .where('status', '=', 'pending')
    .executeTakeFirst();

export interface Asked {
  readonly id: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly exceptionId: string | null;
  readonly request: ApprovalRequest;
  readonly said: Said | null;
  readonly stake: Stake;
}

export const ask = async (trx: Trx, outbox: Outbox, asked: Asked, actor: Actor): Promise<ApprovalRow> => {
  const { principal } = actor;
  const { amountMinor, currency } = asked.stake;
  const row = await trx
    .insertInto('approvals')
    .values({
      id: asked.id,
      organization_id: principal.organizationId,
      job_id: asked.jobId,
      execution_id: asked.executionId,
      exception_id: asked.exceptionId,
      kind: asked.request.kind,
      request: JSON.stringify(asked.request),
      said: asked.said === null ? null : JSON.stringify(asked.said),
      amount: amountMinor === null ? null : fromMinor(amountMinor, exponentOf(currency ?? '')),
      currency,
      requested_by_type: principal.kind,
      requested_by_id: principal.id,
      requested_person_id: principal.personId,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await outbox.append(trx, [
    eventMessage(approvalRequested, aboutOf(row), { ...dataOf(row), status: 'pending' }),
    auditOf({ action: 'approval.requested', resource: { type: 'approval', id: row.id }, after: auditView(row) }, actor),
  ]);
  return row;
};

/** Two that want some of the same records would be one too many. */
export const refuseOverlap = async (trx: Trx, executionId: string, wanted: Extract<ApprovalRequest, { kind: 'match' }>): Promise<void> => {
  const { source, target } = wanted;
  const other = await trx
    .selectFrom('approvals')
    .select('id')
    .where('execution_id', '=', executionId)
    .where('kind', '=', 'match')
    .where('status', '=', 'pending')
    .where(sql<boolean>`(request -> 'source' ?| ${[...source]}::text[] or request -> 'target' ?| ${[...target]}::text[])`)
    .executeTakeFirst();
  if (other !== undefined)
    throw new Refusal('conflict', `Some of these records wait for a second person already, who decides about ${other.id}.`);
};

export const endedMessages = (row: ApprovalRow, verdict: Verdict, actor: Actor): OutboxMessage[] => [
  verdict === 'withdrawn'
    ? eventMessage(approvalWithdrawn, aboutOf(row), { ...dataOf(row), status: verdict })
    : eventMessage(approvalDecided, aboutOf(row), { ...dataOf(row), status: verdict }),
  auditOf({ action: `approval.${verdict}`, resource: { type: 'approval', id: row.id }, after: auditView(row) }, actor),
];

/** What a run or a match has resolved, nobody has to decide about. `by`: which of them. */
export const rejectOvertaken = async (
  trx: Trx,
  organizationId: string,
  exceptionIds: readonly string[],
  by: string,
): Promise<OutboxMessage[]> => {
  if (exceptionIds.length === 0) return [];
  const actor = systemActor('executions', organizationId);
  const note = `The ${by} has resolved the exception.`;
  const { rows } = await sql<ApprovalRow>`
    with rejected as (
      update approvals
         set status = 'rejected', decided_by_type = ${actor.principal.kind}, decided_by_id = ${actor.principal.id}, decided_at = now(),
             decision_note = ${note}, revision = revision + 1
       where exception_id = any(${[...exceptionIds]}::text[]) and status = 'pending'
      returning *),
    told as (
      insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
      select r.exception_id, r.organization_id,
             1 + ${lastPosition(sql`r.exception_id`)},
             now(), 'system', 'system', 'approval_rejected', jsonb_build_object('approvalId', r.id, 'note', r.decision_note)
        from rejected r)
    select * from rejected order by id`.execute(trx);
  return rows.flatMap((row) => endedMessages(row, 'rejected', actor));
};

const aboutOf = (row: ApprovalRow) => ({
  organizationId: row.organization_id,
  aggregateId: row.id,
  aggregateVersion: Number(row.revision),
});

const dataOf = (row: ApprovalRow) => ({
  approvalId: row.id,
  organizationId: row.organization_id,
  jobId: row.job_id,
  executionId: row.execution_id,
  kind: row.kind,
  exceptionId: row.exception_id,
  amount: row.amount,
  currency: row.currency,
});

// Notes stay with the approval: they may name people.
const auditView = (row: ApprovalRow) => ({
  status: row.status,
  kind: row.kind,
  exceptionId: row.exception_id,
  executionId: row.execution_id,
  amount: row.amount,
  currency: row.currency,
});

export const approvalView = (row: ApprovalRow): ApprovalView => ({
  id: row.id,
  status: row.status,
  jobId: row.job_id,
  executionId: row.execution_id,
  exceptionId: row.exception_id,
  request: row.request,
  amount: row.amount,
  currency: row.currency,
  requestedBy: { type: row.requested_by_type, id: row.requested_by_id },
  requestedAt: row.requested_at.toISOString(),
  decidedBy: row.decided_by_type === null || row.decided_by_id === null ? null : { type: row.decided_by_type, id: row.decided_by_id },
  decidedAt: row.decided_at?.toISOString() ?? null,
  note: row.decision_note,
  resultId: row.result_id,
});
