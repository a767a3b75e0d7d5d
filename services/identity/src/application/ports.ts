import type { Principal } from '@settler/chassis/principal';
import type { Role } from '@settler/contracts/scopes';
import type { InvitationOrder, Mail, MailOrder, PasswordResetOrder } from '../domain/mail.ts';

/** Who does it and from where, for the audit trail. */
export interface Actor {
  readonly principal: Principal;
  readonly address: string | null;
}

export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
}

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly baseCurrency: string;
  readonly createdAt: Date;
}

/** A user, and what proves who that is. */
export interface Account {
  readonly user: User;
  readonly passwordHash: string;
}

/** What shows, beside the password, who somebody is: the step of a one-time code, or a recovery code. Each counts once. */
export type FactorProof = { readonly kind: 'code'; readonly step: number } | { readonly kind: 'recoveryCode'; readonly hash: Buffer };

/** Somebody whose password was right, and whose second factor too where there is one. */
export interface Authenticated extends Account {
  readonly proof: FactorProof | undefined;
}

/** What an access token says. */
export interface Grant {
  readonly userId: string;
  readonly organizationId: string;
  readonly role: Role;
  readonly sessionId: string;
  readonly sessionEndsAt: Date;
}

/** For how long it counts: never beyond the end of the session. */
export type SignAccessToken = (grant: Grant) => Promise<{ readonly token: string; readonly seconds: number }>;

/** A session that was begun or continued. */
export interface SignedIn {
  readonly user: User;
  readonly organization: Organization;
  readonly grant: Grant;
  readonly refreshToken: string;
}

export interface Registration {
  readonly account: Authenticated;
  /** Else that of somebody who is a member nowhere any more. */
  readonly isNew: boolean;
  readonly organization: Omit<Organization, 'slug'>;
  /** Tried in this order until one is free. */
  readonly slugs: readonly string[];
  readonly sessionId: string;
  readonly address: string | null;
}

export interface AccountStore {
  readonly find: (userId: string) => Promise<Account | undefined>;
  readonly findByEmail: (email: string) => Promise<Account | undefined>;
  /** Whether no organization has this user, not even one that has disabled the membership. */
  readonly isMemberless: (userId: string) => Promise<boolean>;
  /**
   * User, organization, owner's membership, session and what is said of them. Undefined where the e-mail was taken meanwhile, or the user
   * became a member.
   * @throws Refusal `unauthenticated` where the password is not the account's any more, or the second factor was used at the same time
   */
  readonly register: (registration: Registration) => Promise<SignedIn | undefined>;
}

export interface SessionStore {
  /**
   * Begins a session in the named organization, or in the one that the user joined last.
   * @throws Refusal `not_found` where the user is no member of it, `forbidden` where of none, `unauthenticated` where the password
   * is not the account's any more, or the second factor was used at the same time
   */
  readonly begin: (
    account: Authenticated,
    sessionId: string,
    organizationId: string | undefined,
    address: string | null,
  ) => Promise<SignedIn>;
  /** Ends the session of a token that was used again too late, and says whether there was one. */
  readonly endIfReused: (refreshToken: string, address: string | null) => Promise<boolean>;
  /** @throws Refusal `unauthenticated` for a token that gives nothing any more, `not_found` for an organization that is not the user's */
  readonly refresh: (refreshToken: string, organizationId: string | undefined, address: string | null) => Promise<SignedIn>;
  /** Whoever has a session's token may end it. Unknown and ended ones are fine: what was wanted is so. */
  readonly end: (refreshToken: string, actor: Actor) => Promise<void>;
  /** Ends a session of the user who asks. One that is over is fine. @throws Refusal `not_found`, `version_conflict` */
  readonly endOwn: (sessionId: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  readonly isActive: (sessionId: string, signedBy?: string) => Promise<boolean>;
  /** Whether its user logged in less than `ms` ago, however often it was refreshed since. */
  readonly isYounger: (sessionId: string | undefined, ms: number) => Promise<boolean>;
}

/** A user's membership, with what the organization's members may know of the user. */
export interface Member extends User {
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly joinedAt: Date;
  readonly revision: bigint;
}

export interface MemberChange {
  readonly role?: Role;
  readonly isDisabled?: boolean;
}

export interface MemberStore {
  /**
   * Ends the member's sessions there where the rights in them are not the member's any more.
   * @throws Refusal `not_found`, `version_conflict`, `forbidden`, and `conflict` for the last owner
   */
  readonly update: (userId: string, ifMatch: number | undefined, change: MemberChange, actor: Actor) => Promise<Member>;
  /** @throws Refusal as `update` does */
  readonly remove: (userId: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  /** By the member, whatever the member may do. @throws Refusal as `update` does */
  readonly leave: (organizationId: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
}

export interface NewInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
}

/** One that stands open: neither accepted, nor withdrawn, nor over. */
export interface Invitation extends NewInvitation {
  readonly organizationId: string;
  readonly invitedBy: { readonly type: string; readonly id: string };
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface Acceptance {
  readonly token: string;
  /** Whose password was checked, or who is to be from now on. */
  readonly account: Authenticated;
  readonly isNew: boolean;
  readonly sessionId: string;
  readonly address: string | null;
}

export interface InvitationStore {
  /**
   * Orders the mail, and takes the place of an earlier invitation of the same address.
   * @throws Refusal `forbidden`, and `conflict` where the address is a member's
   */
  readonly create: (invitation: NewInvitation, actor: Actor) => Promise<Invitation>;
  /** @throws Refusal `not_found`, `version_conflict`, `forbidden` */
  readonly withdraw: (id: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  /** The mail that was ordered; undefined where the invitation does not stand any more. */
  readonly mailOf: (order: InvitationOrder) => Promise<Mail | undefined>;
  /** The invitation that a token is of. */
  readonly find: (token: string) => Promise<Invitation | undefined>;
  /**
   * Uses the token: membership, session, and the user where there was none. Undefined where the token does not count any more.
   * @throws Refusal `unauthenticated` where the password is not the account's any more, `conflict` where the user has come to be
   */
  readonly accept: (acceptance: Acceptance) => Promise<SignedIn | undefined>;
}

export type OrganizationChange = Partial<Pick<Organization, 'name' | 'baseCurrency'>>;

export interface OrganizationStore {
  /** @throws Refusal `not_found`, `version_conflict` */
  readonly update: (
    ifMatch: number | undefined,
    change: OrganizationChange,
    actor: Actor,
  ) => Promise<{ organization: Organization; revision: bigint }>;
}

/** What a password is replaced with; a short one counts only beside a second factor. */
export interface NewPassword {
  readonly hash: string;
  readonly isShort: boolean;
}

export interface PasswordStore {
  /** Ends all other sessions of the user. @throws Refusal `conflict` where the account's password or second factor is another by now */
  readonly change: (account: Account, password: NewPassword, actor: Actor) => Promise<void>;
}

/** The secret that a code was shown of, before it counts. */
export interface Enrolment {
  readonly enrolledAt: Date;
  readonly step: number;
}

export interface SecondFactors {
  readonly isOn: (userId: string) => Promise<boolean>;
  /** What a text proves; nothing where it is wrong, was used or is missing. Nothing is used up yet. */
  readonly check: (
    userId: string,
    text: string | undefined,
  ) => Promise<{ readonly isOn: false } | { readonly isOn: true; readonly proof: FactorProof | undefined }>;
  /** A new secret in base32, in place of one that was not confirmed. @throws Refusal `conflict` where one is confirmed */
  readonly enrol: (userId: string, actor: Actor) => Promise<string>;
  /** Undefined where the code is wrong. @throws Refusal `conflict` where nothing waits for it */
  readonly checkEnrolment: (userId: string, code: string) => Promise<Enrolment | undefined>;
  /** From now on it counts. Returns the recovery codes. @throws Refusal `conflict` */
  readonly confirm: (userId: string, enrolment: Enrolment, actor: Actor) => Promise<readonly string[]>;
  /** @throws Refusal `unauthenticated` where password or proof do not count any more */
  readonly remove: (account: Authenticated, actor: Actor) => Promise<void>;
}

export interface ClaimedMail {
  readonly id: string;
  /** Opens it. @throws where it does not open, which is nothing to the other mails that were claimed with it */
  readonly order: () => MailOrder;
  readonly attempts: number;
  readonly orderedAt: Date;
}

export interface MailQueue {
  /** Nobody else takes them until the lease is over. */
  readonly claim: (count: number) => Promise<readonly ClaimedMail[]>;
  /** Without effect where somebody else has claimed it since. */
  readonly end: (mail: ClaimedMail, status: 'sent' | 'dropped' | 'failed') => Promise<void>;
  readonly putOff: (mail: ClaimedMail, delayMs: number) => Promise<void>;
}

/** Resolves once a mail is somebody else's responsibility. `id` is the same however often it is sent. */
export type SendMail = (id: string, mail: Mail) => Promise<void>;

export interface PasswordResets {
  /** Orders the mail. */
  readonly order: (email: string) => Promise<void>;
  /** The mail that was ordered, its token known from now on; the same each time. Undefined where nobody is to get one. */
  readonly mailOf: (claimed: ClaimedMail, order: PasswordResetOrder) => Promise<Mail | undefined>;
  /** Whose password a token may replace. */
  readonly find: (token: string) => Promise<User | undefined>;
  /** Uses the token, and ends every session of the user. Says whether the token still counted. */
  readonly reset: (token: string, password: NewPassword, address: string | null) => Promise<boolean>;
}

/** Failed logins, by account and by address. */
export interface Throttle {
  /** @throws Refusal `rate_limited` */
  readonly require: (email: string, address: string | null) => Promise<void>;
  /**
   * With the user whose account it is, the trail comes to know it.
   * @throws Refusal `rate_limited` where it is one too many: of guesses at once all have passed `require`, and what they found out is not told.
   */
  readonly fail: (email: string, address: string | null, userId?: string | null) => Promise<void>;
  /**
   * One more of what may be done as often as a login may fail, where there is room.
   * @throws Refusal `rate_limited`
   */
  readonly spend: (what: string, from: string | null) => Promise<void>;
  /** From now on the account's limit does not hold for this address. */
  readonly remember: (email: string, address: string | null) => Promise<void>;
  /** Nothing is kept of this account any more. */
  readonly forget: (email: string) => Promise<void>;
}

/** Waits until there is room for the work. @throws Refusal `upstream_unavailable` where too many wait */
export type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>;

export interface Passwords {
  readonly hash: (password: string) => Promise<string>;
  /** Takes as long without a hash, so that an unknown user cannot be told from a wrong password. */
  readonly verify: (password: string, hash: string | undefined) => Promise<boolean>;
}
