import { describe, expect, it } from 'vitest';
import { changeJob, type Job, moveJob, newJob } from '../../src/domain/job.ts';

const schedule = { cron: '0 6 * * *', timezone: 'UTC', misfire: 'run-once' } as const;
const [yesterday, today] = [new Date('2026-03-01T12:00:00Z'), new Date('2026-03-02T06:00:03Z')];
const side = { adapter: 'records', config: {} };
const made = newJob(
  'job_1',
  'org_1',
  { name: 'daily', configuration: { source: side, target: side, rules: {} as never, schedule } },
  yesterday,
).job;

const changed = (job: Job, change: Parameters<typeof changeJob>[1]): Job => {
  const outcome = changeJob(job, change, today);
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome.job;
};

describe('the next time of a job', () => {
  const due = new Date('2026-03-02T06:00:00Z');

  it('stays, due or not, where its schedule says the same times again', () => {
    expect(made.nextRunAt).toEqual(due);
    expect(changed(made, { schedule }).nextRunAt).toEqual(due);
    expect(changed(made, { schedule: { ...schedule, misfire: 'skip' } })).toMatchObject({
      nextRunAt: due,
      configuration: { schedule: { misfire: 'skip' } },
      version: 2,
    });
    expect(changed(made, { name: 'every day' }).nextRunAt).toEqual(due);
  });

  it('is found anew where other times are said, and is none where none are', () => {
    expect(changed(made, { schedule: { ...schedule, cron: '0 7 * * *' } }).nextRunAt).toEqual(new Date('2026-03-02T07:00:00Z'));
    expect(changed(made, { schedule: { ...schedule, timezone: 'Asia/Tokyo' } }).nextRunAt).toEqual(new Date('2026-03-02T21:00:00Z'));
    expect(changed(made, { schedule: null }).nextRunAt).toBeNull();
    expect(changed(changed(made, { schedule: null }), { schedule }).nextRunAt).toEqual(new Date('2026-03-03T06:00:00Z'));
  });

  it('comes to none while the job is paused', () => {
    const paused = moveJob(made, 'pause', yesterday);
    if ('refused' in paused) throw new Error(paused.refused);
    expect([paused.job.nextRunAt, changed(paused.job, { schedule }).nextRunAt]).toEqual([null, null]);
    expect(moveJob(paused.job, 'resume', today)).toMatchObject({ job: { nextRunAt: new Date('2026-03-03T06:00:00Z') } });
  });
});
