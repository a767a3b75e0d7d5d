import { z } from 'zod';
import { type ExecutionSummary, executionSummary } from '../executions.ts';
import { approvalId, exceptionId, executionId, jobId, organizationId, resultId, userId } from '../ids.ts';
import { total } from '../money.ts';
import { instant } from '../time.ts';
import { defineEvent } from './define.ts';

export const executionStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export const executionStatus = z.enum(executionStatuses);

// The full state, because the jobs service keeps a copy of the last run from these events and applies whichever is newest.
const execution = z.object({
  executionId,
  organizationId,
  jobId,
  jobVersion: z.number().int().positive(),
  status: executionStatus,
  dryRun: z.boolean(),
  summary: executionSummary.nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  completedAt: instant.nullable(),
});

const queued = {
  executionId: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  jobId: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6',
  jobVersion: 1,
  status: 'queued' as const,
  dryRun: false,
  summary: null,
  error: null,
  createdAt: '2026-04-01T09:30:00.000Z',
  startedAt: null,
  completedAt: null,
};
const started = { ...queued, status: 'running' as const, startedAt: '2026-04-01T09:30:00.020Z' };
const over = { ...started, completedAt: '2026-04-01T09:30:01.100Z' };
const counts = {
  source: { records: 3, amount: '60.00' },
  target: { records: 2, amount: '30.00' },
  matched: 2,
  mismatched: 0,
  missingInTarget: 1,
  missingInSource: 0,
  duplicates: 0,
  ambiguous: 0,
  invalid: 0,
};
/** As examples show it: two orders of three are paid. */
export const exampleSummary: ExecutionSummary = { ...counts, matchRate: 0.6667, byCurrency: { EUR: counts } };

const executionEvent = (event: string, description: string, example: z.infer<typeof execution>) =>
  defineEvent({ type: `execution.${event}`, major: 1, service: 'executions', description, data: execution, example });

export const executionQueued = executionEvent('queued', 'An execution was accepted and waits for a worker.', queued);
export const executionStarted = executionEvent('started', 'A worker began an execution.', started);
export const executionCompleted = executionEvent('completed', 'An execution ended and its results can be read.', {
  ...over,
  status: 'completed',
  summary: exampleSummary,
});
export const executionFailed = executionEvent('failed', 'An execution ended without results; `error` says why.', {
  ...over,
  status: 'failed',
  error: { code: 'no_such_column', message: 'source, line 1: there is no column "Total"; the file has Name, Amount' },
});
export const executionCancelled = executionEvent('cancelled', 'An execution was cancelled before it ended.', {
  ...over,
  status: 'cancelled',
});

export const exceptionCategory = z.enum([
  'missing_in_target',
  'missing_in_source',
  'amount_mismatch',
  'date_mismatch',
  'field_mismatch',
  'duplicate',
  'ambiguous',
  'invalid_record',
  'fee_mismatch',
]);

export const exceptionSeverity = z.enum(['low', 'medium', 'high', 'critical']);

/** What a person may say; that the counterpart came later is for the system alone to say. */
export const manualResolution = z.enum(['matched_manually', 'written_off', 'expected_timing', 'duplicate', 'corrected_at_source', 'other']);
export const exceptionResolution = z.enum(['matched_later', ...manualResolution.options]);

export const exceptionOpened = defineEvent({
  type: 'exception.opened',
  major: 1,
  service: 'executions',
  description: 'A record needs a person: it is missing, differs, is a duplicate, is ambiguous or cannot be read.',
  data: z.object({
    exceptionId,
    organizationId,
    jobId,
    executionId,
    category: exceptionCategory,
    severity: exceptionSeverity,
    status: z.literal('open'),
    amount: total.nullable(),
    currency: z.string().nullable(),
    firstSeenAt: instant,
  }),
  example: {
    exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    executionId: queued.executionId,
    category: 'missing_in_target',
    severity: 'medium',
    status: 'open',
    amount: '30.00',
    currency: 'EUR',
    firstSeenAt: '2026-04-01T09:30:01.000Z',
  },
});

export const exceptionResolved = defineEvent({
  type: 'exception.resolved',
  major: 1,
  service: 'executions',
  description: 'An exception needs nobody any more. `matched_later`: the counterpart came, in the execution that is named.',
  data: z.object({
    exceptionId,
    organizationId,
    jobId,
    /** The one that found the counterpart; null where a person resolved it. */
    executionId: executionId.nullable(),
    status: z.literal('resolved'),
    resolution: exceptionResolution,
  }),
  example: {
    exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    executionId: queued.executionId,
    status: 'resolved',
    resolution: 'matched_later',
  },
});

export const exceptionAssigned = defineEvent({
  type: 'exception.assigned',
  major: 1,
  service: 'executions',
  description: 'An exception was given to somebody, or to nobody any more.',
  data: z.object({
    exceptionId,
    organizationId,
    jobId,
    /** Null where it is nobody's now. */
    assigneeId: userId.nullable(),
    formerAssigneeId: userId.nullable(),
  }),
  example: {
    exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    assigneeId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6',
    formerAssigneeId: null,
  },
});

export const exceptionDismissed = defineEvent({
  type: 'exception.dismissed',
  major: 1,
  service: 'executions',
  description: 'An exception was put aside as one that needs nobody, without its record being settled.',
  data: z.object({ exceptionId, organizationId, jobId, status: z.literal('dismissed') }),
  example: {
    exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    status: 'dismissed',
  },
});

export const exceptionReopened = defineEvent({
  type: 'exception.reopened',
  major: 1,
  service: 'executions',
  description: 'A resolved or dismissed exception needs a person again.',
  data: z.object({
    exceptionId,
    organizationId,
    jobId,
    status: z.literal('open'),
    /** How it had been resolved; null where it had been dismissed. */
    formerResolution: exceptionResolution.nullable(),
  }),
  example: {
    exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    status: 'open',
    formerResolution: 'written_off',
  },
});

export const exceptionBulkResolved = defineEvent({
  type: 'exception.bulk_resolved',
  major: 1,
  service: 'executions',
  description: 'One execution resolved more than 1,000 exceptions; this takes the place of that many exception.resolved.',
  data: z.object({
    organizationId,
    jobId,
    executionId,
    resolution: z.literal('matched_later'),
    count: z.number().int().positive(),
    /** The path of the list that holds them. */
    link: z.string(),
  }),
  example: {
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    executionId: queued.executionId,
    resolution: 'matched_later',
    count: 1200,
    link: '/v1/exceptions?jobId=job_01jqv8m0c4e7r9t2w5y8a1b3d6&status=resolved',
  },
});

export const exceptionBulkOpened = defineEvent({
  type: 'exception.bulk_opened',
  major: 1,
  service: 'executions',
  description: 'One execution opened more than 1,000 exceptions; this takes the place of that many exception.opened.',
  data: z.object({
    organizationId,
    jobId,
    executionId,
    count: z.number().int().positive(),
    byCategory: z.partialRecord(exceptionCategory, z.number().int().positive()),
    /** The path of the list that holds them. */
    link: z.string(),
  }),
  example: {
    organizationId: queued.organizationId,
    jobId: queued.jobId,
    executionId: queued.executionId,
    count: 1200,
    byCategory: { missing_in_target: 1150, amount_mismatch: 50 },
    link: '/v1/exceptions?jobId=job_01jqv8m0c4e7r9t2w5y8a1b3d6',
  },
});

const matched = {
  /** The result that the match was made as, in the execution that is named. */
  matchId: resultId,
  organizationId,
  jobId,
  executionId,
  sourceRecords: z.number().int().positive(),
  targetRecords: z.number().int().positive(),
};
const matchExample = {
  matchId: 'res_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: queued.organizationId,
  jobId: queued.jobId,
  executionId: queued.executionId,
  sourceRecords: 1,
  targetRecords: 2,
};

export const matchCreated = defineEvent({
  type: 'match.created',
  major: 1,
  service: 'executions',
  description: 'Somebody matched records by hand. What the rules match is told by no event.',
  data: z.object({
    ...matched,
    /** Target − source; null where the sides have no one currency. */
    difference: total.nullable(),
  }),
  example: { ...matchExample, difference: '-0.30' },
});

export const matchRemoved = defineEvent({
  type: 'match.removed',
  major: 1,
  service: 'executions',
  description:
    'A match holds no longer: somebody undid it, whether it was made by hand or by the rules, or a run found a record of one by hand changed.',
  data: z.object({
    ...matched,
    /** 0 of a side that had none: a record may keep a match whose others are in an earlier execution. */
    sourceRecords: z.number().int().nonnegative(),
    targetRecords: z.number().int().nonnegative(),
    reason: z.enum(['undone', 'record_changed']),
  }),
  example: { ...matchExample, reason: 'undone' },
});

export const approvalKind = z.enum(['resolve', 'match']);
export const approvalStatus = z.enum(['pending', 'approved', 'rejected', 'withdrawn']);

const approval = {
  approvalId,
  organizationId,
  jobId,
  executionId,
  kind: approvalKind,
  /** Of `resolve`: what is to be resolved. */
  exceptionId: exceptionId.nullable(),
  amount: total.nullable(),
  currency: z.string().nullable(),
};
const approvalExample = {
  approvalId: 'apr_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: queued.organizationId,
  jobId: queued.jobId,
  executionId: queued.executionId,
  kind: 'resolve' as const,
  exceptionId: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6',
  amount: '12500.00',
  currency: 'EUR',
};

export const approvalRequested = defineEvent({
  type: 'approval.requested',
  major: 1,
  service: 'executions',
  description: 'Somebody settled by hand what takes a second person above its amount; it waits for that one.',
  data: z.object({ ...approval, status: z.literal('pending') }),
  example: { ...approvalExample, status: 'pending' },
});

export const approvalDecided = defineEvent({
  type: 'approval.decided',
  major: 1,
  service: 'executions',
  description:
    'A second person approved what somebody had settled by hand, and it was done; or rejected it, and it was not. A run that resolves the exception rejects it, too.',
  data: z.object({ ...approval, status: z.enum(['approved', 'rejected']) }),
  example: { ...approvalExample, status: 'approved' },
});

export const approvalWithdrawn = defineEvent({
  type: 'approval.withdrawn',
  major: 1,
  service: 'executions',
  description: 'Whoever had settled by hand what takes a second person withdrew it before one had decided; it was not done.',
  data: z.object({ ...approval, status: z.literal('withdrawn') }),
  example: { ...approvalExample, status: 'withdrawn' },
});
