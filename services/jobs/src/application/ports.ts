import type { Principal } from '@settler/chassis/principal';
import type { Job, Refused, Transition } from '../domain/job.ts';

/** Who does it and from where, for the audit trail. */
export interface Actor {
  readonly principal: Principal;
  readonly address: string | null;
}

export interface JobStore {
  readonly insert: (transition: Transition, actor: Actor) => Promise<void>;
  /**
   * Locks the row, applies `change`, writes the row and what happened.
   * @throws Refusal `not_found`, `version_conflict` where `ifMatch` names another revision, `conflict` where `change` refuses
   */
  readonly update: (id: string, ifMatch: number | undefined, actor: Actor, change: (job: Job) => Transition | Refused) => Promise<Job>;
}
