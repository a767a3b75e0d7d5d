import type { Principal } from '@settler/chassis/principal';
import type { Role, Scope } from '@settler/contracts/scopes';
import type { Mail, MailOrder } from '../domain/mail.ts';

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

/** What an access token says. */
export interface Grant {
  readonly userId: string;
  readonly organizationId: string;
  readonly role: Role;
  readonly sessionId: string;
}

/** A session that was begun or continued. */
export interface SignedIn {
  readonly user: User;
  readonly organization: Organization;
  readonly grant: Grant;
  readonly refreshToken: string;
}

export interface Registration {
  readonly user: User;
  readonly passwordHash: string;
  readonly organization: Omit<Organization, 'slug'>;
  /** Tried in this order until one is free. */
  readonly slugs: readonly string[];
  readonly sessionId: string;
  readonly address: string | null;
}

export interface AccountStore {
  readonly find: (userId: string) => Promise<Account | undefined>;
  readonly findByEmail: (email: string) => Promise<Account | undefined>;
  /** User, organization, owner's membership, session and what is said of them. @throws Refusal `conflict` where the e-mail is taken */
  readonly register: (registration: Registration) => Promise<SignedIn>;
}

export interface SessionStore {
  /**
   * Begins a session in the named organization, or in the one that the user joined last.
   * @throws Refusal `not_found` where the user is no member of it, `forbidden` where of none, `unauthenticated` where the password
   * is not the account's any more
   */
  readonly begin: (account: Account, sessionId: string, organizationId: string | undefined, address: string | null) => Promise<SignedIn>;
  /** Ends the session of a token that was used again too late, and says whether there was one. */
  readonly endIfReused: (refreshToken: string, address: string | null) => Promise<boolean>;
  /** @throws Refusal `unauthenticated` for a token that gives nothing any more, `not_found` for an organization that is not the user's */
  readonly refresh: (refreshToken: string, organizationId: string | undefined) => Promise<SignedIn>;
  /** Whoever has a session's token may end it. Unknown and ended ones are fine: what was wanted is so. */
  readonly end: (refreshToken: string, actor: Actor) => Promise<void>;
  /** Ends a session of the user who asks. One that is over is fine. @throws Refusal `not_found`, `version_conflict` */
  readonly endOwn: (sessionId: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  readonly isActive: (sessionId: string) => Promise<boolean>;
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

export interface PasswordStore {
  /** Ends all other sessions of the user. @throws Refusal `conflict` where the account's password is another by now */
  readonly change: (account: Account, passwordHash: string, actor: Actor) => Promise<void>;
}

export interface ClaimedMail {
  readonly id: string;
  readonly order: MailOrder;
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
  readonly mailOf: (claimed: ClaimedMail) => Promise<Mail | undefined>;
  /** Whose password a token may replace. */
  readonly find: (token: string) => Promise<User | undefined>;
  /** Uses the token, and ends every session of the user. Says whether the token still counted. */
  readonly reset: (token: string, passwordHash: string, address: string | null) => Promise<boolean>;
}

/** Failed logins, by account and by address. */
export interface Throttle {
  /** @throws Refusal `rate_limited` */
  readonly require: (email: string, address: string | null) => Promise<void>;
  readonly fail: (email: string, address: string | null) => Promise<void>;
  /** From now on the account's limit does not hold for this address. */
  readonly remember: (email: string, address: string | null) => Promise<void>;
}

export interface Passwords {
  readonly hash: (password: string) => Promise<string>;
  /** Takes as long without a hash, so that an unknown user cannot be told from a wrong password. */
  readonly verify: (password: string, hash: string | undefined) => Promise<boolean>;
}

export interface NewApiKey {
  readonly id: string;
  readonly name: string;
  readonly locator: string;
  readonly prefix: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly rateLimit: RateLimit | null;
  readonly allowedIps: readonly string[];
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
}

export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/** An API key as it may be shown. */
export interface ApiKey extends Omit<NewApiKey, 'hash' | 'locator'> {
  readonly organizationId: string;
  readonly status: 'active' | 'expired' | 'revoked';
  readonly createdBy: { readonly type: string; readonly id: string };
  /** The user who answers for it; null where that is not known. */
  readonly ownerId: string | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly revision: bigint;
}

/** What may be changed of a key; what is undefined stays. */
export type ApiKeyChange = {
  readonly [Field in 'name' | 'scopes' | 'rateLimit' | 'allowedIps' | 'expiresAt']?: NewApiKey[Field] | undefined;
};

export interface ApiKeyStore {
  readonly insert: (key: NewApiKey, actor: Actor) => Promise<ApiKey>;
  /**
   * `admit` looks at the key as it is and would be, and throws where that must not be. A key that is revoked cannot be changed.
   * @throws Refusal `not_found`, `version_conflict`, `conflict`
   */
  readonly update: (
    id: string,
    ifMatch: number | undefined,
    change: ApiKeyChange,
    admit: (changed: ApiKey) => void,
    actor: Actor,
  ) => Promise<ApiKey>;
  /**
   * Puts another key in the place of one that is active. The old one ends after the grace, and not later than it would have anyway.
   * @throws Refusal `not_found`, `version_conflict`, `conflict`
   */
  readonly rotate: (
    id: string,
    ifMatch: number | undefined,
    successor: Pick<NewApiKey, 'id' | 'locator' | 'prefix' | 'hash' | 'createdAt'>,
    graceSeconds: number,
    admit: (old: ApiKey) => void,
    actor: Actor,
  ) => Promise<ApiKey>;
  /** @throws Refusal `not_found`, `version_conflict`. A key that is revoked already stays so. */
  readonly revoke: (id: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  /** The key that a locator names, with its hash, whoever asks. */
  readonly findByLocator: (locator: string) => Promise<(ApiKey & { hash: string }) | undefined>;
  /** Says that a key is in use, at most every few seconds. */
  readonly touch: (organizationId: string, id: string) => Promise<void>;
}
