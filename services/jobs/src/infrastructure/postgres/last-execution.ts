/**
 * Keeps each job's last execution from the events of executions. They carry the full state and are applied only if newer. A dry run is
 * none: it reconciles nothing, and may have tried other rules on other records.
 */
import type { Envelope } from '@settler/contracts/envelope';
import { executionCompleted } from '@settler/contracts/events/executions';
import { sql, type Transaction } from 'kysely';
import type { Database } from './tables.ts';

export const recordLastExecution = async (trx: Transaction<Database>, envelope: Envelope): Promise<void> => {
  const execution = executionCompleted.data.parse(envelope.data);
  if (execution.dryRun) return;
  const shown = {
    id: execution.executionId,
    status: execution.status,
    jobVersion: execution.jobVersion,
    dryRun: execution.dryRun,
    summary: execution.summary,
    error: execution.error,
    startedAt: execution.startedAt,
    completedAt: execution.completedAt,
  };
  // A later execution wins over an earlier one, a later state over an earlier one of the same execution.
  await sql`
    insert into last_executions (job_id, organization_id, execution_id, revision, created_at, execution)
    values (${execution.jobId}, ${execution.organizationId}, ${execution.executionId}, ${envelope.aggregateversion}, ${execution.createdAt}, ${JSON.stringify(shown)})
    on conflict (job_id) do update
      set execution_id = excluded.execution_id, revision = excluded.revision, created_at = excluded.created_at, execution = excluded.execution
    where (excluded.created_at, excluded.execution_id, excluded.revision)
        > (last_executions.created_at, last_executions.execution_id, last_executions.revision)`.execute(trx);
};
