/** What people do with exceptions: the row, its history, its record among the open items, its events and its audit entry, at once. */
import { violatedConstraint } from '@settler/chassis/database-errors';
import { requireRevision } from '@settler/chassis/entity-tag';
import type { Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { ExceptionStore } from '../../../application/exceptions.ts';
import type { Actor } from '../../../application/ports.ts';
import type { CommentView } from '../../../application/queries.ts';
import { type ExceptionState, type ExceptionTransition, resolveException } from '../../../domain/exception-life.ts';
import { mostOf } from '../../../domain/stake.ts';
import { auditOf } from '../audit.ts';
import { refuseWhileInAnother, refuseWhileMatched, refuseWhileMatchedByHand } from '../matches/reopening.ts';
import { lockOpenItems, setRetired } from '../open-items/open-items.ts';
import type { Database } from '../tables.ts';
import { ask, pendingOf } from './approvals.ts';
import { lastPosition } from './exception-history.ts';
import { messagesOf } from './exception-messages.ts';
import { requiresSecond } from './exception-stakes.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exceptions']>;

/** A conversation that is longer than this is had elsewhere. */
const commentsMax = 500;

export const createExceptionStore = (postgres: Postgres<Database>, outbox: Outbox): Omit<ExceptionStore, 'resolveMany' | 'changeMany'> => ({
  decide: (id, ifMatch, actor, decide) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const { job_id: jobId } = await find(trx, id);
      await lockOpenItems(trx, jobId, 'to change one');
      const before = await lock(trx, id);
      requireRevision(ifMatch, before.revision);
      if (before.match_id !== null) await refuseWhileMatchedByHand(trx, before.match_id);
      const transition = decide(stateOf(before));
      if ('refused' in transition) throw new Refusal('conflict', transition.refused);
      if (transition.entries.length === 0) return;
      if (transition.state.status === 'dismissed') await refuseDismissal(trx, before);
      if (transition.record === 'restored') {
        await refuseWhileInAnother(trx, before);
        await refuseWhileMatched(trx, before);
      }
      await apply(trx, outbox, before, transition, actor);
    }),

  resolve: (id, ifMatch, { resolution, note }, approvalId, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const { job_id: jobId } = await find(trx, id);
      await lockOpenItems(trx, jobId, 'to change one');
      const before = await lock(trx, id);
      requireRevision(ifMatch, before.revision);
      const transition = resolveException(stateOf(before), resolution, note);
      if ('refused' in transition) throw new Refusal('conflict', transition.refused);
      await refuseWhilePending(trx, id);
      const { takesSecond, stakes } = await requiresSecond(trx, before);
      if (!takesSecond) {
        await apply(trx, outbox, before, transition, actor);
        return 'resolved';
      }
      const waiting: ExceptionTransition = {
        state: stateOf(before),
        entries: [{ action: 'approval_requested', detail: { approvalId, resolution, note } }],
      };
      await write(trx, before, waiting);
      await addHistory(trx, before, waiting, actor);
      const { category, reason, records, execution_id: executionId } = before;
      const request = { kind: 'resolve', resolution, note } as const;
      const about = { id: approvalId, jobId, executionId, exceptionId: id };
      await ask(trx, outbox, { ...about, request, said: { category, reason, records }, stake: mostOf(stakes) }, actor);
      return 'pending';
    }),

  comment: (id, { id: commentId, text }, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const [, { count }] = await Promise.all([
        lock(trx, id),
        trx
          .selectFrom('exception_comments')
          .select(({ fn }) => fn.countAll<bigint>().as('count'))
          .where('exception_id', '=', id)
          .executeTakeFirstOrThrow(),
      ]);
      if (count >= commentsMax)
        throw new Refusal('conflict', `This exception has ${commentsMax} comments, which is as many as it may have.`);
      const { principal } = actor;
      const [row] = await Promise.all([
        trx
          .insertInto('exception_comments')
          .values({
            id: commentId,
            organization_id: principal.organizationId,
            exception_id: id,
            text,
            created_by_type: principal.kind,
            created_by_id: principal.id,
          })
          .returning(commentColumns)
          .executeTakeFirstOrThrow(),
        // Whoever reads the exception reads its comments, and the tag has to tell that there is a new one.
        trx
          .updateTable('exceptions')
          .set({ revision: sql<bigint>`revision + 1`, updated_at: sql<Date>`now()` })
          .where('id', '=', id)
          .execute(),
        outbox.append(trx, [auditOf({ action: 'exception.commented', resource: { type: 'exception', id }, after: { commentId } }, actor)]),
      ]);
      return commentView(row);
    }),
});

export const commentColumns = ['id', 'text', 'created_by_type', 'created_by_id', 'created_at'] as const;

export const commentView = (row: Pick<Selectable<Database['exception_comments']>, (typeof commentColumns)[number]>): CommentView => ({
  id: row.id,
  text: row.text,
  createdBy: { type: row.created_by_type, id: row.created_by_id },
  createdAt: row.created_at.toISOString(),
});

export const apply = async (trx: Trx, outbox: Outbox, before: Row, transition: ExceptionTransition, actor: Actor): Promise<void> => {
  const after = await write(trx, before, transition);
  await addHistory(trx, before, transition, actor);
  if (transition.record !== undefined) await setRetired(trx, before.job_id, [before.record_key], transition.record === 'retired');
  await outbox.append(trx, messagesOf(before, after, transition, actor));
};

const refuseWhilePending = async (trx: Trx, id: string): Promise<void> => {
  const pending = await pendingOf(trx, id);
  if (pending !== undefined) throw new Refusal('conflict', `It waits for a second person already, who decides about ${pending.id}.`);
};

/** What is dismissed is closed, too: it would be the way around whoever has to look at it. */
const refuseDismissal = async (trx: Trx, row: Row): Promise<void> => {
  await refuseWhilePending(trx, row.id);
  if ((await requiresSecond(trx, row)).takesSecond)
    throw new Refusal('conflict', 'One person alone cannot dismiss as much as this: resolve it, and a second one decides.');
};

export const stateOf = (row: Row): ExceptionState => ({
  status: row.status,
  severity: row.severity,
  severityIsSet: row.severity_is_set,
  assigneeId: row.assignee_id,
  resolution: row.resolution,
});

const find = async (trx: Trx, id: string): Promise<Pick<Row, 'job_id'>> => {
  const row = await trx.selectFrom('exceptions').select('job_id').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('exception');
  return row;
};

/** Each by its name, as a statement has to say it that is to be prepared. */
const exceptionColumns = [
  ...(['id', 'organization_id', 'job_id', 'execution_id', 'record_key', 'category', 'severity', 'severity_is_set', 'status'] as const),
  ...(['records', 'amount', 'currency', 'reason', 'first_seen_at', 'assignee_id', 'resolution', 'search', 'match_id'] as const),
  ...(['result_id', 'former_exception_id', 'revision', 'created_at', 'updated_at'] as const),
] satisfies readonly (keyof Row)[];

export const lock = async (trx: Trx, id: string): Promise<Row> => {
  const row = await trx.selectFrom('exceptions').select(exceptionColumns).where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) throw notFound('exception');
  return row;
};

/** `matchId`: the match that resolves it, null for whatever else is done with it. */
export const write = async (trx: Trx, { id }: Row, { state }: ExceptionTransition, matchId: string | null = null): Promise<Row> => {
  try {
    return await trx
      .updateTable('exceptions')
      .set({
        status: state.status,
        severity: state.severity,
        severity_is_set: state.severityIsSet,
        assignee_id: state.assigneeId,
        resolution: state.resolution,
        match_id: matchId,
        revision: sql<bigint>`revision + 1`,
        updated_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .returning(exceptionColumns)
      .executeTakeFirstOrThrow();
  } catch (error) {
    // A run met the record again after this one was closed, and it had changed.
    if (violatedConstraint(error) === 'exceptions_one_open')
      throw new Refusal('conflict', 'A newer exception is open for the same record; work on that one.');
    throw error;
  }
};

export const addHistory = async (
  trx: Trx,
  { id, organization_id: organizationId }: Row,
  { entries }: ExceptionTransition,
  { principal }: Actor,
) => {
  await trx
    .insertInto('exception_history')
    .values(
      entries.map(({ action, detail }, index) => ({
        exception_id: id,
        organization_id: organizationId,
        position: sql<number>`1 + ${index}::int + ${lastPosition(sql`${id}`)}`,
        at: sql<Date>`now()`,
        actor_type: principal.kind,
        actor_id: principal.id,
        action,
        detail: JSON.stringify(detail),
      })),
    )
    .execute();
};
