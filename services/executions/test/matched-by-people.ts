/** The service with jobs whose records people match, and what those people do. */
import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { afterAll, beforeAll } from 'vitest';
import { lookingInto, manualReview, unclear } from './looking-into.ts';
import { type Executions, shareExecutions } from './running-service.ts';

const byPayout = {
  passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
};

/** Runs from before the first test of a file to after its last. */
export const matchedByPeople = () => {
  let jobs = 0;
  const newJobId = (): string => {
    jobs += 1;
    return `job_01jqv8m0c4e7r9t2w5y8a4${String(jobs).padStart(4, '0')}`;
  };
  /** Jobs whose payouts are many orders each. */
  const grouped = new Set<string>();
  /** Jobs whose runs know nothing of each other. */
  const forgetful = new Set<string>();
  /** Jobs whose records may come for years before they are missing. */
  const patient = new Set<string>();

  let running: Executions;
  let opened: Postgres<ChassisTables>;
  beforeAll(async () => {
    running = await shareExecutions((jobId) => ({
      ...(grouped.has(jobId) ? byPayout : manualReview),
      openItems: { carryForward: !forgetful.has(jobId), ...(patient.has(jobId) ? { expectWithin: { after: 3_660 } } : {}) },
    }));
    opened = running.openPostgres();
  });
  afterAll(async () => {
    await opened?.close();
    await running?.stop();
  });

  const executions = (): Executions => running;
  const postgres = (): Postgres<ChassisTables> => opened;
  const match = (executionId: string, source: readonly string[], target: readonly string[], note?: string) =>
    running.api.post(`/v1/executions/${executionId}/matches`, { source, target, note });
  const undo = (executionId: string, resultId: string) => running.api.delete(`/v1/executions/${executionId}/matches/${resultId}`);
  const withUnclear = async () => {
    const jobId = newJobId();
    const { id } = await running.run(jobId, unclear.source, unclear.target);
    return { jobId, id: id as string };
  };
  return { executions, newJobId, grouped, forgetful, patient, match, undo, withUnclear, postgres, ...lookingInto(executions, postgres) };
};
