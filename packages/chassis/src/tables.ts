/** The tables that every service with a database has, as Kysely sees them. A service's own interface extends this one. */
import type { Generated, GeneratedAlways } from 'kysely';

export interface ChassisTables {
  outbox: {
    position: Generated<bigint>;
    event_id: string;
    organization_id: string;
    subject: string;
    /** The first word of the subject. */
    stream: GeneratedAlways<string>;
    aggregate_id: string;
    /** Rows with a higher one leave first: the end of an execution must not wait behind ten thousand exceptions. */
    priority: number;
    body: string;
    attempts: Generated<number>;
    created_at: Generated<Date>;
  };
  outbox_sent: {
    position: bigint;
    event_id: string;
    organization_id: string;
    subject: string;
    aggregate_id: string;
    body: string;
    stream_sequence: bigint;
    sent_at: Generated<Date>;
  };
  outbox_quarantine: {
    event_id: string;
    organization_id: string;
    subject: string;
    aggregate_id: string;
    body: string;
    reason: string;
    quarantined_at: Generated<Date>;
  };
  relay_lease: { name: string; owner: string | null; epoch: Generated<bigint>; held_until: Date | null };
  inbox: { consumer: string; event_id: string; organization_id: string; received_at: Generated<Date> };
  inbox_attempts: { consumer: string; event_id: string; attempts: number; last_error: string | null; updated_at: Generated<Date> };
  dead_letters: {
    consumer: string;
    event_id: string;
    organization_id: string;
    subject: string;
    body: string;
    attempts: number;
    error: string;
    dead_at: Generated<Date>;
    /** Set by an operator: the consumer handles it once more. */
    replay_requested_at: Generated<Date | null>;
  };
  idempotency_keys: {
    organization_id: string;
    scope: string;
    key: string;
    fingerprint: string;
    /** Null while a route with remote work holds its claim. */
    status: number | null;
    headers: string | null;
    body: string | null;
    claimed_until: Date | null;
    created_at: Generated<Date>;
  };
}
