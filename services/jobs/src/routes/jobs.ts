import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery, wholeNumber } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { jobStatus } from '@settler/contracts/events/jobs';
import { jobId } from '@settler/contracts/ids';
import { rules } from '@settler/contracts/rules';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { changeStatus } from '../application/commands/change-status.ts';
import type { createJob } from '../application/commands/create-job.ts';
import type { updateJob } from '../application/commands/update-job.ts';
import type { JobQueries } from '../application/queries.ts';
import type { Move } from '../domain/job.ts';
import { scheduleFault } from '../domain/schedule.ts';

interface Needs {
  readonly queries: JobQueries;
  readonly createJob: ReturnType<typeof createJob>;
  readonly updateJob: ReturnType<typeof updateJob>;
  readonly changeStatus: ReturnType<typeof changeStatus>;
}

const side = z.strictObject({ adapter: z.string().min(1).max(40), config: z.record(z.string(), z.unknown()) });
const schedule = z
  .strictObject({
    cron: z.string().max(200).describe('Five fields: minute, hour, day of the month, month, day of the week.'),
    timezone: z.string().max(64).describe('A time zone of the IANA database, such as `Europe/Berlin`.'),
    misfire: z
      .enum(['skip', 'run-once'])
      .default('run-once')
      .describe('What becomes of times that nobody could see to: `run-once` runs once for all of them, `skip` lets them go.'),
  })
  .superRefine((wanted, context) => {
    const fault = scheduleFault(wanted);
    if (fault !== undefined) context.addIssue({ code: 'custom', path: [fault.field], message: fault.message });
  });
const described = {
  name: z.string().trim().min(1, 'must not be empty').max(200),
  description: z.string().max(2_000).nullable().optional(),
  tags: z.array(z.string().trim().min(1).max(60)).max(20).optional(),
};
const newJobBody = z.strictObject({ ...described, source: side, target: side, rules, schedule: schedule.nullable().optional() });
const changeBody = z
  .strictObject({
    ...described,
    name: described.name.optional(),
    source: side.optional(),
    target: side.optional(),
    rules: rules.optional(),
    schedule: schedule.nullable().optional().describe('Null takes the schedule away.'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something');

const sideAnswer = z.object({ adapter: z.string(), config: z.record(z.string(), z.unknown()) });
const scheduleAnswer = z.object({ cron: z.string(), timezone: z.string(), misfire: z.enum(['skip', 'run-once']) }).nullable();
const configuration = { source: sideAnswer, target: sideAnswer, rules: z.record(z.string(), z.unknown()), schedule: scheduleAnswer };
const jobAnswer = z
  .object({
    id: jobId,
    name: z.string(),
    description: z.string().nullable(),
    tags: z.array(z.string()),
    status: jobStatus,
    version: z.number().int(),
    ...configuration,
    lastExecution: z.record(z.string(), z.unknown()).nullable().describe('The newest run that was not dry; null before the first.'),
    nextRunAt: instant.nullable().describe('When the schedule is due next; null unless the job is active and has one.'),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Job' });
const versionAnswer = z
  .object({ version: z.number().int(), ...configuration, createdBy: z.object({ type: z.string(), id: z.string() }), createdAt: instant })
  .meta({ id: 'JobVersion' });

const byId = z.object({ id: jobId });

export const jobRoutes = (endpoint: Endpoints['endpoint'], needs: Needs): void => {
  const { queries } = needs;

  const answerJob = async (status: number, organizationId: string, id: string, headers: Record<string, string> = {}) => {
    const found = await queries.read(organizationId, id);
    if (found === undefined) throw notFound('job');
    return resource(status, found.view, found.revision, headers);
  };

  endpoint('createJob', {
    body: newJobBody,
    answers: { 201: jobAnswer },
    handle: async ({ body: { source, target, rules: wanted, schedule: due = null, name, description, tags }, principal, address }) => {
      const job = await needs.createJob(
        { name, description, tags, configuration: { source, target, rules: wanted, schedule: due } },
        { principal, address },
      );
      return answerJob(201, principal.organizationId, job.id, { location: `/v1/jobs/${job.id}` });
    },
  });

  endpoint('listJobs', {
    query: z.strictObject({
      ...pageQuery,
      status: jobStatus.optional(),
      tag: z.string().min(1).max(60).optional(),
      q: z.string().min(1).max(200).optional(),
    }),
    answers: { 200: pageOf(jobAnswer) },
    handle: async ({ query, principal }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readJob', {
    params: byId,
    answers: { 200: jobAnswer },
    handle: ({ params, principal }) => answerJob(200, principal.organizationId, params.id),
  });

  endpoint('updateJob', {
    params: byId,
    body: changeBody,
    answers: { 200: jobAnswer },
    handle: async ({ params, body: change, ifMatch, principal, address }) => {
      await needs.updateJob(params.id, change, ifMatch, { principal, address });
      return answerJob(200, principal.organizationId, params.id);
    },
  });

  const moving = (move: Move) => ({
    refuses: [412],
    params: byId,
    answers: { 200: jobAnswer },
    handle: async ({ params, ifMatch, principal, address }: Input<{ id: string }>) => {
      await needs.changeStatus(params.id, move, ifMatch, { principal, address });
      return answerJob(200, principal.organizationId, params.id);
    },
  });
  endpoint('pauseJob', moving('pause'));
  endpoint('resumeJob', moving('resume'));
  endpoint('archiveJob', moving('archive'));

  endpoint('listJobVersions', {
    params: byId,
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(versionAnswer) },
    handle: async ({ params, query, principal }) => {
      const page = await queries.versions(principal.organizationId, params.id, query);
      if (page === undefined) throw notFound('job');
      return { status: 200, body: page };
    },
  });

  endpoint('readJobVersion', {
    params: z.object({ id: jobId, version: wholeNumber(1, 2_147_483_647) }),
    answers: { 200: versionAnswer },
    handle: async ({ params, principal }) => {
      const version = await queries.version(principal.organizationId, params.id, params.version);
      if (version === undefined) throw notFound('version of a job');
      return { status: 200, body: version };
    },
  });
};
