import type { Principal } from '@settler/chassis/principal';
import type { ExecutionErrorCode } from '@settler/contracts/execution-errors';
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import type { Rules } from '@settler/contracts/rules';
import type { PassSum } from '../domain/certificate.ts';
import type { Comparison, ControlTotals, Definition, ExecutionError, Problem, Progress, StoredReport } from '../domain/execution.ts';
import type { Manual } from '../domain/matched-result.ts';
import type { Separated } from '../domain/matching/apart.ts';
import type { EarlierMatches } from '../domain/matching/earlier-matches.ts';
import type { BrokenMatch } from '../domain/matching/kept-matches.ts';
import type { MatchKeys } from '../domain/matching/match-keys.ts';
import type { ItemKey } from '../domain/open-items.ts';
import type { RunDiff } from '../domain/run-diff.ts';
import type { Side } from '../domain/side.ts';

/** Who does it and from where, for the audit trail. */
export interface Actor {
  readonly principal: Principal;
  readonly address: string | null;
}

export interface Definitions {
  /** @throws Refusal `not_found`, or `upstream_unavailable` when jobs does not answer */
  readonly read: (jobId: string, principal: Principal) => Promise<JobDefinition>;
}

export interface Members {
  /** Whether the user is a member of the organization of `principal`, and not disabled. @throws Refusal `upstream_unavailable` when identity does not answer */
  readonly isActive: (userId: string, principal: Principal) => Promise<boolean>;
}

/** A run that was checked and may be queued. */
export interface PlannedExecution {
  readonly jobId: string;
  readonly jobVersion: number;
  readonly definition: Definition;
  readonly dryRun: boolean;
  readonly period: { readonly from: string; readonly to: string } | null;
  readonly note: string | null;
  readonly overlap: boolean;
  /** Every file that it reads. */
  readonly files: readonly { readonly side: Side; readonly id: string }[];
}

export interface ExecutionStore {
  /** @throws Refusal `conflict` where the job runs already, `validation_failed` where a file is not there */
  readonly queue: (id: string, planned: PlannedExecution, actor: Actor) => Promise<void>;
  /** Queues a dry run of these rules over what an execution has stored. @throws Refusal `not_found`, or `conflict` where it has no results */
  readonly tryRules: (
    id: string,
    executionId: string,
    tried: { readonly rules: Rules; readonly note: string | null },
    actor: Actor,
  ) => Promise<void>;
  /** @throws Refusal `not_found`, or `conflict` where it is over */
  readonly cancel: (id: string, actor: Actor) => Promise<void>;
}

/** A run that a schedule asks for. A job and a due time are one request. */
export interface RequestedRun {
  readonly jobId: string;
  readonly organizationId: string;
  readonly dueAt: Date;
}

export interface RunRequests {
  /** Requests that wait, for this replica to see to. Who does not is passed over a little later. */
  readonly claim: (batchMax: number) => Promise<readonly RequestedRun[]>;
  /** Settles the request with an execution, or says that its job runs already. Nothing where it is settled. */
  readonly queue: (requested: RequestedRun, id: string, planned: PlannedExecution, actor: Actor) => Promise<void>;
  readonly skip: (requested: RequestedRun, reason: string, actor: Actor) => Promise<void>;
  /** Deletes what can come no second time. */
  readonly clean: () => Promise<void>;
}

/** One side's input: what reads it, and the days that the run is about. */
export interface MatchingInput {
  readonly adapter: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly period: { readonly from: string; readonly to: string } | null;
}

/** The bytes of a file; undefined where the organization has no such file. */
export type OpenInput = (fileId: string) => Promise<{ readonly bytes: AsyncIterable<Uint8Array>; readonly size: number } | undefined>;

/** A record that earlier runs of the job have left without counterpart. */
export interface OpenItem extends ItemKey, SideRecord {}

export interface OpenItems {
  /** Those that take part in this run, in pages. */
  readonly read: (held: HeldExecution) => AsyncIterable<readonly OpenItem[]>;
}

/** What the rules have matched in the job's runs: records keep their match when they are delivered again without the others of it. */
export interface MatchedBefore {
  /** Of runs that are older than this one, the newest first. */
  readonly read: (jobId: string, before: Date) => AsyncIterable<readonly EarlierMatches[]>;
  /** The other records of these matches, in pages: those that are no open items, settled or not, and in no match by hand. */
  readonly others: (jobId: string, broken: readonly BrokenMatch[]) => AsyncIterable<readonly SideRecord[]>;
}

export interface SideRecord {
  readonly side: Side;
  readonly record: Readonly<Record<string, unknown>>;
}

/** Records that somebody has matched by hand, in an earlier run of the job. */
export interface HandMatch {
  readonly manual: Manual;
  readonly records: readonly OpenItem[];
}

/** A match that was undone: no rule brings its records together again. */
export interface Separation extends Separated {
  readonly id: string;
  /** When the run was made whose match it was, in milliseconds. */
  readonly runAt: number;
}

export interface Separations {
  /** Those of the job, in pages. */
  readonly read: (held: HeldExecution) => AsyncIterable<readonly Separation[]>;
}

/** What a run was told of what people have matched and undone, and what became of it. */
export interface GivenMatchIds {
  /** The matches by hand: what was matched or undone since then it does not know. */
  readonly known: readonly string[];
  /** The matches that were undone. */
  readonly apart: readonly string[];
  /** Matches by hand of which a record says something else now. */
  readonly changed: readonly string[];
}

export interface HandMatches {
  /** Those that hold, in pages. */
  readonly read: (held: HeldExecution) => AsyncIterable<readonly HandMatch[]>;
}

/** What a dry run is held against. */
export interface Base {
  readonly id: string;
  readonly createdAt: Date;
  readonly summary: ExecutionSummary | null;
}

export interface BaseResult {
  readonly outcome: string;
  /** The run whose match its record keeps; undefined where it keeps none. */
  readonly keptIn: string | undefined;
  readonly source: readonly Readonly<Record<string, unknown>>[];
  readonly target: readonly Readonly<Record<string, unknown>>[];
}

/** What is to be known of a run besides the results that it has stored. */
export interface StoredRun {
  /** Of each side, whether all records have one. */
  readonly hasIds: { readonly source: boolean; readonly target: boolean };
  /** When it was made, in milliseconds. */
  readonly runAt: number;
  /** Whether records keep the matches that they kept in it. */
  readonly keeps: boolean;
}

export interface OpenExceptions {
  /**
   * The ids of the records that exceptions of the job are open about, of those that are no open items; undefined where one has none, or
   * where they are too many to be looked for.
   */
  readonly recordIds: (held: HeldExecution) => Promise<readonly string[] | undefined>;
}

/** A result that has a record of this id. */
export interface Sighting {
  readonly id: string;
  readonly position: number;
}

/** What was looked for while results were written, and where it was seen. */
export interface Seen {
  readonly ids: ReadonlySet<string>;
  readonly sightings: readonly Sighting[];
}

export interface BaseResults {
  /** Undefined where the job has none yet. */
  readonly find: (held: HeldExecution) => Promise<Base | undefined>;
  /** Of each side, whether all records have one. */
  readonly hasIds: (base: Base) => Promise<StoredRun['hasIds']>;
  /** In pages, without what could not be read. */
  readonly read: (base: Base) => AsyncIterable<readonly BaseResult[]>;
  /** Of what `read` gives, as a summary has it; undefined where there is nothing. */
  readonly matchRate: (base: Base) => Promise<number | undefined>;
}

export interface Matching {
  /** Records that an execution has stored, in place of reading them. Resolves with what was counted so far. */
  readonly feed: (results: readonly BaseResult[], run: StoredRun) => Promise<readonly ControlTotals[]>;
  /** What is to be compared with, once all is matched. */
  readonly remember: (results: readonly BaseResult[]) => Promise<void>;
  readonly compare: () => Promise<{ readonly diff: RunDiff; readonly handMatches: Comparison['handMatches'] }>;
  /** Before anything is read. */
  readonly give: (matches: readonly HandMatch[]) => Promise<void>;
  /** Before anything is read. */
  readonly separate: (separations: readonly Separation[]) => Promise<void>;
  /** What earlier runs have matched, the newest first. Before anything is matched. */
  readonly know: (matches: readonly EarlierMatches[]) => Promise<void>;
  /** Before anything is read. */
  readonly carry: (items: readonly OpenItem[]) => Promise<void>;
  /** Which records are to be looked for among the results. */
  readonly watch: (recordIds: readonly string[]) => Promise<void>;
  /** Resolves when all of the input is read, with what the reader counted. @throws ReaderFailure where it cannot be read as a whole */
  readonly read: (
    side: Side,
    input: MatchingInput,
    openFile: OpenInput,
    onProgress: (done: number, total: number | null) => void,
  ) => Promise<readonly ControlTotals[]>;
  /** Once all is read: matches that hold no longer, and of which not all records are here. */
  readonly broken: () => Promise<readonly BrokenMatch[]>;
  /** Records of those. Before anything is matched. */
  readonly bring: (records: readonly SideRecord[]) => Promise<void>;
  /** @throws MatchingRefused where the rules cannot be run on these inputs */
  readonly match: (onProgress: (done: number, total: number | null) => void) => Promise<{
    readonly summary: ExecutionSummary;
    readonly resultCount: number;
    readonly problems: readonly Problem[];
    readonly given: GivenMatchIds;
  }>;
  /** All results, in pieces as the store takes them in. */
  readonly results: (run: ResultRun) => AsyncIterable<WatchedPiece>;
  /** What all results hold, where none is stored. */
  readonly sums: () => Promise<readonly PassSum[]>;
  readonly close: () => Promise<void>;
}

/** What every stored row says of its run. */
export interface ResultRun {
  readonly organizationId: string;
  readonly id: string;
  readonly epoch: number;
  readonly createdAt: Date;
  readonly carriesForward: boolean;
  readonly severity: Rules['severity'];
}

/** Rows of the store's own form, made where the results were found: on their way nobody looks at them. */
export interface ResultRows {
  readonly results: Uint8Array;
  /** What becomes of open items. */
  readonly moves: Uint8Array;
  /** What needs somebody, as the exceptions that they open unless there is one. */
  readonly drafts: Uint8Array;
}

/** Its rows are the writer's until the next piece but one is asked for. */
export interface ResultPiece extends ResultRows {
  readonly count: number;
  /** What the results hold. */
  readonly sums: readonly PassSum[];
  /** What may be found among the results. */
  readonly digests: readonly ResultDigest[];
  /** What the rules have matched, where later runs have to know it. */
  readonly keys?: MatchKeys | undefined;
}

export interface WatchedPiece extends ResultPiece {
  readonly sightings: readonly Sighting[];
}

/** What may be found among results that stand one behind the other, from one position to another. */
export interface ResultDigest {
  readonly first: number;
  readonly last: number;
  readonly outcomes: readonly string[];
  readonly passes: readonly string[];
  /** The first and the last of the ids that the results themselves have, in the order of their bytes. */
  readonly idLeast: string;
  readonly idMost: string;
  /** Null where none has an amount. */
  readonly amountMost: number | null;
  /** A bit for each three letters in a row of any of their texts, and for each five. */
  readonly trigrams: Uint8Array;
  readonly pentagrams: Uint8Array;
}

/** The rules cannot be run on these inputs, however often it is tried. */
export class MatchingRefused extends Error {
  override readonly name = 'MatchingRefused';
  readonly code: ExecutionErrorCode;
  /** Undefined where it is of both. */
  readonly side: Side | undefined;

  constructor(code: ExecutionErrorCode, message: string, side?: Side) {
    super(message);
    this.code = code;
    this.side = side;
  }
}

/** Matching happens off the event loop, in a place of its own that is told when to stop. */
export type OpenMatching = (job: { readonly rules: Rules; readonly asOf: string; readonly signal: AbortSignal }) => Matching;

/** An execution that this worker holds a lease on. */
export interface HeldExecution {
  readonly id: string;
  readonly organizationId: string;
  readonly jobId: string;
  readonly definition: Definition;
  readonly dryRun: boolean;
  readonly period: { readonly from: string; readonly to: string } | null;
  readonly epoch: number;
  readonly attempt: number;
  readonly createdAt: Date;
  /** The execution whose stored records its rules are tried on. */
  readonly triedOn: string | null;
}

export type Ending =
  | {
      readonly status: 'completed';
      readonly summary: ExecutionSummary;
      /** What was found, stored or not. */
      readonly resultCount: number;
      readonly problems: readonly Problem[];
      readonly controlTotals: readonly ControlTotals[];
      readonly report: StoredReport | null;
      readonly given: GivenMatchIds;
      /** Undefined where nothing was looked for, or too much was seen. */
      readonly seen: Seen | undefined;
    }
  | { readonly status: 'failed'; readonly error: ExecutionError }
  | { readonly status: 'cancelled' };

export interface LeaseStore {
  /** Undefined where the row is not to be had: over, held by another, waiting for its job's other run, or out of attempts. */
  readonly claim: (id: string, owner: string) => Promise<HeldExecution | undefined>;
  readonly renew: (held: HeldExecution) => Promise<'held' | 'cancel' | 'lost'>;
  readonly progress: (held: HeldExecution, progress: Progress) => Promise<void>;
  /** False where the lease was lost or a cancellation came first, and then nothing was changed. */
  readonly end: (held: HeldExecution, ending: Ending) => Promise<boolean>;
  /** Back into the queue, to be tried again after `delayMs`. A worker that stops gives back without costing an attempt. */
  readonly giveBack: (
    held: HeldExecution,
    options: { readonly countsAttempt: boolean; readonly delayMs: number; readonly reason: string },
  ) => Promise<void>;
  /** Ids of rows that somebody should look at: their bell was lost, their worker went silent, or they were left cancelled. */
  readonly sweep: () => Promise<readonly string[]>;
}

export interface ResultWriter {
  /** Removes what earlier attempts left. */
  readonly begin: (held: HeldExecution) => Promise<void>;
  readonly write: (held: HeldExecution, piece: ResultPiece) => Promise<void>;
}
