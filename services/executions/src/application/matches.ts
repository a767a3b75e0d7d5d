import type { Wanted } from '../domain/hand-match.ts';
import type { Actor } from './ports.ts';
import type { ApprovalView, ResultView } from './queries.ts';

/** A match is never changed: it is there, or it is not. */
export const matchRevision = 1;

export interface MatchRequest extends Wanted {
  readonly executionId: string;
  readonly note: string | null;
}

export interface MatchStore {
  /**
   * Above what one person may settle it waits, as an approval, for a second one.
   * @throws Refusal `not_found`, `validation_failed` with the path of an id that is none of that side's, or `conflict` where the records
   * cannot be matched, or not any more
   */
  readonly create: (
    ids: { readonly result: string; readonly approval: string },
    request: MatchRequest,
    actor: Actor,
  ) => Promise<{ readonly kind: 'matched'; readonly result: ResultView } | { readonly kind: 'pending'; readonly approval: ApprovalView }>;
  /** @throws Refusal `not_found`, `version_conflict`, or `conflict` where it is none, or was built upon */
  readonly remove: (executionId: string, resultId: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
}
