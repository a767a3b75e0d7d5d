import type { ChassisTables } from '@settler/chassis/tables';
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import type { ColumnType, Generated } from 'kysely';
import type { ApprovalRequest, ApprovalStatus } from '../../domain/approval.ts';
import type { ExceptionStatus, Resolution, Said } from '../../domain/exception-life.ts';
import type { Severity } from '../../domain/exceptions.ts';
import type {
  ControlTotals,
  Definition,
  ExecutionError,
  ExecutionStatus,
  InputFiles,
  Problem,
  Progress,
  StoredReport,
} from '../../domain/execution.ts';
import type { Manual, NextBest } from '../../domain/matched-result.ts';
import type { OpenedLine } from '../../domain/opened.ts';
import type { Side } from '../../domain/side.ts';

/** What a match has changed, for its undoing. */
export interface Before {
  /** Rows of `results`, whole. */
  readonly displaced: readonly Readonly<Record<string, unknown>>[];
  /** Results that hold what the displaced ones had besides, their open items, and the exceptions that were opened for them. */
  readonly left: readonly string[];
  readonly carried: readonly string[];
  readonly opened: readonly string[];
  /** The exceptions that it resolved, as they were. */
  readonly resolved: readonly { readonly id: string; readonly status: ExceptionStatus }[];
}

/** Written as text, read parsed. */
type Json<Value> = ColumnType<Value, string, string>;
type JsonOrNull<Value> = ColumnType<Value | null, string | null, string | null>;

export interface Database extends ChassisTables {
  files: {
    id: string;
    organization_id: string;
    name: string;
    content_type: string;
    size: ColumnType<bigint, bigint | number | undefined, bigint | number>;
    sha256: string | null;
    state: 'uploading' | 'ready';
    created_at: Generated<Date>;
  };
  file_chunks: { file_id: string; organization_id: string; position: number; bytes: Buffer };
  run_requests: {
    job_id: string;
    organization_id: string;
    due_at: Date;
    state: Generated<'waiting' | 'queued' | 'skipped'>;
    execution_id: string | null;
    not_before: Generated<Date>;
    requested_at: Generated<Date>;
  };
  executions: {
    id: string;
    organization_id: string;
    job_id: string;
    job_version: number;
    definition: Json<Definition>;
    dry_run: boolean;
    is_serial: boolean;
    period_from: string | null;
    period_to: string | null;
    note: string | null;
    tried_on: string | null;
    file_ids: string[];
    /** Null of runs that have not said so, and of trials, which read what an execution has stored. */
    inputs: JsonOrNull<InputFiles>;
    status: ExecutionStatus;
    waiting_for: string | null;
    revision: ColumnType<bigint, bigint | number | undefined, bigint | number>;
    attempt: Generated<number>;
    not_before: Generated<Date>;
    lease_owner: string | null;
    lease_epoch: Generated<number>;
    lease_until: Date | null;
    cancel_requested_at: Date | null;
    rung_at: Generated<Date>;
    progress: Json<Progress>;
    progress_sequence: Generated<bigint>;
    problems: ColumnType<readonly Problem[], string | undefined, string>;
    summary: JsonOrNull<ExecutionSummary>;
    report: JsonOrNull<StoredReport>;
    /** What it opened; null of runs that have not said so. */
    opened: JsonOrNull<readonly OpenedLine[]>;
    control_totals: JsonOrNull<readonly ControlTotals[]>;
    error: JsonOrNull<ExecutionError>;
    created_by_type: string;
    created_by_id: string;
    created_at: Generated<Date>;
    started_at: Date | null;
    completed_at: Date | null;
    results_dropped_at: Date | null;
  };
  results: {
    created_at: Date;
    id: string;
    organization_id: string;
    execution_id: string;
    epoch: number;
    position: number;
    outcome: Outcome;
    pass: string | null;
    cardinality: string | null;
    score: number | null;
    margin: number | null;
    /** This and what follows it that is text and of several parts is JSON. */
    delta: string | null;
    category: string | null;
    reason: string | null;
    line: number | null;
    due_on: string | null;
    conditions: string;
    source: string;
    target: string;
    amount_max: string | null;
    search: string;
    exception_id: string | null;
    manual: JsonOrNull<Manual>;
    runner_up: JsonOrNull<NextBest>;
    /** Of those without ids that say the same, which one it is; null where it is the first. */
    occurrence: number | null;
  };
  match_keys: {
    execution_id: string;
    organization_id: string;
    job_id: string;
    created_at: Date;
    first: number;
    source_keys: Buffer;
    target_keys: Buffer;
  };
  result_digests: {
    execution_id: string;
    organization_id: string;
    first: number;
    last: number;
    passes: string[];
    /** Null in digests that are older than the column, as are the two ids. */
    outcomes: string[] | null;
    id_least: string | null;
    id_most: string | null;
    amount_most: number | null;
    trigrams: Buffer;
    pentagrams: Buffer;
  };
  result_sums: {
    execution_id: string;
    organization_id: string;
    epoch: number;
    side: Side;
    currency: string;
    outcome: Outcome;
    pass: string | null;
    carried: boolean;
    count: bigint;
    amount_minor: string;
  };
  result_renamings: {
    execution_id: string;
    organization_id: string;
    side: Side;
    currency: string;
    amount_minor: string | null;
    count: bigint;
    from_outcome: Outcome;
    from_pass: string | null;
    to_outcome: Outcome;
    to_pass: string | null;
  };
  open_items: {
    job_id: string;
    identity: string;
    organization_id: string;
    side: Side;
    occurrence: number;
    record: Json<Readonly<Record<string, unknown>>>;
    record_key: string;
    first_execution_id: string;
    first_seen_at: Date;
    retired_at: Date | null;
  };
  open_item_moves: {
    execution_id: string;
    epoch: number;
    identity: string;
    side: Side;
    occurrence: number;
    outcome: Outcome;
    record: Json<Readonly<Record<string, unknown>>>;
    record_key: string;
  };
  exception_drafts: {
    execution_id: string;
    epoch: number;
    position: number;
    id: string;
    result_id: string;
    record_key: string;
    category: string;
    severity: Severity;
    search: string;
    records: Json<readonly unknown[]>;
    amount: string | null;
    currency: string | null;
    reason: string | null;
  };
  matches: {
    id: string;
    organization_id: string;
    job_id: string;
    execution_id: string;
    note: string | null;
    created_by_type: string;
    created_by_id: string;
    created_at: Generated<Date>;
    approved_by_type: string | null;
    approved_by_id: string | null;
    before: Json<Before>;
    ended_at: Date | null;
    ended_because: 'undone' | 'record_changed' | null;
    ended_by_type: string | null;
    ended_by_id: string | null;
  };
  approvals: {
    id: string;
    organization_id: string;
    job_id: string;
    execution_id: string;
    exception_id: string | null;
    kind: 'resolve' | 'match';
    request: Json<ApprovalRequest>;
    said: JsonOrNull<Said>;
    amount: string | null;
    currency: string | null;
    status: Generated<ApprovalStatus>;
    requested_by_type: string;
    requested_by_id: string;
    requested_person_id: string | null;
    requested_at: Generated<Date>;
    decided_by_type: string | null;
    decided_by_id: string | null;
    decided_at: Date | null;
    decision_note: string | null;
    result_id: string | null;
    revision: ColumnType<bigint, bigint | number | undefined, bigint | number>;
  };
  match_records: {
    match_id: string;
    organization_id: string;
    job_id: string;
    side: Side;
    identity: string;
    occurrence: number;
    record: Json<Readonly<Record<string, unknown>>>;
    record_key: string;
    /** Whether the match has retired its open item. */
    retired: boolean;
  };
  separations: {
    id: string;
    organization_id: string;
    job_id: string;
    execution_id: string;
    source: Json<readonly Readonly<Record<string, unknown>>[]>;
    target: Json<readonly Readonly<Record<string, unknown>>[]>;
    may_differ: boolean;
    created_by_type: string;
    created_by_id: string;
    created_at: Generated<Date>;
  };
  base_currencies: {
    organization_id: string;
    currency: string;
    version: ColumnType<bigint, number, number>;
  };
  exchange_rates: {
    id: string;
    organization_id: string;
    base: string;
    quote: string;
    date: string;
    rate: string;
    source: string | null;
    updated_by_type: string;
    updated_by_id: string;
    updated_at: Generated<Date>;
    revision: ColumnType<bigint, bigint | number | undefined, bigint | number>;
  };
  exceptions: {
    id: string;
    organization_id: string;
    job_id: string;
    execution_id: string;
    record_key: string;
    category: string;
    severity: Severity;
    severity_is_set: Generated<boolean>;
    status: ExceptionStatus;
    records: Json<readonly unknown[]>;
    amount: string | null;
    currency: string | null;
    reason: string | null;
    first_seen_at: Date;
    assignee_id: string | null;
    resolution: Resolution | null;
    search: Generated<string>;
    match_id: Generated<string | null>;
    /** For which it was opened; null of those whose history says so itself. */
    result_id: string | null;
    /** What was decided about its record before. */
    former_exception_id: string | null;
    revision: ColumnType<bigint, bigint | number | undefined, bigint | number>;
    created_at: Date;
    updated_at: Date;
  };
  exception_comments: {
    id: string;
    organization_id: string;
    exception_id: string;
    text: string;
    created_by_type: string;
    created_by_id: string;
    created_at: Generated<Date>;
  };
  exception_history: {
    exception_id: string;
    organization_id: string;
    position: number;
    at: Date;
    actor_type: string;
    actor_id: string;
    action: string;
    detail: Json<Record<string, unknown>>;
  };
}
