/**
 * Matches by hand and their undoing: the results of the run, the exceptions and open items of their records, the decision that later
 * runs are given, events and audit entry, at once. Whoever does it excludes everybody else who settles records of the job.
 */
import { requireRevision } from '@settler/chassis/entity-tag';
import type { Outbox, OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { invalid, notFound, Refusal } from '@settler/chassis/refusal';
import type { Transaction } from 'kysely';
import { type MatchRequest, type MatchStore, matchRevision } from '../../application/matches.ts';
import type { Actor } from '../../application/ports.ts';
import { joinByHand, missingOn } from '../../domain/hand-match.ts';
import type { Manual } from '../../domain/matched-result.ts';
import { openExceptionsFor, type ResultInNeed } from './exception-writer.ts';
import { resultView } from './execution-queries.ts';
import { closeOpened, reopenMatched, resolveMatched } from './match-exceptions.ts';
import { hold, join, part, recordsOf, release, retellRun } from './match-exchange.ts';
import { createdMessages, undoneMessages } from './match-messages.ts';
import { carry, identified, type KnownRecord, requireUnmatched, retire } from './match-records.ts';
import { lockOpenItems } from './open-items.ts';
import { completedRun, putBack, type Run, resultsById, resultsNaming, type StoredResult, takeOut } from './stored-results.ts';
import type { Before, Database } from './tables.ts';

type Trx = Transaction<Database>;

export const createMatchStore = (postgres: Postgres<Database>, outbox: Outbox): MatchStore => ({
  create: (id, request, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const run = await completedRun(trx, request.executionId);
      await lockOpenItems(trx, run.jobId, 'to settle all');
      await outbox.append(trx, await match(trx, run, id, request, actor));
      return resultView(
        await trx.selectFrom('results').selectAll().where('created_at', '=', run.createdAt).where('id', '=', id).executeTakeFirstOrThrow(),
      );
    }),

  remove: (executionId, resultId, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const run = await completedRun(trx, executionId);
      await lockOpenItems(trx, run.jobId, 'to settle all');
      const [result] = await resultsById(trx, run, [resultId]);
      if (result === undefined) throw notFound('match');
      if (result.manual === null) throw new Refusal('conflict', whyNoMatch(result));
      requireRevision(ifMatch, matchRevision);
      await outbox.append(trx, await undo(trx, run, result, result.manual, actor));
    }),
});

const whyNoMatch = ({ outcome }: StoredResult): string =>
  outcome === 'matched'
    ? 'This was matched by the rules of the job: change those, and run it again.'
    : `This result is ${outcome}: only a match can be undone.`;

const match = async (trx: Trx, run: Run, id: string, request: MatchRequest, actor: Actor): Promise<OutboxMessage[]> => {
  const found = await resultsNaming(trx, run, [...request.source, ...request.target]);
  const joined = joinByHand(found, request);
  if ('faults' in joined) throw invalid(joined.faults);
  if ('refused' in joined) throw new Refusal('conflict', joined.refused);
  const displaced = found.filter((result) => joined.displaced.includes(result));
  const taken = await identified(trx, run.jobId, recordsOf(joined.taken));
  requireUnmatched(taken);
  requireStillOpen(run, displaced, taken);

  const { note } = request;
  const { kind: type, id: actorId } = actor.principal;
  const at = new Date();
  const manual: Manual = { matchId: id, by: { type, id: actorId }, at: at.toISOString(), note };
  const exchanged = await join(trx, run, joined, displaced, { id, manual });
  await retellRun(trx, run, exchanged);
  const identities = taken.map(({ identity }) => identity);
  const retired = await retire(trx, run.jobId, identities);
  const recordKeys = taken.map(({ recordKey }) => recordKey);
  const resolved = await resolveMatched(trx, run.jobId, { id, note, recordKeys }, displaced, actor);
  const left = await identified(trx, run.jobId, joined.left);
  const carried = await carry(
    trx,
    run,
    left.filter((record) => record.match === undefined),
  );
  const alone = exchanged.after.filter((result) => result.id !== id);
  const opened = await openExceptionsFor(trx, run, alone.map(inNeed));
  const before: Before = {
    displaced: exchanged.rows,
    left: alone.map((result) => result.id),
    carried,
    opened: opened.ids,
    resolved: resolved.before,
  };
  await trx
    .insertInto('matches')
    .values({
      id,
      organization_id: run.organizationId,
      job_id: run.jobId,
      execution_id: run.id,
      note,
      created_by_type: type,
      created_by_id: actorId,
      created_at: at,
      before: JSON.stringify(before),
    })
    .execute();
  await hold(trx, run, id, taken, retired);
  return [...resolved.messages, ...opened.messages, ...createdMessages({ matchId: id, run, records: exchanged.match }, actor)];
};

/** A run that carries its open items forward has handed these on: where one is none any more, a later run has settled it. */
const requireStillOpen = (run: Run, displaced: readonly StoredResult[], taken: readonly KnownRecord[]): void => {
  if (!run.carriesForward) return;
  const gone = taken.find(
    ({ side, record, isItem }) =>
      !isItem && displaced.some(({ outcome, [side]: records }) => outcome === missingOn(side) && records.includes(record)),
  );
  if (gone !== undefined)
    throw new Refusal('conflict', `A later run has found a counterpart for the ${gone.side} record ${String(gone.record['id'])}.`);
};

/** Nobody has sorted it: the rules have found nothing to say about it but that it is alone. */
const inNeed = ({ id, outcome, source, target, position }: StoredResult): ResultInNeed => ({
  id,
  outcome,
  source,
  target,
  position,
  category: null,
  reason: null,
  line: null,
  delta: null,
});

const undo = async (trx: Trx, run: Run, result: StoredResult, { matchId }: Manual, actor: Actor): Promise<OutboxMessage[]> => {
  const made = await trx.selectFrom('matches').selectAll().where('id', '=', matchId).forUpdate().executeTakeFirstOrThrow();
  if (made.ended_because !== null)
    throw new Refusal(
      'conflict',
      made.ended_because === 'undone'
        ? 'This match has been undone already.'
        : 'This match holds no longer: a later run found one of its records changed.',
    );
  const by = { type: actor.principal.kind, id: actor.principal.id };
  await release(trx, run.jobId, matchId, 'undone', by);
  const about = { matchId, run: { ...run, id: made.execution_id }, records: result };
  const messages =
    result.id === matchId ? await takeBack(trx, run, result, made.before, actor) : await takeApart(trx, run, result, made, actor);
  return [...messages, ...undoneMessages(about, actor)];
};

/** In the run that it was made in: everything is as it was before. */
const takeBack = async (trx: Trx, run: Run, result: StoredResult, before: Before, actor: Actor): Promise<OutboxMessage[]> => {
  const left = await resultsById(trx, run, before.left);
  if (left.length < before.left.length)
    throw new Refusal('conflict', 'What this match left over was matched by hand since then: undo that match first.');
  await takeOut(trx, run, [result, ...left]);
  await putBack(trx, before.displaced);
  const restored = await resultsById(
    trx,
    run,
    before.displaced.map(({ id }) => String(id)),
  );
  await retellRun(trx, run, { before: [result, ...left], after: restored });
  if (before.carried.length > 0)
    await trx
      .deleteFrom('open_items')
      .where('job_id', '=', run.jobId)
      .where('identity', 'in', [...before.carried])
      .execute();
  return [...(await reopenMatched(trx, result.id, before, actor)), ...(await closeOpened(trx, result.id, before, actor))];
};

/** In a later run, which was given the match: nothing was there before, and each of its records is missing. */
const takeApart = async (
  trx: Trx,
  run: Run,
  result: StoredResult,
  made: { readonly id: string; readonly before: Before },
  actor: Actor,
): Promise<OutboxMessage[]> => {
  const exchanged = await part(trx, run, result);
  await retellRun(trx, run, exchanged);
  await carry(trx, run, await identified(trx, run.jobId, recordsOf(result)));
  const reopened = await reopenMatched(trx, made.id, made.before, actor);
  const opened = await openExceptionsFor(trx, run, exchanged.after.map(inNeed));
  return [...reopened, ...opened.messages];
};
