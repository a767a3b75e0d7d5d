/** Runs of one job that take turns: in SQL, whether `other` goes before `run`, both of them names of rows of executions. */
export const goesBefore = (other: string, run: string): string =>
  `${other}.job_id = ${run}.job_id and ${other}.id <> ${run}.id and ${other}.is_serial
     and (${other}.status = 'running' or (${other}.status = 'queued' and ${other}.created_at < ${run}.created_at))`;
