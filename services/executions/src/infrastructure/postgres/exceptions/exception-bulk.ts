/** One act on many exceptions, in one transaction: whole or not at all, and each with an outcome, an entry and an event of its own. */
import type { Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { type RawBuilder, type Selectable, type SqlBool, sql, type Transaction } from 'kysely';
import type { BulkOutcome, ExceptionStore, Wanted } from '../../../application/exceptions.ts';
import type { Actor } from '../../../application/ports.ts';
import type { ExceptionFilter } from '../../../application/queries.ts';
import { takesSecond } from '../../../domain/approval.ts';
import {
  changeException,
  type ExceptionChange,
  type ExceptionState,
  type ExceptionTransition,
  isClosed,
  type Refused,
  resolveException,
} from '../../../domain/exception-life.ts';
import { lockOpenItems, setRetired } from '../open-items/open-items.ts';
import type { Database } from '../tables.ts';
import { approvalRule } from './approvals.ts';
import { matching } from './exception-filter.ts';
import { lastPosition } from './exception-history.ts';
import { messagesOf } from './exception-messages.ts';
import { stakesIn } from './exception-stakes.ts';
import { stateOf } from './exception-store.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exceptions']>;
type Chosen = Pick<Row, (typeof chosenColumns)[number]>;
interface Decided {
  readonly row: Row;
  readonly transition: ExceptionTransition;
}

/** What is done with each of them. */
interface Act {
  readonly decide: (state: ExceptionState) => ExceptionTransition | Refused;
  /** Whether it closes them: then some take a second person. */
  readonly closes: boolean;
  /** What it would change anything of; absent where that is all. */
  readonly changes?: RawBuilder<SqlBool>;
}

export const bulkItemsMax = 1_000;

export const createBulkStore = (postgres: Postgres<Database>, outbox: Outbox): Pick<ExceptionStore, 'resolveMany' | 'changeMany'> => {
  const actOn = (wanted: Wanted, act: Act, actor: Actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const { ids, hasMore } = 'ids' in wanted ? { ids: [...new Set(wanted.ids)], hasMore: false } : await idsOf(trx, wanted.filter, act);
      if (ids.length === 0) return { data: [], hasMore };
      const rows = await lockAll(trx, ids);
      const waiting = act.closes ? await takingSecond(trx, rows) : nobody;
      const decisions = rows.map((row) => ({ row, transition: waiting.has(row.id) ? ('waits' as const) : act.decide(stateOf(row)) }));
      const decided = decisions.filter(
        (decision): decision is Decided =>
          decision.transition !== 'waits' && !('refused' in decision.transition) && decision.transition.entries.length > 0,
      );
      if (decided.length > 0) {
        const after = await writeAll(trx, decided, actor);
        await outbox.append(
          trx,
          decided.flatMap(({ row, transition }) => messagesOf(row, after.get(row.id) ?? row, transition, actor)),
        );
      }
      const outcomes = new Map(decisions.map(({ row, transition }) => [row.id, outcomeOf(row, transition)]));
      return { data: ids.map((id): BulkOutcome => outcomes.get(id) ?? { id, status: null, code: 'not_found' }), hasMore };
    });

  return {
    resolveMany: (wanted, { resolution, note }, actor) =>
      actOn(wanted, { decide: (state) => resolveException(state, resolution, note), closes: true }, actor),
    changeMany: (wanted, change, actor) =>
      actOn(
        wanted,
        { decide: (state) => changeException(state, change), closes: change.status === 'dismissed', changes: isChangedBy(change) },
        actor,
      ),
  };
};

const nobody: ReadonlySet<string> = new Set();

const isChangedBy = ({ assigneeId, status, severity }: ExceptionChange): RawBuilder<SqlBool> => {
  const changes = [
    ...(assigneeId === undefined ? [] : [sql`assignee_id is distinct from ${assigneeId}`]),
    ...(status === undefined ? [] : [sql`status <> ${status}`]),
    ...(severity === undefined ? [] : [sql`(severity <> ${severity} or not severity_is_set)`]),
  ];
  return sql<SqlBool>`(${sql.join([sql`false`, ...changes], sql` or `)})`;
};

const outcomeOf = (row: Row, transition: ExceptionTransition | Refused | 'waits'): BulkOutcome => {
  if (transition === 'waits') return { id: row.id, status: row.status, code: 'approval_required' };
  return 'refused' in transition ? { id: row.id, status: row.status, code: 'conflict' } : { id: row.id, status: transition.state.status };
};

/** Those that are not closed and take a second person, or wait for one: each is to be looked at by itself. */
const takingSecond = async (trx: Trx, rows: readonly Omit<Chosen, 'created_at'>[]): Promise<ReadonlySet<string>> => {
  const open = rows.filter(({ status }) => !isClosed(status));
  const rules = new Map<string, Awaited<ReturnType<typeof approvalRule>>>();
  for (const { job_id: jobId } of open) if (!rules.has(jobId)) rules.set(jobId, await approvalRule(trx, jobId));
  const taking = open.filter((row) => {
    const rule = rules.get(row.job_id);
    return rule !== undefined && takesSecond(rule, stakesIn(row));
  });
  const pending = await trx
    .selectFrom('approvals')
    .select('exception_id')
    .where('status', '=', 'pending')
    .where('exception_id', '=', sql<string>`any(${open.map(({ id }) => id)}::text[])`)
    .execute();
  return new Set([...taking.map(({ id }) => id), ...pending.flatMap(({ exception_id: id }) => id ?? [])]);
};

/** Those on which nobody can act are few, or all of them are told of their kind: so many are looked at in search of others. */
const lookedAtMax = 20_000;

const chosenColumns = ['id', 'job_id', 'status', 'record_key', 'records', 'created_at'] as const;

/**
 * Those that have waited longest come first, but behind all that can be acted on: whoever asks again as long as there are more must come to
 * an end. Without a status only what is not closed is meant.
 */
const idsOf = async (trx: Trx, filter: ExceptionFilter, { closes, changes }: Act) => {
  const { status = ['open', 'in_progress'] } = filter;
  const found = matching(trx.selectFrom('exceptions').select(chosenColumns), { ...filter, status });
  const wanted = changes === undefined ? found : found.where(changes);
  const able: string[] = [];
  const unable: string[] = [];
  let isOver = false;
  for (let after: Chosen | undefined, lookedAt = 0; !isOver && able.length <= bulkItemsMax && lookedAt < lookedAtMax; ) {
    const rows: Chosen[] = await wanted
      .$if(after !== undefined, (query) => query.where(sql<boolean>`(created_at, id) > (${after?.created_at}, ${after?.id})`))
      .orderBy('created_at')
      .orderBy('id')
      .limit(bulkItemsMax + 1)
      .execute();
    const waiting = closes ? await takingSecond(trx, rows) : nobody;
    for (const { id, status } of rows) (waiting.has(id) || isClosed(status) ? unable : able).push(id);
    after = rows.at(-1);
    lookedAt += rows.length;
    isOver = rows.length <= bulkItemsMax;
  }
  const ids = able.slice(0, bulkItemsMax);
  return {
    ids: [...ids, ...unable.slice(0, bulkItemsMax - ids.length)],
    hasMore: able.length > ids.length || (!isOver && able.length > 0),
  };
};

/** By id, as everybody locks exceptions: two that take some of the same wait for each other, and never both. */
const lockAll = async (trx: Trx, ids: readonly string[]): Promise<Row[]> => {
  const jobs = await trx.selectFrom('exceptions').distinct().select('job_id').where('id', 'in', ids).orderBy('job_id').execute();
  for (const { job_id: jobId } of jobs) await lockOpenItems(trx, jobId, 'to change one');
  return trx.selectFrom('exceptions').selectAll().where('id', 'in', ids).orderBy('id').forUpdate().execute();
};

const writeAll = async (trx: Trx, decided: readonly Decided[], { principal }: Actor): Promise<ReadonlyMap<string, Row>> => {
  const column = <Value>(of: (one: Decided) => Value): Value[] => decided.map(of);
  const { rows } = await sql<Row>`
    update exceptions e
       set status = n.status, severity = n.severity, severity_is_set = n.severity_is_set, assignee_id = n.assignee_id, resolution = n.resolution,
           revision = revision + 1, updated_at = now()
      from unnest(${column(({ row }) => row.id)}::text[], ${column(({ transition }) => transition.state.status)}::text[],
                  ${column(({ transition }) => transition.state.severity)}::text[],
                  ${column(({ transition }) => transition.state.severityIsSet)}::boolean[],
                  ${column(({ transition }) => transition.state.assigneeId)}::text[],
                  ${column(({ transition }) => transition.state.resolution)}::text[]
           ) as n(id, status, severity, severity_is_set, assignee_id, resolution)
     where e.id = n.id
    returning e.*`.execute(trx);
  await addHistories(trx, decided, principal);
  const retired = Map.groupBy(
    decided.filter(({ transition }) => transition.record === 'retired'),
    ({ row }) => row.job_id,
  );
  for (const [jobId, those] of retired) {
    await setRetired(
      trx,
      jobId,
      those.map(({ row }) => row.record_key),
      true,
    );
  }
  return new Map(rows.map((row) => [row.id, row]));
};

const addHistories = async (trx: Trx, decided: readonly Decided[], principal: Actor['principal']): Promise<void> => {
  const lines = decided.flatMap(({ row: { id }, transition }) => transition.entries.map((entry, index) => ({ id, index, ...entry })));
  await sql`
    insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
    select id, ${principal.organizationId}, 1 + index + ${lastPosition(sql`id`)},
           now(), ${principal.kind}, ${principal.id}, action, detail
      from unnest(${lines.map(({ id }) => id)}::text[], ${lines.map(({ index }) => index)}::int[],
                  ${lines.map(({ action }) => action)}::text[], ${lines.map(({ detail }) => JSON.stringify(detail))}::jsonb[]
           ) as line(id, index, action, detail)`.execute(trx);
};
