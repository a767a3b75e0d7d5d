/** How a run ends: its row, what it settles for others, its event and its entry in the audit trail, in one transaction and under its epoch. */
import { faultPoint } from '@settler/chassis/faults';
import { auditMessage, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Ending, HeldExecution, LeaseStore } from '../../../application/ports.ts';
import type { Progress } from '../../../domain/execution.ts';
import { type OpenedLine, openedCount, openedLines } from '../../../domain/opened.ts';
import { rejectOvertaken } from '../exceptions/approvals.ts';
import { tellDecided, tellSettled } from '../exceptions/decided-records.ts';
import { metItems, renameParted, resolvedMessages, resolveFound, resolveMoved } from '../exceptions/earlier-exceptions.ts';
import { openExceptions } from '../exceptions/exception-writer.ts';
import { settleHandMatches } from '../matches/hand-matches.ts';
import { settleLateItems } from '../open-items/late-items.ts';
import { applyMoves } from '../open-items/open-items.ts';
import type { Database } from '../tables.ts';
import { stateEvent } from './execution-store.ts';
import { together } from './together.ts';

type Trx = Transaction<Database>;
type Completed = Extract<Ending, { readonly status: 'completed' }>;

interface Changed {
  readonly opened: number;
  /** Of what kinds. */
  readonly lines: readonly OpenedLine[];
  readonly resolved: number;
  readonly messages: readonly OutboxMessage[];
  /** Where matches by hand have changed it. */
  readonly summary?: ExecutionSummary;
}
const nothingChanged: Changed = { opened: 0, lines: [], resolved: 0, messages: [] };

interface Ended {
  readonly held: HeldExecution;
  readonly ending: Ending;
  readonly changed: Changed;
}

/** Rolls back what was settled for a run that is not this worker's any more, or that was cancelled meanwhile. */
class NotHeld extends Error {}

/** As many as end in one transaction. */
const endsMax = 32;
/** From as many on, the planner is told how they lie now: else it sorts all of them for every page. */
const analyzedFrom = 1_000;

export const createEnd = (postgres: Postgres<Database>, outbox: Outbox): LeaseStore['end'] => {
  // What settles nothing for others takes no time, and ends with whatever else ends now.
  const end = together(endsMax, (ended: readonly Ended[]) => postgres.system((trx) => writeEnds(trx, outbox, ended)));

  const settleAndEnd = async (held: HeldExecution, ending: Completed): Promise<boolean> => {
    let exceptionsChanged = 0;
    try {
      await postgres.system(async (trx) => {
        await actFor(trx, held.organizationId);
        // The row comes last: until it is written, heartbeats and a cancellation find it free, however much there is to be settled.
        const changed = await settleExceptions(trx, held, ending);
        const [hasEnded] = await writeEnds(trx, outbox, [{ held, ending, changed }]);
        if (!hasEnded) throw new NotHeld();
        exceptionsChanged = changed.opened + changed.resolved;
      });
    } catch (error) {
      if (error instanceof NotHeld) return false;
      throw error;
    }
    // Where it cannot be done now, PostgreSQL does it by itself within minutes.
    if (exceptionsChanged >= analyzedFrom) await sql`analyze exceptions`.execute(postgres.systemDb).catch(() => undefined);
    return true;
  };

  return (held, ending) =>
    ending.status === 'completed' && !held.dryRun ? settleAndEnd(held, ending) : end({ held, ending, changed: nothingChanged });
};

/** Says of each whether it has ended: not where the lease was lost or a cancellation came first. Of no execution there is more than one. */
const writeEnds = async (trx: Trx, outbox: Outbox, ended: readonly Ended[]): Promise<readonly boolean[]> => {
  const column = <Value>(of: (one: Ended) => Value): Value[] => ended.map(of);
  const completed = (of: (ending: Completed, one: Ended) => unknown) =>
    column((one) => {
      const value = one.ending.status === 'completed' ? of(one.ending, one) : null;
      return value === null ? null : JSON.stringify(value);
    });
  const errors = column(({ ending }) => (ending.status === 'failed' ? JSON.stringify(ending.error) : null));
  // Locked in one order and found by their ids, as claims are. What a run brought is not read back: it may be large. When it is over the clock
  // says, and not when this transaction has begun: what was to be settled may have taken a while.
  const { rows } = await sql<EndedRow>`
    update executions e
       set status = c.status, completed_at = clock_timestamp(), lease_owner = null, lease_until = null, waiting_for = null,
           revision = revision + 1, progress_sequence = progress_sequence + 1,
           summary = c.summary, problems = coalesce(c.problems, e.problems), control_totals = c.control_totals, report = c.report, opened = c.opened,
           error = c.error, progress = coalesce(c.progress, e.progress)
      from (select w.*
              from unnest(
                     ${column(({ held }) => held.id)}::text[], ${column(({ held }) => held.epoch)}::int[],
                     ${column(({ ending }) => ending.status)}::text[],
                     ${completed(({ summary }, { changed }) => changed.summary ?? summary)}::jsonb[],
                     ${completed(({ problems }) => problems)}::jsonb[], ${completed(({ controlTotals }) => controlTotals)}::jsonb[],
                     ${completed(({ report }) => report)}::jsonb[], ${errors}::jsonb[],
                     ${completed((_, { held, changed }) => (held.dryRun ? null : changed.lines))}::jsonb[], ${completed(doneOf)}::jsonb[]
                   ) as w(id, epoch, status, summary, problems, control_totals, report, error, opened, progress)
              join executions l on l.id = w.id
             order by l.id for update of l) as c
     where e.id = c.id and e.lease_epoch = c.epoch
       and case e.status when 'running' then c.status = 'cancelled' or e.cancel_requested_at is null end
    returning e.id, e.organization_id, e.revision, e.job_id, e.job_version, e.status, e.dry_run, e.summary, e.error, e.created_at,
              e.started_at, e.completed_at`.execute(trx);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const messages = ended.flatMap(({ held, ending, changed }) => {
    const row = rowOf.get(held.id);
    return row === undefined ? [] : [stateEvent(row), ...changed.messages, endingEntry(row, ending, changed)];
  });
  await appendAll(trx, outbox, messages);
  await forgetNoted(trx, [...rowOf.keys()]);
  if (rows.length > 0) faultPoint('executions.before-commit');
  return ended.map(({ held }) => rowOf.has(held.id));
};

/** What they have written for their ends. */
const forgetNoted = async (trx: Trx, ids: readonly string[]): Promise<void> => {
  const ofThem = sql`execution_id = any(${[...ids]}::text[])`;
  await sql`with moves as (delete from open_item_moves where ${ofThem}) delete from exception_drafts where ${ofThem}`.execute(trx);
};

/** What was told last came before the end: progress is told four times a second. */
const doneOf = ({ resultCount }: Completed): Progress => ({ stage: 'done', done: resultCount, total: resultCount });

type EndedRow = Parameters<typeof stateEvent>[0];

/** Each organization's under its own name. */
export const appendAll = async (trx: Trx, outbox: Outbox, messages: readonly OutboxMessage[]): Promise<void> => {
  for (const [organizationId, own] of Map.groupBy(messages, (message) => message.organizationId)) {
    await actFor(trx, organizationId);
    await outbox.append(trx, own);
  }
};

/** People who settle records of the job wait from the first of these on. */
const settleExceptions = async (trx: Trx, held: HeldExecution, { given, summary, seen }: Completed): Promise<Changed> => {
  await applyMoves(trx, held);
  await settleLateItems(trx, held);
  const met = await metItems(trx, held);
  const moved = await resolveMoved(trx, held, met);
  const matches = await settleHandMatches(trx, held, given, summary);
  await tellDecided(trx, held, met);
  // Where results had to make way for others, they are not where they were seen.
  const areAsWritten = matches.summary === summary;
  const still = areAsWritten ? seen : undefined;
  await tellSettled(trx, held, still);
  await renameParted(trx, held, still);
  const opened = await openExceptions(trx, held, areAsWritten);
  const resolved = [...moved, ...(await resolveFound(trx, held, still))];
  const resolvedIds = resolved.map(({ id }) => id);
  const rejected = await rejectOvertaken(trx, held.organizationId, resolvedIds, `execution ${held.id}`);
  const lines = openedLines([...opened.lines, ...matches.opened]);
  return {
    opened: openedCount(lines),
    lines,
    resolved: resolved.length,
    summary: matches.summary,
    messages: [...resolvedMessages(held, resolved), ...rejected, ...matches.messages, ...opened.messages],
  };
};

/** What a run did is in the trail as one entry, however many exceptions it opened. */
export const endingEntry = (
  row: Pick<Selectable<Database['executions']>, 'id' | 'organization_id' | 'job_id'>,
  ending: Ending,
  { opened, resolved }: Changed = nothingChanged,
): OutboxMessage =>
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
