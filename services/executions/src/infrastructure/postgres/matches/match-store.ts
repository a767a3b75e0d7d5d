/**
 * Matches by hand, and the undoing of any match: the results of the run, the exceptions and open items of their records, the decision
 * that later runs are given, events and audit entry, at once. Whoever does it excludes everybody else who settles records of the job.
 */
import { isDeepStrictEqual } from 'node:util';
import { requireRevision } from '@settler/chassis/entity-tag';
import { parseWithNames } from '@settler/chassis/json-names';
import type { Outbox, OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import type { Transaction } from 'kysely';
import { type MatchStore, matchRevision } from '../../../application/matches.ts';
import type { Actor } from '../../../application/ports.ts';
import { takesSecond } from '../../../domain/approval.ts';
import type { Manual } from '../../../domain/matched-result.ts';
import type { Side } from '../../../domain/side.ts';
import { mostOf, stakesOf } from '../../../domain/stake.ts';
import { approvalRule, approvalView, ask, refuseOverlap } from '../exceptions/approvals.ts';
import { openExceptionsFor } from '../exceptions/exception-writer.ts';
import { lockOpenItems } from '../open-items/open-items.ts';
import { keyOfResult } from '../open-items/record-key.ts';
import { findResults, soughtByIds } from '../results/find-results.ts';
import { completedRun, putRows, type Run, resultsById, type StoredResult, takeOut } from '../results/stored-results.ts';
import { resultView } from '../runs/execution-queries.ts';
import type { Before, Database } from '../tables.ts';
import { type KeptMatch, keptMatch } from './kept-match.ts';
import { leftAsItWas } from './left-over.ts';
import { closeOpened, reopenMatched } from './match-exceptions.ts';
import { part, recordsOf, release, retellRun } from './match-exchange.ts';
import { inNeed, makeMatch, planMatch } from './match-making.ts';
import { undoneMessages } from './match-messages.ts';
import { refuseWhileFoundLater } from './reopening.ts';
import { separate } from './separations.ts';

type Trx = Transaction<Database>;

export const createMatchStore = (postgres: Postgres<Database>, outbox: Outbox): MatchStore => ({
  create: (ids, request, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const run = await completedRun(trx, request.executionId);
      await lockOpenItems(trx, run.jobId, 'to settle all');
      const plan = await planMatch(trx, run, request);
      const stakes = stakesOf(plan.joined.taken);
      if (takesSecond(await approvalRule(trx, run.jobId), stakes)) {
        const { source, target, note } = request;
        const wanted = { kind: 'match', source, target, note } as const;
        await refuseOverlap(trx, run.id, wanted);
        const about = { id: ids.approval, jobId: run.jobId, executionId: run.id, exceptionId: null };
        const asked = await ask(trx, outbox, { ...about, request: wanted, said: null, stake: mostOf(stakes) }, actor);
        return { kind: 'pending', approval: approvalView(asked) };
      }
      const by = { type: actor.principal.kind, id: actor.principal.id };
      const manual = { matchId: ids.result, by, at: new Date().toISOString(), note: request.note };
      await outbox.append(trx, await makeMatch(trx, run, plan, manual, actor));
      const [made] = await findResults(trx, { id: run.id, created_at: run.createdAt }, [soughtByIds([ids.result])], { limit: 1 });
      if (made === undefined) throw new Error(`${ids.result} was made and is not there`);
      return { kind: 'matched', result: resultView(made) };
    }),

  remove: (executionId, resultId, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const run = await completedRun(trx, executionId);
      await lockOpenItems(trx, run.jobId, 'to settle all');
      const [result] = await resultsById(trx, run, [resultId]);
      if (result === undefined) throw notFound('match');
      requireUndoable(result);
      requireRevision(ifMatch, matchRevision);
      await outbox.append(trx, await undo(trx, run, result, actor));
    }),
});

/** Each record becomes a result, an open item and an exception, while everybody else who settles records of the job waits. */
const undoneMax = 10_000;

const requireUndoable = ({ outcome, source, target }: StoredResult): void => {
  if (outcome !== 'matched') throw new Refusal('conflict', `This result is ${outcome}: only a match can be undone.`);
  const records = source.length + target.length;
  if (records > undoneMax)
    throw new Refusal(
      'conflict',
      `This match has ${records} records, and at most ${undoneMax} are undone by hand: change the rules of the job, and run it again.`,
    );
};

const undo = async (trx: Trx, run: Run, result: StoredResult, actor: Actor): Promise<OutboxMessage[]> => {
  const by = { type: actor.principal.kind, id: actor.principal.id };
  const made = result.manual === null ? undefined : await madeByHand(trx, result.manual);
  const matchId = made?.id ?? result.id;
  const kept = await keptMatch(trx, run, result);
  if (kept !== undefined) requireUndoable(kept.match);
  // Whoever is taken out of it is kept from all the others.
  const apart = kept?.match ?? result;
  await refuseWhileFoundLater(trx, run, recordsOf(apart));
  if (made !== undefined) await release(trx, run.jobId, matchId, 'undone', by);
  const about = { matchId, run: { ...run, id: made?.execution_id ?? run.id }, records: result };
  const mayDiffer = made !== undefined && hadDiffered(made.before, result);
  await separate(trx, about.run, { source: apart.source, target: apart.target, id: matchId, mayDiffer }, by);
  if (kept !== undefined) return undoKept(trx, run, kept, actor);
  const left = made?.id === result.id ? await leftAsItWas(trx, run, made.before) : undefined;
  const messages =
    made === undefined || left === undefined
      ? await takeApart(trx, run, [result], made, actor)
      : await takeBack(trx, run, { result, left }, made.before, actor);
  return [...messages, ...undoneMessages(about, actor)];
};

/** Where it is kept and where it was made. Runs between the two say what they have found, as they do of any match that is undone. */
const undoKept = async (trx: Trx, run: Run, { run: madeIn, match, keepers }: KeptMatch, actor: Actor): Promise<OutboxMessage[]> => [
  ...(await takeApart(trx, run, keepers, undefined, actor)),
  ...(await takeApart(trx, madeIn, [match], undefined, actor)),
  ...keepers.flatMap((keeper) => undoneMessages({ matchId: keeper.id, run, records: keeper }, actor)),
  ...undoneMessages({ matchId: match.id, run: madeIn, records: match }, actor),
];

/** Before somebody matched them, the rules had found that some of these records belong together and differ. */
const hadDiffered = ({ displaced }: Before, match: StoredResult): boolean => {
  const has = (side: Side, records: unknown) =>
    recordsIn(records).some((record) => match[side].some((own) => isDeepStrictEqual(own, record)));
  return displaced.some(({ outcome, source, target }) => outcome === 'mismatched' && has('source', source) && has('target', target));
};

/** Rows that were kept before results had their JSON as text have it as it is. */
const recordsIn = (stored: unknown): readonly unknown[] =>
  (typeof stored === 'string' ? parseWithNames(stored) : stored) as readonly unknown[];

const madeByHand = async (trx: Trx, { matchId }: Manual) => {
  const made = await trx.selectFrom('matches').selectAll().where('id', '=', matchId).forUpdate().executeTakeFirstOrThrow();
  if (made.ended_because === null) return made;
  throw new Refusal(
    'conflict',
    made.ended_because === 'undone'
      ? 'This match has been undone already.'
      : 'This match holds no longer: a later run found one of its records changed.',
  );
};

/** In the run that it was made in, with what it left over there: everything is as it was before. */
const takeBack = async (
  trx: Trx,
  run: Run,
  { result, left }: { readonly result: StoredResult; readonly left: readonly StoredResult[] },
  before: Before,
  actor: Actor,
): Promise<OutboxMessage[]> => {
  await takeOut(trx, run, [result, ...left]);
  await putRows(trx, before.displaced);
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

/**
 * Each of their records is missing. Of a match of the rules, or one that was given to a later run, nothing was there before: what was in the
 * run that it was made in, such as a pair that differed, is no result of this one. In that run it is over where what was left of it is elsewhere.
 */
const takeApart = async (
  trx: Trx,
  run: Run,
  results: readonly StoredResult[],
  made: { readonly id: string; readonly before: Before } | undefined,
  actor: Actor,
): Promise<OutboxMessage[]> => {
  const exchanged = await part(trx, run, results);
  await retellRun(trx, run, exchanged);
  const alone = new Set(exchanged.after.map(keyOfResult));
  const reopened = made === undefined ? [] : await reopenMatched(trx, made.id, made.before, actor, alone);
  const opened = await openExceptionsFor(trx, run, inNeed(exchanged.after));
  return [...reopened, ...opened.messages];
};
