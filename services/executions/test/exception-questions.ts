/** What tests ask of runs and of the exceptions that they leave. */
import { resultsIn } from './looking-into.ts';
import { type Executions, euro, type Fields } from './running-service.ts';

/** Whom they assign exceptions to. */
export const userId = 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6';

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
  /** An order that nobody has paid, of a job of its own. */
  const withOneOpen = async (jobId: string) => {
    await executions().run(jobId, [euro('s1', '10.00')], []);
    const [exception] = await exceptionsOf(jobId);
    return { jobId, id: exception?.id as string, at: `/v1/exceptions/${exception?.id}` };
  };
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
  const { resultsOf, outcomesOf } = resultsIn(executions);
  const undo = async (executionId: string) => {
    const match = (await resultsOf(executionId)).find(({ outcome }) => outcome === 'matched');
    await executions().must(204, executions().api.delete(`/v1/executions/${executionId}/matches/${match?.id}`));
  };
  const reopen = async (id: string) => {
    const { status, body } = await executions().api.post(`/v1/exceptions/${id}/reopen`);
    return { status: status === 200 ? body.status : status, detail: body.detail };
  };
  return { exceptionsOf, withOneOpen, standing, exceptionFor, resultsOf, outcomesOf, undo, reopen };
};
