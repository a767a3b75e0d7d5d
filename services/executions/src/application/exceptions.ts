import type {
  ExceptionChange,
  ExceptionState,
  ExceptionStatus,
  ExceptionTransition,
  ManualResolution,
  Refused,
} from '../domain/exception-life.ts';
import type { Actor } from './ports.ts';
import type { CommentView, ExceptionFilter } from './queries.ts';

export type Decide = (state: ExceptionState) => ExceptionTransition | Refused;

/** What became of one of many; `code` says why it is not what was asked for. */
export interface BulkOutcome {
  readonly id: string;
  /** As it is now; null where there is no such exception. */
  readonly status: ExceptionStatus | null;
  readonly code?: 'not_found' | 'conflict' | 'approval_required';
}

/** At most a thousand; `hasMore` says whether the filter finds others beyond those. */
export interface BulkOutcomes {
  readonly data: readonly BulkOutcome[];
  readonly hasMore: boolean;
}

export type Wanted = { readonly ids: readonly string[] } | { readonly filter: ExceptionFilter };

export interface ExceptionStore {
  readonly resolveMany: (
    wanted: Wanted,
    how: { readonly resolution: ManualResolution; readonly note: string | null },
    actor: Actor,
  ) => Promise<BulkOutcomes>;
  readonly changeMany: (wanted: Wanted, change: ExceptionChange, actor: Actor) => Promise<BulkOutcomes>;
  /** @throws Refusal `not_found`, `version_conflict`, or `conflict` with what `decide` refuses */
  readonly decide: (id: string, ifMatch: number | undefined, actor: Actor, decide: Decide) => Promise<void>;
  /**
   * Above what one person may settle it waits, as this approval, for a second one.
   * @throws Refusal `not_found`, `version_conflict`, or `conflict` where it is closed, or waits already
   */
  readonly resolve: (
    id: string,
    ifMatch: number | undefined,
    how: { readonly resolution: ManualResolution; readonly note: string | null },
    approvalId: string,
    actor: Actor,
  ) => Promise<'resolved' | 'pending'>;
  /** @throws Refusal `not_found`, or `conflict` where it has as many as it may */
  readonly comment: (id: string, comment: { readonly id: string; readonly text: string }, actor: Actor) => Promise<CommentView>;
}
