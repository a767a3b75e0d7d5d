import { lockWaits, waitFor } from '@settler/harness';
import type { Executions, Fields } from './running-service.ts';

/** The act waits for the lock first, and the end of the run, which has read and written everything by then, behind it. */
export const duringRun = async (
  { database, api, must }: Executions,
  jobId: string,
  act: () => Promise<{ status: number }>,
  inputs: Readonly<Record<'source' | 'target', readonly Fields[]>>,
) => {
  const waiting = (count: number, what: string) =>
    waitFor(async () => (await database.query(`${lockWaits} and locktype = 'advisory'`)).rowCount === count, { what, timeoutMs: 20_000 });
  await database.query('begin');
  await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${jobId}`]);
  const acting = act();
  await waiting(1, 'the act to wait');
  const { id } = await must(
    202,
    api.post(`/v1/jobs/${jobId}/executions`, { source: { records: inputs.source }, target: { records: inputs.target } }),
  );
  await waiting(2, 'the end of the run to wait');
  await database.query('commit');
  const { status } = await acting;
  await waitFor(async () => ((await api.get(`/v1/executions/${id}`)).body.status === 'completed' ? true : undefined), {
    what: `the end of ${id}`,
    timeoutMs: 20_000,
  });
  return { id: id as string, status };
};
