/**
 * A job: what to reconcile and how. `version` counts configurations, each of which is kept for ever; `revision` counts any change.
 *
 *   active ⇄ paused → archived        (active → archived as well; archived is final)
 */
import type { Rules } from '@settler/contracts/rules';
import { nextDue, type Schedule } from './schedule.ts';

export type JobStatus = 'active' | 'paused' | 'archived';

export interface Side {
  readonly adapter: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What executions run: replaced as a whole, never changed. */
export interface Configuration {
  readonly source: Side;
  readonly target: Side;
  readonly rules: Rules;
  /** Null where the job runs by hand alone. */
  readonly schedule: Schedule | null;
}

export interface Job {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly status: JobStatus;
  readonly version: number;
  readonly revision: number;
  readonly configuration: Configuration;
  /** When the schedule is due next; null unless the job is active and has one. */
  readonly nextRunAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface JobInput {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly configuration: Configuration;
}

export type JobChange = { readonly [Key in 'name' | 'description' | 'tags']?: JobInput[Key] | undefined } & {
  readonly source?: Side | undefined;
  readonly target?: Side | undefined;
  readonly rules?: Rules | undefined;
  /** Null takes the schedule away. */
  readonly schedule?: Schedule | null | undefined;
};

export type Move = 'pause' | 'resume' | 'archive';

/** What happened, in the words of the events. */
export type JobEvent = 'created' | 'updated' | 'paused' | 'resumed' | 'archived';

export interface Transition {
  readonly job: Job;
  readonly event: JobEvent;
}

/** A rule of the state machine that a request broke. */
export interface Refused {
  readonly refused: string;
}

const nextRunOf = (status: JobStatus, schedule: Schedule | null, now: Date): Date | null =>
  status === 'active' && schedule !== null ? nextDue(schedule, now) : null;

/** Whoever says the same times again moves none of them: one that is due now is not let go. */
const areSameTimes = (one: Schedule | null, other: Schedule | null): boolean =>
  one?.cron === other?.cron && one?.timezone === other?.timezone;

export const newJob = (id: string, organizationId: string, input: JobInput, now: Date): Transition => ({
  event: 'created',
  job: {
    id,
    organizationId,
    name: input.name,
    description: input.description ?? null,
    tags: input.tags ?? [],
    status: 'active',
    version: 1,
    revision: 1,
    configuration: input.configuration,
    nextRunAt: nextRunOf('active', input.configuration.schedule, now),
    createdAt: now,
    updatedAt: now,
  },
});

/** A change of source, target, rules or schedule makes a new version; name, description and tags belong to every version. */
export const changeJob = (job: Job, change: JobChange, now: Date): Transition | Refused => {
  if (job.status === 'archived') return { refused: 'An archived job cannot be changed.' };
  const { source, target, rules, schedule } = change;
  const isReconfigured = source !== undefined || target !== undefined || rules !== undefined || schedule !== undefined;
  return {
    event: 'updated',
    job: {
      ...job,
      name: change.name ?? job.name,
      description: change.description === undefined ? job.description : change.description,
      tags: change.tags ?? job.tags,
      configuration: {
        source: source ?? job.configuration.source,
        target: target ?? job.configuration.target,
        rules: rules ?? job.configuration.rules,
        schedule: schedule === undefined ? job.configuration.schedule : schedule,
      },
      nextRunAt:
        schedule === undefined || areSameTimes(schedule, job.configuration.schedule) ? job.nextRunAt : nextRunOf(job.status, schedule, now),
      version: isReconfigured ? job.version + 1 : job.version,
      revision: job.revision + 1,
      updatedAt: now,
    },
  };
};

const moves: Readonly<Record<Move, { from: readonly JobStatus[]; to: JobStatus; event: JobEvent }>> = {
  pause: { from: ['active'], to: 'paused', event: 'paused' },
  resume: { from: ['paused'], to: 'active', event: 'resumed' },
  archive: { from: ['active', 'paused'], to: 'archived', event: 'archived' },
};

export const moveJob = (job: Job, move: Move, now: Date): Transition | Refused => {
  const { from, to, event } = moves[move];
  if (!from.includes(job.status)) return { refused: `This job is ${job.status}; only a job that is ${from.join(' or ')} can be ${event}.` };
  // What came due while it was paused was not missed: a job that is resumed goes on with the next time to come.
  const nextRunAt = nextRunOf(to, job.configuration.schedule, now);
  return { event, job: { ...job, status: to, nextRunAt, revision: job.revision + 1, updatedAt: now } };
};
