import { catalogue, catalogueEntry } from '@settler/adapters/catalogue';
import type { Endpoints, Input } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery, wholeNumber } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
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
import { job, jobChanges, jobVersion, newJob, newJobs } from './job-examples.ts';

interface Needs {
  readonly queries: JobQueries;
  readonly createJob: ReturnType<typeof createJob>;
  readonly updateJob: ReturnType<typeof updateJob>;
  readonly changeStatus: ReturnType<typeof changeStatus>;
}

let known: readonly object[] | undefined;
/**
 * For readers: which adapter it is and whether its configuration holds, the command says, with the path of each fault. Made when somebody
 * reads the reference, because it takes as long as the rest of this file.
 */
const sidesByAdapter = (): readonly object[] => {
  known ??= catalogue.map(catalogueEntry).map(({ name, title, configSchema: { $schema, ...config } }) => ({
    title,
    type: 'object',
    required: ['adapter', 'config'],
    properties: { adapter: { const: name }, config },
  }));
  return known;
};
const side = z
  .strictObject({
    adapter: z.string().min(1).max(40).describe('One of `GET /v1/adapters`.'),
    config: z.record(z.string(), z.unknown()).describe('How to read it, as the adapter’s own schema has it.'),
  })
  .meta({
    id: 'JobSide',
    description:
      'Where the records of one side come from. The adapter checks its configuration when the job is saved; what it says of an input is read anew by every run. A run may bring the input itself, and then the job names none.',
    get oneOf() {
      return sidesByAdapter();
    },
  });
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
  name: z.string().trim().min(1, 'must not be empty').max(200).describe('For people; it need not be unique.'),
  description: z.string().max(2_000).nullable().optional().describe('For people; null for none.'),
  tags: z.array(z.string().trim().min(1).max(60)).max(20).optional().describe('Words to find jobs by. The list replaces the one before.'),
};
const newJobBody = z.strictObject({
  ...described,
  source: side.describe('What should have been paid, booked or delivered. Tolerances and fees are reckoned from this side.'),
  target: side.describe('What it is held against.'),
  rules,
  schedule: schedule.nullable().optional().describe('When it runs by itself. Null or absent: by hand alone.'),
});
const changeBody = z
  .strictObject({
    ...described,
    name: described.name.optional(),
    source: side.optional().describe('As a whole: what is left out of the configuration is gone.'),
    target: side.optional().describe('As a whole, as `source`.'),
    rules: rules.optional().describe('As a whole: what is left out is at its default.'),
    schedule: schedule.nullable().optional().describe('Null takes the schedule away.'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something');

const sideAnswer = z.object({
  adapter: z.string().describe('One of `GET /v1/adapters`.'),
  config: z.record(z.string(), z.unknown()).describe('As it was sent.'),
});
const scheduleAnswer = z
  .object({
    cron: z.string().describe('Minute, hour, day of the month, month, day of the week.'),
    timezone: z.string().describe('A time zone of the IANA database.'),
    misfire: z.enum(['skip', 'run-once']).describe('What becomes of times that nobody could see to.'),
  })
  .nullable()
  .describe('When it runs by itself; null where it runs by hand alone.');
const configuration = {
  source: sideAnswer.describe('Where the records of the source come from.'),
  target: sideAnswer.describe('Where the records of the target come from.'),
  rules: z
    .record(z.string(), z.unknown())
    .describe('In their long form, with every default filled in: what was sent as `matching` is a pass of that name.'),
  schedule: scheduleAnswer,
};
const jobAnswer = z
  .object({
    id: jobId,
    name: z.string().describe('For people.'),
    description: z.string().nullable().describe('For people.'),
    tags: z.array(z.string()).describe('Words to find it by.'),
    status: jobStatus.describe('`active` runs by schedule and by hand, `paused` by hand alone, `archived` no more.'),
    version: z.number().int().describe('Counts its configurations, from 1. Each is kept.'),
    ...configuration,
    lastExecution: z.record(z.string(), z.unknown()).nullable().describe('The newest run that was not dry; null before the first.'),
    nextRunAt: instant.nullable().describe('When the schedule is due next; null unless the job is active and has one.'),
    createdAt: instant,
    updatedAt: instant.describe('When anything of it was changed last.'),
  })
  .meta({ id: 'Job' });
const versionAnswer = z
  .object({
    version: z.number().int().describe('Its number, from 1.'),
    ...configuration,
    createdBy: actor.describe('Who made this configuration.'),
    createdAt: instant.describe('Since when it is the job’s, until the next one.'),
  })
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
    description:
      'The job is active at once, at version 1, and runs when its schedule is due or when somebody runs it. Adapters, configurations and rules are checked before it is saved: `validation_failed` names every fault at its path. A file that is named is not looked at before the first run.',
    body: newJobBody,
    answers: { 201: jobAnswer },
    examples: { bodies: newJobs, answers: { 201: newJob } },
    handle: async ({ body: { source, target, rules: wanted, schedule: due = null, name, description, tags }, principal, address }) => {
      const job = await needs.createJob(
        { name, description, tags, configuration: { source, target, rules: wanted, schedule: due } },
        { principal, address },
      );
      return answerJob(201, principal.organizationId, job.id, { location: `/v1/jobs/${job.id}` });
    },
  });

  endpoint('listJobs', {
    description:
      'Newest first, archived ones included unless `status` says otherwise. A page ends early where its configurations are long, as inline records are; `nextCursor` goes on.',
    query: z.strictObject({
      ...pageQuery,
      status: jobStatus.optional().describe('Only jobs of this status.'),
      tag: z.string().min(1).max(60).optional().describe('Only jobs that have exactly this tag.'),
      q: z.string().min(1).max(200).optional().describe('Is contained in the name or the description, in capitals or not.'),
    }),
    answers: { 200: pageOf(jobAnswer) },
    handle: async ({ query, principal }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readJob', {
    description:
      'With its newest configuration, how its last run ended, and when it is due next. The ETag counts every change; `version` counts configurations.',
    params: byId,
    answers: { 200: jobAnswer },
    examples: { answers: { 200: job } },
    handle: ({ params, principal }) => answerJob(200, principal.organizationId, params.id),
  });

  endpoint('updateJob', {
    description:
      'A change of `source`, `target`, `rules` or `schedule` makes a new version, which the next runs use; those that were accepted before keep theirs. Name, description and tags belong to every version. Each field replaces the one there was. An archived job cannot be changed: `conflict`.',
    params: byId,
    body: changeBody,
    answers: { 200: jobAnswer },
    examples: { bodies: jobChanges, answers: { 200: { ...job, version: 2 } } },
    handle: async ({ params, body: change, ifMatch, principal, address }) => {
      await needs.updateJob(params.id, change, ifMatch, { principal, address });
      return answerJob(200, principal.organizationId, params.id);
    },
  });

  const moving = (move: Move, description: string) => ({
    description,
    refuses: [412],
    params: byId,
    answers: { 200: jobAnswer },
    handle: async ({ params, ifMatch, principal, address }: Input<{ id: string }>) => {
      await needs.changeStatus(params.id, move, ifMatch, { principal, address });
      return answerJob(200, principal.organizationId, params.id);
    },
  });
  endpoint(
    'pauseJob',
    moving(
      'pause',
      'From now on nothing is due, and `nextRunAt` is null; runs that were accepted go on. What comes due meanwhile was not missed and is not made up for. Only an active job can be paused: `conflict`.',
    ),
  );
  endpoint(
    'resumeJob',
    moving('resume', 'It goes on with the next time of its schedule that is to come. Only a paused job can be resumed: `conflict`.'),
  );
  endpoint(
    'archiveJob',
    moving(
      'archive',
      'For good: an archived job runs no more, by schedule, by hand or as a trial, cannot be changed, and there is no way back. Its executions, results and exceptions stay. A job that is archived already: `conflict`.',
    ),
  );

  endpoint('listJobVersions', {
    description: 'Who changed what, and when: newest first. An execution names the version that it ran in `jobVersion`.',
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
    description: 'As it was saved; a configuration never changes.',
    params: z.object({ id: jobId, version: wholeNumber(1, 2_147_483_647).describe('Its number, from 1.') }),
    answers: { 200: versionAnswer },
    examples: { answers: { 200: jobVersion } },
    handle: async ({ params, principal }) => {
      const version = await queries.version(principal.organizationId, params.id, params.version);
      if (version === undefined) throw notFound('version of a job');
      return { status: 200, body: version };
    },
  });
};
