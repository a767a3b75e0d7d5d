/** What is known of members as persons, and how it is erased. */
import type { StatefulService } from '@settler/contracts/services';
import type { Actor, Member, User } from './ports.ts';

/** Everything that is known here of somebody who is or was a member, as a person. Sessions and addresses are those of this organization alone. */
export interface PersonalData {
  readonly user: User;
  /** Null for somebody who has left. */
  readonly membership: Pick<Member, 'role' | 'isDisabled' | 'joinedAt'> | null;
  readonly sessions: readonly { readonly id: string; readonly createdAt: Date; readonly expiresAt: Date; readonly endedAt: Date | null }[];
  readonly apiKeys: readonly { readonly id: string; readonly name: string; readonly createdAt: Date }[];
  /** From where the member acted, as the audit trail still has it. */
  readonly addresses: readonly {
    readonly address: string;
    readonly entries: number;
    readonly firstSeenAt: Date;
    readonly lastSeenAt: Date;
  }[];
}

export interface Erasure {
  readonly id: string;
  readonly userId: string;
  readonly requestedAt: Date;
  readonly completedAt: Date | null;
  readonly steps: readonly { readonly service: StatefulService; readonly doneAt: Date | null }[];
}

/** One that is taken up, by this process and for a while. */
export interface DueErasure {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly attempts: number;
}

export interface Erasures {
  /**
   * Ends membership, sessions and keys at once, and asks every service. One that is under way already is answered with, unless the user was
   * a member or was invited again since it was asked for.
   * @throws Refusal as removing a member does; `not_found` for who neither is nor was one
   */
  readonly request: (id: string, userId: string, ifMatch: number | undefined, actor: Actor) => Promise<string>;
  /** Says in the trail that somebody has exported the data of a member. */
  readonly sayExported: (userId: string, actor: Actor) => Promise<void>;
  readonly claim: (count: number) => Promise<readonly DueErasure[]>;
  /** What is kept here and nowhere else. May be done again. */
  readonly eraseHere: (erasure: DueErasure) => Promise<void>;
  /** Those that have not answered yet. */
  readonly askAgain: (erasure: DueErasure) => Promise<void>;
}
