/** What the world is told of exceptions that were opened, and with the audit trail of what a person did with one. */
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import * as events from '@settler/contracts/events/executions';
import type { Selectable } from 'kysely';
import type { Actor, HeldExecution } from '../../../application/ports.ts';
import type { ExceptionEntry, ExceptionTransition } from '../../../domain/exception-life.ts';
import type { Category, Severity } from '../../../domain/exceptions.ts';
import { type OpenedLine, openedCount } from '../../../domain/opened.ts';
import { auditOf } from '../audit.ts';
import type { Database } from '../tables.ts';

type Row = Selectable<Database['exceptions']>;

/** Above this many, one event takes the place of all: a flood helps nobody. */
export const eventsMax = 1_000;

export interface Opened {
  readonly id: string;
  readonly category: Category;
  readonly severity: Severity;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly firstSeenAt: Date;
}

export const messagesOf = (before: Row, after: Row, { entries }: ExceptionTransition, actor: Actor): OutboxMessage[] => [
  ...entries.flatMap((entry) => eventOf(after, entry)),
  auditOf(
    { action: auditActionOf(entries), resource: { type: 'exception', id: after.id }, before: auditView(before), after: auditView(after) },
    actor,
  ),
];

const eventOf = (row: Row, entry: ExceptionEntry): OutboxMessage[] => {
  const about = { organizationId: row.organization_id, aggregateId: row.id, aggregateVersion: Number(row.revision) };
  const of = { exceptionId: row.id, organizationId: row.organization_id, jobId: row.job_id };
  switch (entry.action) {
    case 'assigned':
      return [eventMessage(events.exceptionAssigned, about, { ...of, assigneeId: entry.detail.to, formerAssigneeId: entry.detail.from })];
    case 'dismissed':
      return [eventMessage(events.exceptionDismissed, about, { ...of, status: 'dismissed' })];
    case 'resolved':
      return [
        eventMessage(events.exceptionResolved, about, {
          ...of,
          executionId: null,
          status: 'resolved',
          resolution: entry.detail.resolution,
        }),
      ];
    case 'reopened':
      return [eventMessage(events.exceptionReopened, about, { ...of, status: 'open', formerResolution: entry.detail.resolution })];
    case 'status_changed':
    case 'severity_changed':
    // These are told as what they are: events of the approval.
    case 'approval_requested':
    case 'approval_rejected':
    case 'approval_withdrawn':
      return [];
  }
};

const auditActionOf = (entries: readonly ExceptionEntry[]) => {
  const [first] = entries;
  if (first?.action === 'resolved') return 'exception.resolved';
  return first?.action === 'reopened' ? 'exception.reopened' : 'exception.updated';
};

// Notes and comments stay with the exception: they may name people.
const auditView = ({ status, severity, assignee_id: assigneeId, resolution }: Row) => ({ status, severity, assigneeId, resolution });

/** Of one execution: the messages that tell of them are few, whatever the number. `opened`: each of them, where they are few. */
export const openedMessages = (
  held: Pick<HeldExecution, 'id' | 'organizationId' | 'jobId'>,
  lines: readonly OpenedLine[],
  opened: readonly Opened[],
): OutboxMessage[] => {
  const { organizationId, jobId, id: executionId } = held;
  if (opened.length > eventsMax) {
    const byCategory: Record<string, number> = {};
    for (const { category, count } of lines) byCategory[category] = (byCategory[category] ?? 0) + count;
    const link = `/v1/exceptions?jobId=${jobId}`;
    return [
      eventMessage(
        events.exceptionBulkOpened,
        { organizationId, aggregateId: executionId, aggregateVersion: 1 },
        { organizationId, jobId, executionId, count: openedCount(lines), byCategory, link },
      ),
    ];
  }
  return opened.map(({ id, category, severity, amount, currency, firstSeenAt }) =>
    eventMessage(
      events.exceptionOpened,
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
