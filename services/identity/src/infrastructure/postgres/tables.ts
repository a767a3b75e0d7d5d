import type { ChassisTables } from '@settler/chassis/tables';
import type { RevocationKind } from '@settler/contracts/internal/api-keys';
import type { Role, Scope } from '@settler/contracts/scopes';
import type { StatefulService } from '@settler/contracts/services';
import type { ColumnType, Generated } from 'kysely';
import type { RateLimit } from '../../application/api-keys.ts';

type Json<Value> = ColumnType<Value, string, string>;
type Counter = ColumnType<bigint, bigint | number | undefined, bigint | number>;

/** By its user here or from elsewhere, or by an operator, by a token in two hands, by a new password, or with the right to be there. */
export type SessionEnd = 'logout' | 'reuse' | 'revoked' | 'password' | 'membership';

export interface Database extends ChassisTables {
  users: {
    id: string;
    email: string;
    name: string | null;
    password_hash: string;
    password_changed_at: ColumnType<Date | null, never, Date>;
    created_at: Date;
  };
  organizations: {
    organization_id: string;
    name: string;
    slug: string;
    base_currency: string;
    revision: Counter;
    created_at: Date;
  };
  memberships: {
    organization_id: string;
    user_id: string;
    role: Role;
    created_at: Date;
    disabled_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    revision: Counter;
  };
  invitations: {
    id: string;
    organization_id: string;
    email: string;
    role: Role;
    token_hash: Buffer;
    invited_by_type: string;
    invited_by_id: string;
    created_at: Generated<Date>;
    expires_at: Date;
  };
  departed_members: { organization_id: string; user_id: string; revision: Counter; departed_at: Generated<Date> };
  erasures: {
    id: string;
    organization_id: string;
    user_id: string;
    requested_by_type: string;
    requested_by_id: string;
    requested_at: Generated<Date>;
    attempts: Generated<number>;
    next_attempt_at: Generated<Date>;
    completed_at: ColumnType<Date | null, undefined, Date>;
  };
  erasure_steps: {
    erasure_id: string;
    organization_id: string;
    service: StatefulService;
    done_at: ColumnType<Date | null, undefined, Date>;
  };
  mails: {
    id: string;
    sealed_body: string | null;
    status: Generated<'waiting' | 'sent' | 'dropped' | 'failed'>;
    attempts: Generated<number>;
    next_attempt_at: Generated<Date>;
    created_at: Generated<Date>;
    ended_at: ColumnType<Date | null, undefined, Date>;
  };
  password_resets: { token_hash: Buffer; user_id: string; expires_at: Date; used_at: ColumnType<Date | null, undefined, Date> };
  totp_secrets: {
    id: string;
    sealed_secret: string;
    enrolled_at: Generated<Date>;
    confirmed_at: ColumnType<Date | null, undefined, Date>;
    last_step: Counter;
  };
  recovery_codes: { user_id: string; code_hash: Buffer; used_at: ColumnType<Date | null, undefined, Date> };
  session_departures: { session_id: string; organization_id: string; left_at: Generated<Date> };
  sessions: {
    id: string;
    user_id: string;
    organization_id: string;
    generation: Generated<number>;
    created_at: Generated<Date>;
    expires_at: Date;
    ended_at: Date | null;
    end_reason: SessionEnd | null;
  };
  refresh_tokens: { hash: Buffer; session_id: string; generation: number; replaced_at: Date | null };
  api_keys: {
    id: string;
    organization_id: string;
    name: string;
    locator: string;
    prefix: string;
    hash: string;
    scopes: ColumnType<Scope[], readonly Scope[], readonly Scope[]>;
    rate_limit: ColumnType<RateLimit | null, string | null, string | null>;
    allowed_ips: ColumnType<string[], readonly string[], readonly string[]>;
    expires_at: Date | null;
    created_by_type: string;
    created_by_id: string;
    owner_id: string | null;
    successor_id: ColumnType<string | null, undefined, string>;
    revision: Counter;
    created_at: Date;
    last_used_at: Date | null;
    revoked_at: Date | null;
  };
  revocation_counter: { single: Generated<boolean>; revision: Counter };
  revocations: {
    revision: Counter;
    kind: RevocationKind;
    subject_id: string;
    at: Generated<Date>;
    ends_at: Date | 'infinity' | null;
  };
  signing_keys: {
    id: string;
    status: 'next' | 'current' | 'retired' | 'withdrawn';
    public_jwk: Json<Record<string, unknown>>;
    sealed_private_key: string | null;
    created_at: Generated<Date>;
    activated_at: Date | null;
    retired_at: Date | null;
  };
  login_failures: {
    position: Generated<bigint>;
    account: Buffer;
    address: Buffer;
    user_id: string | null;
    at: Generated<Date>;
    said_at: ColumnType<Date | null, undefined, Date>;
  };
  known_addresses: { account: Buffer; address: Buffer; last_login_at: Generated<Date> };
  audit_heads: { organization_id: string; entries: Counter; hash: string; seal: string };
  audit_checkpoints: { organization_id: string; entries: Counter; hash: string; verified_at: Date; seal: string };
  audit_entries: {
    organization_id: string;
    position: Counter;
    id: string;
    at: Date;
    actor_type: string;
    actor_id: string;
    key_id: string | null;
    address: string | null;
    action: string;
    resource_type: string;
    resource_id: string;
    before_state: string | null;
    after_state: string | null;
    hash: string;
  };
}
