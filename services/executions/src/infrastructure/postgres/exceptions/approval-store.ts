/** What a second person decides, or whoever asked withdraws: what was asked for is done in the transaction of the approval, as it can be done now, or not at all. */
import { requireRevision } from '@settler/chassis/entity-tag';
import { newestFirst } from '@settler/chassis/newest-first';
import type { Outbox } from '@settler/chassis/outbox';
import type { Cursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { sql, type Transaction } from 'kysely';
import type { ApprovalQueries, ApprovalStore, Decision } from '../../../application/approvals.ts';
import type { Actor } from '../../../application/ports.ts';
import { whyNotMaker, whyNotSecond } from '../../../domain/approval.ts';
import { type ExceptionEntry, resolveException, saysTheSame } from '../../../domain/exception-life.ts';
import { makeMatch, planMatch } from '../matches/match-making.ts';
import { lockOpenItems } from '../open-items/open-items.ts';
import { completedRun } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { type ApprovalRow, approvalView, endedMessages } from './approvals.ts';
import { addHistory, apply, lock, stateOf, write } from './exception-store.ts';

type Trx = Transaction<Database>;

export const createApprovalQueries = (postgres: Postgres<Database>, cursors: Cursors): ApprovalQueries => ({
  list: (organizationId, { jobId, exceptionId, status, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = JSON.stringify(['approvals', organizationId, jobId, exceptionId, status]);
      let query = trx.selectFrom('approvals').selectAll();
      if (jobId !== undefined) query = query.where('job_id', '=', jobId);
      if (exceptionId !== undefined) query = query.where('exception_id', '=', exceptionId);
      if (status !== undefined) query = query.where('status', '=', status);
      return newestFirst(query, { cursors, list, limit, cursor }, approvalView, 'requested_at');
    }),

  read: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst();
      return row && { view: approvalView(row), revision: row.revision };
    }),
});

export const createApprovalStore = (postgres: Postgres<Database>, outbox: Outbox): ApprovalStore => ({
  decide: (id, ifMatch, decision, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const found = await trx.selectFrom('approvals').select(['job_id', 'kind']).where('id', '=', id).executeTakeFirst();
      if (found === undefined) throw notFound('approval');
      await lockOpenItems(trx, found.job_id, found.kind === 'match' ? 'to settle all' : 'to change one');
      const row = await trx.selectFrom('approvals').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
      requireRevision(ifMatch, row.revision);
      if (row.status !== 'pending') throw new Refusal('conflict', `This was ${row.status} already.`);
      const { principal } = actor;
      const maker = { id: row.requested_by_id, personId: row.requested_person_id };
      const refused = decision.verdict === 'withdrawn' ? whyNotMaker(maker, principal) : whyNotSecond(maker, principal);
      if (refused !== undefined) throw new Refusal('forbidden', refused);
      const resultId = decision.verdict === 'approved' ? await carryOut(trx, outbox, row, decision, actor) : null;
      if (decision.verdict !== 'approved') await noteEnd(trx, row, decision.verdict, decision.note, actor);
      const decided = await trx
        .updateTable('approvals')
        .set({
          status: decision.verdict,
          decided_by_type: principal.kind,
          decided_by_id: principal.id,
          decided_at: sql<Date>`now()`,
          decision_note: decision.note,
          result_id: resultId,
          revision: sql<bigint>`revision + 1`,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await outbox.append(trx, endedMessages(decided, decision.verdict, actor));
    }),
});

/** Returns the match that was made, where it is one. */
const carryOut = async (trx: Trx, outbox: Outbox, row: ApprovalRow, decision: Decision, actor: Actor): Promise<string | null> => {
  const { request } = row;
  switch (request.kind) {
    case 'resolve': {
      const before = await lock(trx, row.exception_id ?? '');
      const transition = resolveException(stateOf(before), request.resolution, request.note);
      if ('refused' in transition) throw new Refusal('conflict', transition.refused);
      if (row.said === null || !saysTheSame(row.said, before))
        throw new Refusal(
          'conflict',
          'The exception says something else now than when this was asked for: reject it, and resolve it anew.',
        );
      const { resolution, note } = request;
      const entries: ExceptionEntry[] = [{ action: 'resolved', detail: { resolution, note, approvalId: row.id } }];
      await apply(trx, outbox, before, { ...transition, entries }, actor);
      return null;
    }
    case 'match': {
      const run = await completedRun(trx, row.execution_id);
      const plan = await planMatch(trx, run, request);
      const manual = {
        matchId: decision.newResultId,
        by: { type: row.requested_by_type, id: row.requested_by_id },
        at: new Date().toISOString(),
        note: request.note,
        approvedBy: { type: actor.principal.kind, id: actor.principal.id },
      };
      await outbox.append(trx, await makeMatch(trx, run, plan, manual, actor));
      return decision.newResultId;
    }
  }
};

const noteEnd = async (trx: Trx, row: ApprovalRow, verdict: 'rejected' | 'withdrawn', note: string | null, actor: Actor): Promise<void> => {
  if (row.exception_id === null) return;
  const before = await lock(trx, row.exception_id);
  const entries: ExceptionEntry[] = [{ action: `approval_${verdict}`, detail: { approvalId: row.id, note } }];
  const unchanged = { state: stateOf(before), entries };
  await write(trx, before, unchanged, before.match_id);
  await addHistory(trx, before, unchanged, actor);
};
