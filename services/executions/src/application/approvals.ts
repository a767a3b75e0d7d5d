import type { Page } from '@settler/chassis/pagination';
import type { ApprovalStatus, Verdict } from '../domain/approval.ts';
import type { Actor } from './ports.ts';
import type { ApprovalView, PageRequest } from './queries.ts';

export interface ApprovalFilter extends PageRequest {
  readonly jobId?: string | undefined;
  readonly exceptionId?: string | undefined;
  readonly status?: ApprovalStatus | undefined;
}

export interface ApprovalQueries {
  readonly list: (organizationId: string, filter: ApprovalFilter) => Promise<Page<ApprovalView>>;
  readonly read: (organizationId: string, id: string) => Promise<{ view: ApprovalView; revision: bigint } | undefined>;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly note: string | null;
  /** The id of the match that is made, where it is one that is approved. */
  readonly newResultId: string;
}

export interface ApprovalStore {
  /**
   * @throws Refusal `not_found`, `version_conflict`, `forbidden` for whoever asked for it, and for everybody else where it is withdrawn, or
   * `conflict` where it is over, or cannot be done any more
   */
  readonly decide: (id: string, ifMatch: number | undefined, decision: Decision, actor: Actor) => Promise<void>;
}
