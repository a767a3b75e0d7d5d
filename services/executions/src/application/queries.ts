/** What can be read of executions, results, reports and exceptions. Queries go straight to SQL. */
import type { JsonText } from '@settler/chassis/json-text';
import type { Page } from '@settler/chassis/pagination';
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { ApprovalRequest, ApprovalStatus } from '../domain/approval.ts';
import type { BaseTotals } from '../domain/base-totals.ts';
import type { ExceptionStatus, Resolution } from '../domain/exception-life.ts';
import type { Severity } from '../domain/exceptions.ts';
import type {
  Certificate,
  Comparison,
  ExecutionError,
  ExecutionStatus,
  InputFiles,
  Problem,
  Progress,
  ReportLine,
} from '../domain/execution.ts';
import type { Difference } from '../domain/hand-match.ts';
import type { Manual, NextBest } from '../domain/matched-result.ts';
import type { Delta } from '../domain/matching/results/result.ts';
import type { OpenedLine } from '../domain/opened.ts';
import type { Side } from '../domain/side.ts';

export interface ExecutionView {
  readonly id: string;
  readonly jobId: string;
  readonly jobVersion: number;
  readonly status: ExecutionStatus;
  readonly progress: Progress;
  readonly summary: ExecutionSummary | null;
  readonly error: ExecutionError | null;
  readonly problems: readonly Problem[];
  readonly dryRun: boolean;
  readonly inputs: InputFiles;
  readonly period: { readonly from: string; readonly to: string } | null;
  readonly note: string | null;
  /** Of a trial of other rules: the execution on whose records it is one. */
  readonly triedOn: string | null;
  /** Why it waits, where that is not just for a free worker. */
  readonly waitingFor: string | null;
  readonly attempt: number;
  readonly createdBy: { readonly type: string; readonly id: string };
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly resultsDroppedAt: string | null;
}

export interface ReportView {
  readonly executionId: string;
  readonly status: ExecutionStatus;
  readonly summary: ExecutionSummary | null;
  readonly matchRate: number | null;
  readonly outcomes: readonly ReportLine[];
  readonly ageing: readonly { readonly bucket: string; readonly currency: string; readonly count: number; readonly amount: string }[];
  readonly certificate: Certificate;
  /** Of a dry run: how it differs from what it is held against. */
  readonly comparison: Comparison | null;
  /** The totals in one currency, by the rates of a day; null where nobody asked for it. */
  readonly base: (BaseTotals & { readonly ratesOn: string | null }) | null;
}

export interface ReportOptions {
  readonly baseCurrency?: string | undefined;
  /** Without it the day, in UTC, on which the execution completed. */
  readonly ratesOn?: string | undefined;
}

export interface FeeLine {
  readonly pass: string;
  readonly currency: string;
  readonly results: number;
  /** What the source has, and what the target has of it. */
  readonly gross: string;
  readonly net: string;
  /** By the rules of the pass; null where it has no fee. */
  readonly agreed: string | null;
  /** By the records themselves; null where none says. */
  readonly declared: string | null;
  /** gross − net */
  readonly charged: string;
  /** charged − agreed, or − declared where nothing is agreed. */
  readonly drift: string;
  /** The part of it that is exceptions, as `fee_mismatch`. */
  readonly mismatches: { readonly count: number; readonly drift: string };
}

export interface FeeReport {
  readonly executionId: string;
  readonly status: ExecutionStatus;
  readonly lines: readonly FeeLine[];
}

export interface TrendPoint {
  readonly executionId: string;
  readonly jobVersion: number;
  readonly createdAt: string;
  readonly completedAt: string | null;
  readonly summary: ExecutionSummary | null;
  /** The exceptions that it opened. */
  readonly opened: readonly OpenedLine[];
}

export interface TrendFilter extends PageRequest {
  readonly jobId: string;
  readonly since?: string | undefined;
}

export interface ExceptionView {
  readonly id: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly category: string;
  readonly severity: string;
  readonly status: string;
  readonly records: JsonText;
  /** On which side each of the records is. */
  readonly sides: readonly Side[];
  /** target − source, where it is about two sides that differ. */
  readonly delta: Difference | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly reason: string | null;
  readonly firstSeenAt: string;
  readonly ageDays: number;
  readonly assigneeId: string | null;
  readonly resolution: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What exceptions are divided by. */
export const exceptionDimensions = ['status', 'category', 'severity', 'age', 'assignee', 'job'] as const;
export type ExceptionDimension = (typeof exceptionDimensions)[number];

/** `value`: of the dimension; null for nobody's. Amounts by currency, whatever their signs. */
export interface ExceptionGroup {
  readonly value: string | null;
  readonly count: number;
  readonly amounts: Readonly<Record<string, string>>;
}

export interface ExceptionSummary extends Omit<ExceptionGroup, 'value'> {
  readonly by: Readonly<Record<ExceptionDimension, readonly ExceptionGroup[]>>;
}

export interface ApprovalView {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly jobId: string;
  readonly executionId: string;
  readonly exceptionId: string | null;
  readonly request: ApprovalRequest;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly requestedBy: { readonly type: string; readonly id: string };
  readonly requestedAt: string;
  readonly decidedBy: { readonly type: string; readonly id: string } | null;
  readonly decidedAt: string | null;
  readonly note: string | null;
  readonly resultId: string | null;
}

export interface CommentView {
  readonly id: string;
  readonly text: string;
  readonly createdBy: { readonly type: string; readonly id: string };
  readonly createdAt: string;
}

export interface HistoryEntry {
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface ExecutionFilter extends PageRequest {
  readonly jobId?: string | undefined;
  /** One of these. Never empty. */
  readonly status?: readonly ExecutionStatus[] | undefined;
  readonly since?: string | undefined;
}

export interface ResultFilter {
  readonly outcome?: string | undefined;
  readonly pass?: string | undefined;
  readonly q?: string | undefined;
  readonly minAmount?: string | undefined;
}

export interface ResultView {
  readonly id: string;
  readonly outcome: string;
  readonly source: readonly unknown[];
  readonly target: readonly unknown[];
  readonly pass: string | null;
  readonly cardinality: string | null;
  readonly score: number | null;
  readonly margin: number | null;
  readonly delta: Delta | null;
  readonly conditions: readonly unknown[];
  readonly category: string | null;
  readonly reason: string | null;
  readonly line: number | null;
  readonly dueOn: string | null;
  readonly exceptionId: string | null;
  /** Who matched it by hand, when and why; null for what the rules found. */
  readonly manual: Manual | null;
  readonly runnerUp: NextBest | null;
}

type StoredAsJson = 'source' | 'target' | 'conditions' | 'delta';

/** As lists show it: with what is stored as JSON as it is stored. */
export type ListedResult = Omit<ResultView, StoredAsJson> &
  Readonly<Record<Exclude<StoredAsJson, 'delta'>, JsonText>> & { readonly delta: JsonText | null };

export interface ExceptionFilter {
  readonly jobId?: string | undefined;
  readonly executionId?: string | undefined;
  /** One of these. Never empty. */
  readonly status?: readonly ExceptionStatus[] | undefined;
  readonly category?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly resolution?: Resolution | undefined;
  /** The id of a user, or `none`. */
  readonly assignee?: string | undefined;
  readonly currency?: string | undefined;
  readonly minAmount?: string | undefined;
  readonly q?: string | undefined;
}

export interface ExecutionQueries {
  readonly read: (organizationId: string, id: string) => Promise<{ view: ExecutionView; revision: bigint; sequence: bigint } | undefined>;
  readonly list: (organizationId: string, filter: ExecutionFilter) => Promise<Page<ExecutionView>>;
  /** @throws Refusal `conflict` for an execution that is not completed, `gone` where they are kept no longer */
  readonly results: (organizationId: string, id: string, filter: ResultFilter & PageRequest) => Promise<Page<ListedResult> | undefined>;
  /**
   * Results behind the position `after`, in their order; `last` is where they end. All of them are of one revision of the execution: of
   * the one that is named, so that what is read piece by piece is whole although no transaction is open in between.
   * @throws as `results`, `conflict` too where the revision is another by now, and where the execution is gone: neither must look like the
   * end of its results
   */
  readonly resultsAfter: (
    organizationId: string,
    id: string,
    filter: ResultFilter,
    page: { readonly after: number; readonly limit: number; readonly revision?: bigint | undefined },
  ) => Promise<{ readonly results: readonly ResultView[]; readonly last: number | undefined; readonly revision: bigint }>;
  readonly report: (organizationId: string, id: string, options: ReportOptions) => Promise<ReportView | undefined>;
  /** @throws as `results` */
  readonly fees: (organizationId: string, id: string) => Promise<FeeReport | undefined>;
  readonly trend: (organizationId: string, filter: TrendFilter) => Promise<Page<TrendPoint>>;
  readonly exceptions: (organizationId: string, filter: ExceptionFilter & PageRequest) => Promise<Page<ExceptionView>>;
  readonly exceptionSummary: (organizationId: string, filter: ExceptionFilter) => Promise<ExceptionSummary>;
  readonly exception: (
    organizationId: string,
    id: string,
  ) => Promise<
    | {
        view: ExceptionView & {
          comments: readonly CommentView[];
          history: readonly HistoryEntry[];
          /** What waits for a second person. */
          pendingApproval: ApprovalView | null;
        };
        revision: bigint;
      }
    | undefined
  >;
}
