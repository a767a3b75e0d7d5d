/** Exceptions that a match by hand closes, and what its undoing makes of them. */
import type { OutboxMessage } from '@settler/chassis/outbox';
import { Refusal } from '@settler/chassis/refusal';
import type { Selectable, Transaction } from 'kysely';
import type { Actor } from '../../../application/ports.ts';
import { type ExceptionTransition, type Resolution, resolveException } from '../../../domain/exception-life.ts';
import { rejectOvertaken } from '../exceptions/approvals.ts';
import { messagesOf } from '../exceptions/exception-messages.ts';
import { addHistory, stateOf, write } from '../exceptions/exception-store.ts';
import { keyOfResult } from '../open-items/record-key.ts';
import { isAlone, type StoredResult } from '../results/stored-results.ts';
import type { Before, Database } from '../tables.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exceptions']>;

/** Those of the results that make way, and those that later runs have opened for the records themselves. */
export const resolveMatched = async (
  trx: Trx,
  jobId: string,
  match: { readonly id: string; readonly note: string | null; readonly recordKeys: readonly string[] },
  displaced: readonly StoredResult[],
  actor: Actor,
): Promise<{ readonly before: Before['resolved']; readonly messages: readonly OutboxMessage[] }> => {
  const keys = [...new Set([...displaced.map(keyOfResult), ...match.recordKeys])];
  const rows = await live(trx).where('job_id', '=', jobId).where('record_key', 'in', keys).execute();
  const messages: OutboxMessage[] = [];
  for (const row of rows) {
    const resolved = resolveException(stateOf(row), 'matched_manually', match.note);
    if ('refused' in resolved) throw new Refusal('conflict', resolved.refused);
    const { state } = resolved;
    const transition: ExceptionTransition = {
      state,
      entries: [{ action: 'resolved', detail: { resolution: 'matched_manually', note: match.note, matchId: match.id } }],
    };
    messages.push(...(await change(trx, row, transition, actor, match.id)));
  }
  messages.push(...(await overtaken(trx, rows, `match ${match.id}`)));
  return { before: rows.map(({ id, status }) => ({ id, status })), messages };
};

/**
 * What a person has settled is settled: a record that was written off, and is matched besides, would be in the books twice. One that was
 * dismissed goes on as before.
 * @throws Refusal `conflict` that names the exception
 */
export const requireUnsettled = async (trx: Trx, displaced: readonly StoredResult[]): Promise<void> => {
  const ids = displaced.filter(isAlone).flatMap(({ exceptionId }) => exceptionId ?? []);
  if (ids.length === 0) return;
  const settled = await trx
    .selectFrom('exceptions')
    .select(['id', 'resolution'])
    .where('id', 'in', ids)
    .where('status', '=', 'resolved')
    .where('resolution', 'not in', ['matched_later', 'matched_manually'])
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (settled === undefined) return;
  throw new Refusal('conflict', `One of the records is settled: ${settled.id} is ${settled.resolution}. Reopen it first, and match then.`);
};

const live = (trx: Trx) =>
  trx.selectFrom('exceptions').selectAll().where('status', 'in', ['open', 'in_progress']).orderBy('id').forUpdate();

/** Nobody is left to decide about them. */
const overtaken = async (trx: Trx, rows: readonly Row[], by: string): Promise<OutboxMessage[]> => {
  const [first] = rows;
  if (first === undefined) return [];
  const ids = rows.map(({ id }) => id);
  return rejectOvertaken(trx, first.organization_id, ids, by);
};

const change = async (
  trx: Trx,
  row: Row,
  transition: ExceptionTransition,
  actor: Actor,
  matchId: string | null,
): Promise<OutboxMessage[]> => {
  const after = await write(trx, row, transition, matchId);
  await addHistory(trx, row, transition, actor);
  return messagesOf(row, after, transition, actor);
};

/** As they were, but for one whose record has another that is open: a person works on that. `about`: only those that are about one of these. */
export const reopenMatched = async (
  trx: Trx,
  matchId: string,
  before: Before,
  actor: Actor,
  about?: ReadonlySet<string>,
): Promise<OutboxMessage[]> => {
  const rows = await trx.selectFrom('exceptions').selectAll().where('match_id', '=', matchId).orderBy('id').forUpdate().execute();
  const messages: OutboxMessage[] = [];
  for (const row of rows) {
    if (about?.has(row.record_key) === false) continue;
    const newer = await live(trx).where('job_id', '=', row.job_id).where('record_key', '=', row.record_key).executeTakeFirst();
    if (newer !== undefined) continue;
    const status = before.resolved.find(({ id }) => id === row.id)?.status ?? 'open';
    const transition: ExceptionTransition = {
      state: { ...stateOf(row), status, resolution: null },
      entries: [{ action: 'reopened', detail: { from: row.status, resolution: row.resolution, matchId } }],
    };
    messages.push(...(await change(trx, row, transition, actor, null)));
  }
  return messages;
};

/** Of records that a match had left over, and that are with their candidates again. */
export const closeOpened = async (trx: Trx, matchId: string, before: Before, actor: Actor): Promise<OutboxMessage[]> => {
  if (before.opened.length === 0) return [];
  const resolution: Resolution = 'matched_later';
  const rows = await live(trx)
    .where('id', 'in', [...before.opened])
    .execute();
  const messages = await overtaken(trx, rows, `undoing of the match ${matchId}`);
  for (const row of rows) {
    const transition: ExceptionTransition = {
      state: { ...stateOf(row), status: 'resolved', resolution },
      entries: [{ action: 'resolved', detail: { resolution, note: null, matchId } }],
    };
    messages.push(...(await change(trx, row, transition, actor, null)));
  }
  return messages;
};
