/** What can be read of jobs. Queries go straight to SQL. */
import type { Page } from '@settler/chassis/pagination';
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import type { Rules } from '@settler/contracts/rules';
import type { JobStatus, Side } from '../domain/job.ts';
import type { Schedule } from '../domain/schedule.ts';

export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly status: JobStatus;
  readonly version: number;
  readonly source: Side;
  readonly target: Side;
  readonly rules: Rules;
  readonly schedule: Schedule | null;
  readonly lastExecution: unknown;
  readonly nextRunAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface JobVersionView {
  readonly version: number;
  readonly source: Side;
  readonly target: Side;
  readonly rules: Rules;
  readonly schedule: Schedule | null;
  readonly createdBy: { readonly type: string; readonly id: string };
  readonly createdAt: string;
}

export interface JobFilter {
  readonly status?: JobStatus | undefined;
  readonly tag?: string | undefined;
  readonly q?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface JobQueries {
  readonly read: (organizationId: string, id: string) => Promise<{ view: JobView; revision: bigint } | undefined>;
  readonly list: (organizationId: string, filter: JobFilter) => Promise<Page<JobView>>;
  readonly versions: (
    organizationId: string,
    id: string,
    page: { limit: number; cursor?: string | undefined },
  ) => Promise<Page<JobVersionView> | undefined>;
  readonly version: (organizationId: string, id: string, version: number) => Promise<JobVersionView | undefined>;
  readonly definition: (organizationId: string, id: string) => Promise<JobDefinition | undefined>;
}
