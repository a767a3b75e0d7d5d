/** Opens the exceptions of an execution that just completed, from its stored results: one open exception per record, ever. */

import { newId } from '@settler/chassis/ids';
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import { exceptionBulkOpened, exceptionOpened } from '@settler/contracts/events/executions';
import { exponentOf, toMinor } from '@settler/contracts/money';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../application/ports.ts';
import { type Category, categoryOf, type Severity, severityOf } from '../../domain/exceptions.ts';
import { firstSeenOf } from './open-items.ts';
import { partition } from './partition.ts';
import { recordKey } from './record-key.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;
type Result = Pick<Selectable<Database['results']>, 'id' | 'outcome' | 'category' | 'reason' | 'line' | 'source' | 'target' | 'position'>;

const batchRows = 1_000;
/** Above this many, one event takes the place of all: a flood helps nobody. */
const eventsMax = 1_000;

interface Opened {
  readonly id: string;
  readonly category: Category;
  readonly severity: Severity;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly firstSeenAt: Date;
}

/** How many were opened, and the messages that tell of them, which are few, whatever the number. */
export const openExceptions = async (trx: Trx, held: HeldExecution): Promise<{ count: number; messages: OutboxMessage[] }> => {
  const opened: Opened[] = [];
  for (let after = -1; ; ) {
    const results = await nextResults(trx, held, after);
    const last = results.at(-1);
    if (last === undefined) break;
    after = last.position;
    opened.push(...(await insertBatch(trx, held, results)));
  }
  return { count: opened.length, messages: messagesFor(held, opened) };
};

const nextResults = (trx: Trx, { id, createdAt }: HeldExecution, after: number): Promise<Result[]> =>
  trx
    .selectFrom('results')
    .select(['id', 'outcome', 'category', 'reason', 'line', 'source', 'target', 'position'])
    .where('execution_id', '=', id)
    .where('created_at', '=', createdAt)
    .where('outcome', '<>', 'matched')
    .where('due_on', 'is', null)
    .where('position', '>', after)
    .orderBy('position')
    .limit(batchRows)
    .execute();

const insertBatch = async (trx: Trx, held: HeldExecution, results: readonly Result[]): Promise<Opened[]> => {
  const candidates = results.flatMap((result) => {
    const category = categoryOf(result.outcome, result.category ?? undefined);
    return category === undefined ? [] : [candidateOf(held, result, category)];
  });
  if (candidates.length === 0) return [];
  const firstSeen = await firstSeenOf(
    trx,
    held.jobId,
    candidates.map(({ record_key }) => record_key),
  );
  const inserted = await trx
    .insertInto('exceptions')
    // A record that was not due yet when it came in has been waiting since then.
    .values(
      candidates.map(({ resultId: _result, ...row }) => ({ ...row, first_seen_at: firstSeen.get(row.record_key) ?? row.first_seen_at })),
    )
    .onConflict((conflict) => conflict.columns(['job_id', 'record_key']).where('status', 'in', ['open', 'in_progress']).doNothing())
    .returning(['id', 'category', 'severity', 'amount', 'currency', 'first_seen_at'])
    .execute();
  const isNew = new Set(inserted.map(({ id }) => id));
  const history = candidates.filter(({ id }) => isNew.has(id));
  if (history.length > 0) {
    await trx
      .insertInto('exception_history')
      .values(
        history.map(({ id, created_at, resultId }) => ({
          exception_id: id,
          organization_id: held.organizationId,
          position: 1,
          at: created_at,
          actor_type: 'system',
          actor_id: 'system',
          action: 'opened',
          detail: JSON.stringify({ executionId: held.id, resultId }),
        })),
      )
      .execute();
  }
  await linkResults(trx, held, candidates);
  return inserted.map((row) => ({
    id: row.id,
    category: row.category as Category,
    severity: row.severity as Severity,
    amount: row.amount,
    currency: row.currency,
    firstSeenAt: row.first_seen_at,
  }));
};

/** Each result points at the exception that is open for its record, whichever execution opened it. */
const linkResults = async (
  trx: Trx,
  { createdAt, jobId }: HeldExecution,
  candidates: readonly { resultId: string; record_key: string }[],
): Promise<void> => {
  const open = await trx
    .selectFrom('exceptions')
    .select(['id', 'record_key'])
    .where('job_id', '=', jobId)
    .where('status', 'in', ['open', 'in_progress'])
    .where('record_key', 'in', [...new Set(candidates.map(({ record_key }) => record_key))])
    .execute();
  const exceptionOf = new Map(open.map((row) => [row.record_key, row.id]));
  const linked = candidates.filter(({ record_key }) => exceptionOf.has(record_key));
  // By the primary key and nothing else: just after a COPY nothing is known of the table, and by the execution's own index each link
  // would look at every result of the run.
  await sql`
    update ${sql.table(partition('results', createdAt))} r set exception_id = c.exception_id
      from unnest(${linked.map(({ resultId }) => resultId)}::text[], ${linked.map(({ record_key }) => exceptionOf.get(record_key))}::text[]) as c(result_id, exception_id)
     where r.created_at = ${createdAt} and r.id = c.result_id`.execute(trx);
};

const candidateOf = (held: HeldExecution, result: Result, category: Category) => {
  const records = [...result.source, ...result.target] as Record<string, unknown>[];
  const [first = {}] = records;
  const currency = typeof first['currency'] === 'string' ? first['currency'] : null;
  const text = typeof first['amount'] === 'string' ? first['amount'] : null;
  const exponent = exponentOf(currency ?? '');
  const amountMinor = text === null ? null : toMinor(text, exponent);
  const now = new Date();
  return {
    resultId: result.id,
    id: newId('exception'),
    organization_id: held.organizationId,
    job_id: held.jobId,
    execution_id: held.id,
    record_key: recordKey(result),
    category,
    severity: severityOf(category, amountMinor, exponent),
    status: 'open' as const,
    records: JSON.stringify(records),
    amount: amountMinor === null ? null : text,
    currency,
    reason: result.reason,
    first_seen_at: now,
    created_at: now,
    updated_at: now,
  };
};

const messagesFor = (held: HeldExecution, opened: readonly Opened[]): OutboxMessage[] => {
  const { organizationId, jobId, id: executionId } = held;
  if (opened.length > eventsMax) {
    const byCategory = Object.fromEntries(
      [...Map.groupBy(opened, ({ category }) => category)].map(([category, items]) => [category, items.length]),
    );
    const link = `/v1/exceptions?jobId=${jobId}`;
    return [
      eventMessage(
        exceptionBulkOpened,
        { organizationId, aggregateId: executionId, aggregateVersion: 1 },
        { organizationId, jobId, executionId, count: opened.length, byCategory, link },
      ),
    ];
  }
  return opened.map(({ id, category, severity, amount, currency, firstSeenAt }) =>
    eventMessage(
      exceptionOpened,
      { organizationId, aggregateId: id, aggregateVersion: 1 },
      {
        exceptionId: id,
        organizationId,
        jobId,
        executionId,
        category,
        severity,
        status: 'open',
        amount,
        currency,
        firstSeenAt: firstSeenAt.toISOString(),
      },
    ),
  );
};
