/**
 * An execution: one run of a job.
 *
 *   queued → running → completed | failed | cancelled        (queued → cancelled; running → queued when a worker gives it back)
 *
 * Which worker may write is decided by the lease: each claim raises the epoch, and every write names the epoch it was made under.
 */
import type { ExecutionErrorCode } from '@settler/contracts/execution-errors';
import type { Rules } from '@settler/contracts/rules';
import type { RunDiff } from './run-diff.ts';

export type ExecutionStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface Side {
  readonly adapter: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The job as it was when the run was accepted, with the inputs that the run brought itself. */
export interface Definition {
  readonly name: string;
  readonly source: Side;
  readonly target: Side;
  readonly rules: Rules;
}

/** The files that a run was given; null for a side whose records came otherwise. */
export type InputFiles = Readonly<Record<'source' | 'target', { readonly fileId: string; readonly sha256: string } | null>>;

export interface Progress {
  readonly stage: 'queued' | 'reading' | 'matching' | 'writing' | 'done';
  readonly done: number;
  /** Null while it cannot be known. */
  readonly total: number | null;
}

export interface ExecutionError {
  readonly code: ExecutionErrorCode;
  readonly message: string;
  readonly side?: 'source' | 'target';
  readonly line?: number;
}

/** What is wrong with an input that could still be read. */
export interface Problem {
  readonly side: 'source' | 'target';
  readonly code: string;
  readonly message: string;
  readonly line?: number;
}

/** What a reader delivered of one currency, counted before matching. */
export interface ControlTotals {
  readonly side: 'source' | 'target';
  readonly currency: string;
  readonly count: number;
  /** Minor units, as text: JSON has no such integers. */
  readonly amountMinor: string;
}

export interface ReportLine {
  readonly outcome: string;
  readonly side: 'source' | 'target';
  readonly currency: string;
  readonly pass: string | null;
  readonly count: number;
  readonly amount: string;
}

export interface CertificateLine {
  readonly side: 'source' | 'target';
  readonly currency: string;
  readonly ingested: { readonly count: number; readonly amount: string };
  readonly opening: { readonly count: number; readonly amount: string };
  readonly accounted: { readonly count: number; readonly amount: string };
  readonly byOutcome: Readonly<Record<string, { readonly count: number; readonly amount: string }>>;
  readonly difference: { readonly count: number; readonly amount: string };
}

export interface Certificate {
  readonly holds: boolean;
  readonly lines: readonly CertificateLine[];
}

/** A dry run held against another execution; without `diff` where those are too many to be held against each other. */
export interface Comparison {
  readonly executionId: string;
  readonly matchRate: { readonly before: number; readonly after: number };
  readonly diff: RunDiff | null;
  readonly reason: 'too_many_records' | null;
  /** Matches by hand: how many hold, and the ids of those that these rules would break, and of those whose records have changed. */
  readonly handMatches: { readonly held: number; readonly contradicted: readonly string[]; readonly changed: readonly string[] };
}

/** Of a dry run, whose results are not stored: the report is all there is. */
export interface StoredReport {
  readonly outcomes: readonly ReportLine[];
  readonly certificate: Certificate;
  /** Null where there is nothing to hold it against. */
  readonly comparison?: Comparison | null;
}

export const isOver = (status: ExecutionStatus): boolean => status === 'completed' || status === 'failed' || status === 'cancelled';

/** A run is tried this often before infrastructure that does not come back ends it. */
export const attemptsMax = 5;
