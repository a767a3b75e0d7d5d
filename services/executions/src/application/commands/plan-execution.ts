/** Turns a request to run a job into what will be run: the job's definition, with the inputs that the request brings instead. */
import { adapterNamed, withRunInput } from '@settler/adapters/catalogue';
import { invalid, Refusal } from '@settler/chassis/refusal';
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import type { ProblemError } from '@settler/contracts/problems';
import { rules } from '@settler/contracts/rules';
import type { Side } from '../../domain/execution.ts';
import type { PlannedExecution } from '../ports.ts';

export type RunInput = { readonly fileId?: string | undefined; readonly records?: unknown };

export interface RunRequest {
  readonly source?: RunInput | undefined;
  readonly target?: RunInput | undefined;
  readonly dryRun: boolean;
  readonly overlap: boolean;
  readonly period?: { readonly from: string; readonly to: string } | undefined;
  readonly note?: string | undefined;
}

/** @throws Refusal `conflict` for an archived job, `validation_failed` with the path of what does not fit its adapter */
export const planExecution = (job: JobDefinition, request: RunRequest): PlannedExecution => {
  requireRunnable(job);
  const faults: ProblemError[] = [];
  const source = sideOf('source', job.source, request.source, faults);
  const target = sideOf('target', job.target, request.target, faults);
  if (faults.length > 0) throw invalid(faults);
  return {
    jobId: job.jobId,
    jobVersion: job.version,
    definition: { name: job.name, source, target, rules: rules.parse(job.rules) },
    dryRun: request.dryRun,
    overlap: request.overlap,
    period: request.period ?? null,
    note: request.note ?? null,
    files: [...fileOf('source', source), ...fileOf('target', target)],
  };
};

/** @throws Refusal `conflict` for an archived job */
export const requireRunnable = ({ status }: JobDefinition): void => {
  if (status === 'archived') throw new Refusal('conflict', 'This job is archived and can no longer run.');
};

const sideOf = (name: 'source' | 'target', side: Side, input: RunInput | undefined, faults: ProblemError[]): Side => {
  if (input === undefined) return side;
  const definition = adapterNamed(side.adapter);
  if (definition === undefined) throw new Error(`the job names an adapter that does not exist: ${side.adapter}`);
  const checked = withRunInput(definition, side.config, input as Parameters<typeof withRunInput>[2]);
  if (checked.ok) return { adapter: side.adapter, config: checked.config as Side['config'] };
  faults.push(...checked.errors.map(({ path, message }) => ({ path: [name, path].filter((part) => part !== '').join('.'), message })));
  return side;
};

const fileOf = (side: 'source' | 'target', { config }: Side) => {
  const { fileId } = config;
  return typeof fileId === 'string' ? [{ side, id: fileId }] : [];
};
