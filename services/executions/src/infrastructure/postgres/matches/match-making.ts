/** A match by hand is planned as things stand, and made as it was planned: at once, or once a second person has approved it. */
import type { OutboxMessage } from '@settler/chassis/outbox';
import { invalid, Refusal } from '@settler/chassis/refusal';
import type { Transaction } from 'kysely';
import type { Actor, SideRecord } from '../../../application/ports.ts';
import { type Joined, joinByHand, missingOn, type Wanted } from '../../../domain/hand-match.ts';
import type { Manual } from '../../../domain/matched-result.ts';
import { openExceptionsFor, type ResultInNeed } from '../exceptions/exception-writer.ts';
import { isAlone, type Run, resultsNaming, type StoredResult } from '../results/stored-results.ts';
import type { Before, Database } from '../tables.ts';
import { requireUnsettled, resolveMatched } from './match-exceptions.ts';
import { hold, join, recordsOf, retellRun } from './match-exchange.ts';
import { createdMessages } from './match-messages.ts';
import { calledIn, carry, identified, type KnownRecord, type Placed, requireUnmatched, retire } from './match-records.ts';
import { refuseWhileFoundLater } from './reopening.ts';

type Trx = Transaction<Database>;

/** What will be matched, and what makes way for it. */
export interface MatchPlan {
  readonly joined: Joined;
  readonly displaced: readonly StoredResult[];
  readonly taken: readonly KnownRecord[];
}

/** @throws Refusal `validation_failed` or `conflict` where it cannot be matched as it stands now */
export const planMatch = async (trx: Trx, run: Run, wanted: Wanted): Promise<MatchPlan> => {
  const found = await resultsNaming(trx, run, [...wanted.source, ...wanted.target]);
  const joined = joinByHand(found, wanted);
  if ('faults' in joined) throw invalid(joined.faults);
  if ('refused' in joined) throw new Refusal('conflict', joined.refused);
  const displaced = found.filter((result) => joined.displaced.includes(result));
  const taken = await identified(trx, run, placedIn(displaced, recordsOf(joined.taken)));
  requireUnmatched(taken);
  requireStillOpen(run, displaced, taken);
  await requireUnsettled(trx, displaced);
  const all = displaced.flatMap(recordsOf);
  await refuseWhileFoundLater(trx, run, all, all);
  return { joined, displaced, taken };
};

/** Under the lock on the job's open items, as it was planned. `actor` is whoever has the last word. */
export const makeMatch = async (
  trx: Trx,
  run: Run,
  { joined, displaced, taken }: MatchPlan,
  manual: Manual,
  actor: Actor,
): Promise<OutboxMessage[]> => {
  const { matchId: id, note, by, approvedBy } = manual;
  const left = await identified(trx, run, joined.left, taken);
  const exchanged = await join(trx, run, { taken: joined.taken, left }, displaced, { id, manual });
  await retellRun(trx, run, exchanged);
  const identities = taken.map(({ identity }) => identity);
  const retired = await retire(trx, run.jobId, identities);
  const recordKeys = taken.map(({ recordKey }) => recordKey);
  const resolved = await resolveMatched(trx, run.jobId, { id, note, recordKeys }, displaced, actor);
  const carried = await carry(
    trx,
    run,
    left.filter((record) => record.match === undefined),
  );
  const alone = exchanged.after.filter((result) => result.id !== id);
  const { opened, messages } = await openExceptionsFor(trx, run, inNeed(alone));
  const before: Before = {
    displaced: exchanged.rows,
    left: alone.map((result) => result.id),
    carried,
    opened: opened.map(({ id }) => id),
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
      created_by_type: by.type,
      created_by_id: by.id,
      created_at: new Date(manual.at),
      approved_by_type: approvedBy?.type ?? null,
      approved_by_id: approvedBy?.id ?? null,
      before: JSON.stringify(before),
    })
    .execute();
  await hold(trx, run, id, taken, retired);
  return [...resolved.messages, ...messages, ...createdMessages({ matchId: id, run, records: exchanged.match }, actor)];
};

/** A run that carries its open items forward has handed these on: where one is none any more, a later run has settled it. */
const requireStillOpen = (run: Run, displaced: readonly StoredResult[], taken: readonly KnownRecord[]): void => {
  if (!run.carriesForward) return;
  const gone = taken.find(
    ({ side, record, isItem }) =>
      !isItem && displaced.some(({ outcome, [side]: records }) => outcome === missingOn(side) && records.includes(record)),
  );
  if (gone !== undefined) throw new Refusal('conflict', `A later run has found a counterpart for the ${calledIn(gone)}.`);
};

/** Which of those that say the same each is, where one of the results is about it alone. */
const placedIn = (results: readonly StoredResult[], records: readonly SideRecord[]): Placed[] =>
  records.map(({ side, record }) => {
    const own = results.find((result) => isAlone(result) && result[side].includes(record));
    return own === undefined ? { side, record } : { side, record, occurrence: own.occurrence ?? 1 };
  });

/** Nobody has sorted them: the rules have found nothing to say about each but that it is alone. What is not due yet needs nobody. */
export const inNeed = (alone: readonly StoredResult[]): ResultInNeed[] =>
  alone
    .filter(({ dueOn }) => dueOn === null)
    .map(({ id, outcome, source, target, position, occurrence, exceptionId }) => ({
      ...{ id, outcome, source, target, position, occurrence, exception_id: exceptionId },
      ...{ category: null, reason: null, line: null, delta: null },
    }));
