/**
 * A match by hand that holds no longer, because one of its records says something else now: nobody has decided about that. What the run has
 * of its records tells whether they need somebody; what it has not of them is open again, and takes part in the next run.
 */
import { isDeepStrictEqual } from 'node:util';
import type { OutboxMessage } from '@settler/chassis/outbox';
import type { Selectable, Transaction } from 'kysely';
import { systemActor } from '../../../application/system-actor.ts';
import { missingOn } from '../../../domain/hand-match.ts';
import type { Side } from '../../../domain/side.ts';
import type { Fields } from '../../../domain/stake.ts';
import { auditOf } from '../audit.ts';
import type { Opened } from '../exceptions/exception-messages.ts';
import { openExceptionsFor, type ResultInNeed } from '../exceptions/exception-writer.ts';
import { type Run, resultsHolding } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { reopenMatched } from './match-exceptions.ts';
import { release } from './match-exchange.ts';
import { removedMessage } from './match-messages.ts';
import { carry, mayBe, recordsOfMatches } from './match-records.ts';

type Trx = Transaction<Database>;
type MatchRow = Pick<Selectable<Database['matches']>, 'id' | 'execution_id'>;
type MatchRecord = Awaited<ReturnType<typeof recordsOfMatches>>[number];

/** What it leaves open, and what is told of it. */
export interface EndedMatch {
  readonly opened: readonly Opened[];
  readonly messages: readonly OutboxMessage[];
}

export const endChanged = async (trx: Trx, run: Run, row: MatchRow): Promise<EndedMatch> => {
  const records = await recordsOfMatches(trx, [row.id]);
  const actor = systemActor('executions', run.organizationId);
  await release(trx, run.jobId, row.id, 'record_changed', { type: actor.principal.kind, id: actor.principal.id });
  const found = await resultsHolding(trx, run, records);
  const absent = records.filter(
    (known) => !found.some((result) => mayBe(result, known) && result[known.side].some((other) => isTheSame(other, known.record))),
  );
  const { before } = await trx.selectFrom('matches').select('before').where('id', '=', row.id).executeTakeFirstOrThrow();
  const reopened = await reopenMatched(trx, row.id, before, actor, new Set(absent.map(({ recordKey }) => recordKey)));
  const { opened, messages } = await openLeft(trx, run, row, absent);
  const of = (side: Side) => records.flatMap((record) => (record.side === side ? [record.record] : []));
  const about = { matchId: row.id, run: { ...run, id: row.execution_id }, records: { source: of('source'), target: of('target') } };
  const after = { reason: 'record_changed', executionId: run.id };
  const entry = auditOf({ action: 'match.removed', resource: { type: 'match', id: row.id }, after }, actor);
  return { opened, messages: [...reopened, ...messages, removedMessage(about, 'record_changed'), entry] };
};

/**
 * Those that were in a result with others before the match: no open items, which the end of the match would have restored, and with no
 * exception of their own that could be reopened. That of the others is about records that say something else now.
 */
const openLeft = async (trx: Trx, run: Run, { id }: MatchRow, absent: readonly MatchRecord[]): Promise<EndedMatch> => {
  if (absent.length === 0) return { opened: [], messages: [] };
  const items = await trx
    .selectFrom('open_items')
    .select('identity')
    .where('job_id', '=', run.jobId)
    .where(
      'identity',
      'in',
      absent.map(({ identity }) => identity),
    )
    .execute();
  const isItem = new Set(items.map(({ identity }) => identity));
  const left = absent.filter(({ identity }) => !isItem.has(identity));
  await carry(trx, run, left);
  const inNeed = left.filter(({ record }) => run.dueOn(record) === null).map((record) => inNoResult(id, record));
  return openExceptionsFor(trx, run, inNeed);
};

/** The run has not had it: what tells of it is the match that has ended. */
const inNoResult = (matchId: string, { side, record, occurrence }: MatchRecord): ResultInNeed => ({
  ...{ id: matchId, outcome: missingOn(side), position: -1, occurrence, exception_id: null },
  ...{ category: null, reason: null, line: null, delta: null },
  source: side === 'source' ? [record] : [],
  target: side === 'target' ? [record] : [],
});

/** In whichever version. */
const isTheSame = (one: Fields, other: Fields): boolean =>
  other['id'] === undefined ? isDeepStrictEqual(one, other) : one['id'] === other['id'];
