import { job, must, newJob, type Party } from '../party.ts';
import { type Cases, conflict, invalid, missing, type Wanted } from './case.ts';

const moved =
  (move: 'pause' | 'resume' | 'archive', ...before: readonly string[]) =>
  async (party: Party): Promise<Wanted> => {
    const id = await newJob(party.key);
    for (const earlier of before) await must(200, party.key.post(`/v1/jobs/${id}/${earlier}`));
    return { path: `/v1/jobs/${id}/${move}` };
  };

export const jobsCases = {
  createJob: {
    status: 201,
    ask: () => ({ path: '/v1/jobs', body: job }),
    otherBody: () => ({ ...job, name: 'another' }),
    refusals: [
      invalid('rules that compare everything with everything', 'rules.matching', () => ({
        path: '/v1/jobs',
        body: { ...job, rules: { matching: [{ field: 'currency', type: 'exact' }] } },
      })),
      invalid('an adapter that does not exist', 'source.adapter', () => ({
        path: '/v1/jobs',
        body: { ...job, source: { adapter: 'abacus', config: {} } },
      })),
      invalid('a schedule that is never due', 'schedule.cron', () => ({
        path: '/v1/jobs',
        body: { ...job, schedule: { cron: '0 0 30 2 *', timezone: 'UTC' } },
      })),
      invalid('a time zone that does not exist', 'schedule.timezone', () => ({
        path: '/v1/jobs',
        body: { ...job, schedule: { cron: '0 6 * * *', timezone: 'Europe/Atlantis' } },
      })),
      invalid('a configuration that the adapter does not take', 'source.config.colour', () => ({
        path: '/v1/jobs',
        body: { ...job, source: { adapter: 'csv', config: { ...job.source.config, colour: 'red' } } },
      })),
    ],
  },
  listJobs: {
    status: 200,
    ask: () => ({ path: '/v1/jobs' }),
    refusals: [invalid('a status that no job has', 'status', () => ({ path: '/v1/jobs?status=tired' }))],
  },
  readJob: { status: 200, ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}` }) },
  updateJob: {
    status: 200,
    ask: async ({ key }) => ({ path: `/v1/jobs/${await newJob(key)}`, body: { name: 'renamed' } }),
    otherBody: () => ({ name: 'otherwise' }),
    refusals: [
      invalid('no change', '', ({ ours }) => ({ path: `/v1/jobs/${ours.jobId}`, body: {} })),
      invalid('a schedule with seconds', 'schedule.cron', ({ ours }) => ({
        path: `/v1/jobs/${ours.jobId}`,
        body: { schedule: { cron: '0 0 6 * * *', timezone: 'UTC' } },
      })),
      conflict('a job that is archived', async ({ ours }) => {
        const id = await newJob(ours.key);
        await must(200, ours.key.post(`/v1/jobs/${id}/archive`));
        return { path: `/v1/jobs/${id}`, body: { name: 'renamed' } };
      }),
    ],
  },
  pauseJob: { status: 200, ask: moved('pause'), refusals: [conflict('pausing twice', ({ ours }) => moved('pause', 'pause')(ours))] },
  resumeJob: {
    status: 200,
    ask: moved('resume', 'pause'),
    refusals: [conflict('resuming what runs', ({ ours }) => moved('resume')(ours))],
  },
  archiveJob: {
    status: 200,
    ask: moved('archive'),
    refusals: [conflict('archiving twice', ({ ours }) => moved('archive', 'archive')(ours))],
  },
  listJobVersions: { status: 200, ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}/versions` }) },
  readJobVersion: {
    status: 200,
    ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}/versions/1` }),
    refusals: [
      missing('a version that never was', ({ ours }) => ({ path: `/v1/jobs/${ours.jobId}/versions/99` })),
      missing('a version beyond all numbers', ({ ours }) => ({ path: `/v1/jobs/${ours.jobId}/versions/1e999` })),
    ],
  },
  listAdapters: { status: 200, ask: () => ({ path: '/v1/adapters' }), isFromMemory: true },
  readAdapter: {
    status: 200,
    ask: () => ({ path: '/v1/adapters/csv' }),
    isFromMemory: true,
    refusals: [missing('a name that no adapter has', () => ({ path: '/v1/adapters/abacus' }))],
  },
} satisfies Cases;
