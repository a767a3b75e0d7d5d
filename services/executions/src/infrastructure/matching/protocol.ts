/** What the service and its matching thread say to each other. One request, one reply; notices may come in between. */
import type { MessagePort } from 'node:worker_threads';
import type { ExecutionErrorCode } from '@settler/contracts/execution-errors';
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { Rules } from '@settler/contracts/rules';
import type {
  BaseResult,
  GivenMatchIds,
  HandMatch,
  MatchingInput,
  OpenItem,
  ResultRows,
  ResultRun,
  Separation,
  SideRecord,
  StoredRun,
  WatchedPiece,
} from '../../application/ports.ts';
import type { PassSum } from '../../domain/certificate.ts';
import type { Comparison, ControlTotals, Problem } from '../../domain/execution.ts';
import type { EarlierMatches } from '../../domain/matching/earlier-matches.ts';
import type { BrokenMatch } from '../../domain/matching/kept-matches.ts';
import type { RunDiff } from '../../domain/run-diff.ts';
import type { Side } from '../../domain/side.ts';

export type Request =
  | { readonly kind: 'give'; readonly matches: readonly HandMatch[] }
  | { readonly kind: 'feed'; readonly results: readonly BaseResult[]; readonly run: StoredRun }
  | { readonly kind: 'remember'; readonly results: readonly BaseResult[] }
  | { readonly kind: 'compare'; readonly rules: Rules; readonly asOf: string }
  | { readonly kind: 'separate'; readonly separations: readonly Separation[] }
  | { readonly kind: 'know'; readonly matches: readonly EarlierMatches[] }
  | { readonly kind: 'carry'; readonly items: readonly OpenItem[] }
  | { readonly kind: 'watch'; readonly recordIds: readonly string[] }
  | { readonly kind: 'read'; readonly side: Side; readonly input: MatchingInput }
  | { readonly kind: 'broken' }
  | { readonly kind: 'bring'; readonly records: readonly SideRecord[] }
  | { readonly kind: 'match'; readonly rules: Rules; readonly asOf: string }
  /** The next results, as rows of that run, in the memory of those that are `written`. */
  | { readonly kind: 'next'; readonly run: ResultRun; readonly written: ResultRows | undefined }
  | { readonly kind: 'sums' }
  /** The run is over, and another one begins. Not answered. */
  | { readonly kind: 'forget' };

export type Reply =
  | { readonly kind: 'given' }
  | { readonly kind: 'fed'; readonly controlTotals: readonly ControlTotals[] }
  | { readonly kind: 'remembered' }
  | { readonly kind: 'compared'; readonly diff: RunDiff; readonly handMatches: Comparison['handMatches'] }
  | { readonly kind: 'separated' }
  | { readonly kind: 'known' }
  | { readonly kind: 'carried' }
  | { readonly kind: 'watched' }
  | { readonly kind: 'read'; readonly controlTotals: readonly ControlTotals[] }
  | { readonly kind: 'broken'; readonly matches: readonly BrokenMatch[] }
  | { readonly kind: 'brought' }
  | {
      readonly kind: 'matched';
      readonly summary: ExecutionSummary;
      readonly resultCount: number;
      readonly problems: readonly Problem[];
      readonly given: GivenMatchIds;
    }
  | { readonly kind: 'results'; readonly piece: WatchedPiece }
  | { readonly kind: 'sums'; readonly sums: readonly PassSum[] }
  | { readonly kind: 'unreadable'; readonly code: ExecutionErrorCode; readonly message: string; readonly line: number | undefined }
  | { readonly kind: 'refused'; readonly code: ExecutionErrorCode; readonly message: string; readonly side: Side | undefined };

export type Notice =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | null }
  /** The thread wants a file, and its bytes over this port: files are the service's, which has the database. */
  | { readonly kind: 'file'; readonly fileId: string; readonly port: MessagePort };
