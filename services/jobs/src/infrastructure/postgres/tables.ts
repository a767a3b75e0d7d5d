import type { ChassisTables } from '@settler/chassis/tables';
import type { Rules } from '@settler/contracts/rules';
import type { ColumnType } from 'kysely';
import type { JobStatus, Side } from '../../domain/job.ts';
import type { Schedule } from '../../domain/schedule.ts';

/** Written as text, read parsed. */
type Json<Value> = ColumnType<Value, string, string>;
type JsonOrNull<Value> = ColumnType<Value | null, string | null, string | null>;

export interface Database extends ChassisTables {
  jobs: {
    id: string;
    organization_id: string;
    name: string;
    description: string | null;
    tags: string[];
    status: JobStatus;
    version: number;
    revision: ColumnType<bigint, bigint | number, bigint | number>;
    next_run_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  job_versions: {
    job_id: string;
    organization_id: string;
    version: number;
    source: Json<Side>;
    target: Json<Side>;
    rules: Json<Rules>;
    /** Of its configuration, as text. */
    bytes: ColumnType<number, never, never>;
    schedule: JsonOrNull<Schedule>;
    created_by_type: string;
    created_by_id: string;
    created_at: Date;
  };
  last_executions: {
    job_id: string;
    organization_id: string;
    execution_id: string;
    revision: ColumnType<bigint, bigint | number, bigint | number>;
    created_at: Date;
    execution: Json<Record<string, unknown>>;
  };
}
