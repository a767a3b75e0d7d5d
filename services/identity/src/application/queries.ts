/** The reads: what lists and single resources are asked by, and what they answer. */
import type { Page } from '@settler/chassis/pagination';
import type { RevocationsAnswer } from '@settler/contracts/internal/api-keys';
import type { Role } from '@settler/contracts/scopes';
import type { Verdict } from '../domain/audit-chain.ts';
import type { ApiKey } from './api-keys.ts';
import type { Erasure, PersonalData } from './personal-data.ts';
import type { Invitation, Member, Organization } from './ports.ts';

export interface PageWanted {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface MyOrganization extends Organization {
  readonly role: Role;
}

/** A session that has not ended. */
export interface MySession {
  readonly id: string;
  readonly organizationId: string;
  readonly createdAt: Date;
  readonly refreshedAt: Date | null;
  readonly expiresAt: Date;
}

export interface AuditFilter extends PageWanted {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** An id, or a type such as `job`. */
  readonly resource?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly keyId?: string;
  readonly address: string | null;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly before?: unknown;
  readonly after?: unknown;
  readonly hash: string;
}

export interface Queries {
  readonly organization: (organizationId: string) => Promise<{ organization: Organization; revision: bigint } | undefined>;
  readonly organizationsOf: (userId: string, page: PageWanted) => Promise<Page<MyOrganization>>;
  readonly members: (organizationId: string, page: PageWanted) => Promise<Page<Member>>;
  readonly isActiveMember: (organizationId: string, userId: string) => Promise<boolean>;
  readonly personalData: (organizationId: string, userId: string) => Promise<PersonalData | undefined>;
  readonly erasure: (organizationId: string, id: string) => Promise<Erasure | undefined>;
  readonly invitation: (organizationId: string, id: string) => Promise<Invitation | undefined>;
  readonly invitations: (organizationId: string, page: PageWanted) => Promise<Page<Invitation>>;
  readonly sessionsOf: (userId: string, page: PageWanted) => Promise<Page<MySession>>;
  readonly apiKey: (organizationId: string, id: string) => Promise<ApiKey | undefined>;
  readonly apiKeys: (organizationId: string, page: PageWanted) => Promise<Page<ApiKey>>;
}

export interface AuditQueries {
  readonly list: (organizationId: string, filter: AuditFilter) => Promise<Page<AuditEvent>>;
  /** Reads all entries, or those after the newest checkpoint, and leaves a checkpoint where everything is well. */
  readonly verify: (organizationId: string, from: 'start' | 'checkpoint', at: Date) => Promise<Verdict>;
}

export interface Revocations {
  readonly after: (revision: number) => Promise<RevocationsAnswer>;
}
