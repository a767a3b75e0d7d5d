/** What the world and the audit trail are told of matches by hand. */
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import { matchCreated, matchRemoved } from '@settler/contracts/events/executions';
import type { Actor } from '../../../application/ports.ts';
import { differenceOf } from '../../../domain/hand-match.ts';
import { auditOf } from '../audit.ts';
import type { Run, StoredResult } from '../results/stored-results.ts';

interface About {
  readonly matchId: string;
  readonly run: Pick<Run, 'id' | 'organizationId' | 'jobId'>;
  readonly records: Pick<StoredResult, 'source' | 'target'>;
}

const dataOf = ({ matchId, run, records }: About) => ({
  matchId,
  organizationId: run.organizationId,
  jobId: run.jobId,
  executionId: run.id,
  sourceRecords: records.source.length,
  targetRecords: records.target.length,
});

const aggregate = ({ matchId, run }: About, version: number) => ({
  organizationId: run.organizationId,
  aggregateId: matchId,
  aggregateVersion: version,
});

export const createdMessages = (about: About, actor: Actor): OutboxMessage[] => {
  const { matchId, organizationId: _, ...after } = dataOf(about);
  return [
    eventMessage(matchCreated, aggregate(about, 1), { ...dataOf(about), difference: differenceOf(about.records).amount }),
    auditOf({ action: 'match.created', resource: { type: 'match', id: matchId }, after }, actor),
  ];
};

export const removedMessage = (about: About, reason: 'undone' | 'record_changed'): OutboxMessage =>
  eventMessage(matchRemoved, aggregate(about, 2), { ...dataOf(about), reason });

export const undoneMessages = (about: About, actor: Actor): OutboxMessage[] => {
  const { matchId, organizationId: _, ...before } = dataOf(about);
  return [
    removedMessage(about, 'undone'),
    auditOf({ action: 'match.removed', resource: { type: 'match', id: matchId }, before, after: { reason: 'undone' } }, actor),
  ];
};
