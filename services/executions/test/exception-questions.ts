/** What tests ask of runs and of the exceptions that they leave. */
import type { Executions, Fields } from './running-service.ts';

export interface Exception {
  readonly id: string;
  readonly category: string;
  readonly status: string;
  readonly resolution: string | null;
  readonly severity: string;
  readonly amount: string | null;
  readonly records: readonly Fields[];
}

export const questionsOf = (executions: () => Executions) => {
  const exceptionsOf = (jobId: string, filter?: string): Promise<Exception[]> => executions().exceptionsOf(jobId, filter);
  const standing = async (jobId: string) =>
    (await exceptionsOf(jobId))
      .map(({ category, status, resolution, records }) =>
        [resolution ?? status, category, ...records.map(({ id, reference }) => id ?? reference)].join(' '),
      )
      .sort();
  const exceptionFor = async (jobId: string, ...ids: readonly string[]) => {
    const found = (await exceptionsOf(jobId)).find(({ records }) => records.map(({ id }) => id).join() === ids.join());
    return executions().must(200, executions().api.get(`/v1/exceptions/${found?.id}`));
  };
  const resultsOf = async (executionId: string) =>
    (await executions().must(200, executions().api.get(`/v1/executions/${executionId}/results`))).data as {
      readonly id: string;
      readonly outcome: string;
      readonly source: readonly Fields[];
      readonly target: readonly Fields[];
      readonly exceptionId: string | null;
    }[];
  const outcomesOf = async (executionId: string) =>
    (await resultsOf(executionId))
      .map(({ outcome, source, target }) => [outcome, ...[...source, ...target].map(({ id, reference }) => id ?? reference)].join(' '))
      .sort();
  const undo = async (executionId: string) => {
    const match = (await resultsOf(executionId)).find(({ outcome }) => outcome === 'matched');
    await executions().must(204, executions().api.delete(`/v1/executions/${executionId}/matches/${match?.id}`));
  };
  const reopen = async (id: string) => {
    const { status, body } = await executions().api.post(`/v1/exceptions/${id}/reopen`);
    return { status: status === 200 ? body.status : status, detail: body.detail };
  };
  return { exceptionsOf, standing, exceptionFor, resultsOf, outcomesOf, undo, reopen };
};
