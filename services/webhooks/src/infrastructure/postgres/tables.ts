import type { ChassisTables } from '@settler/chassis/tables';
import type { ColumnType, Generated } from 'kysely';
import type { DeliveryStatus, EndpointStatus } from '../../application/ports.ts';

type Counter = ColumnType<bigint, bigint | number | undefined, bigint | number>;

export interface Database extends ChassisTables {
  endpoints: {
    id: string;
    organization_id: string;
    url: string;
    events: string[];
    description: string | null;
    /** Those that are not sealed yet. */
    headers: ColumnType<Record<string, string>, string | undefined, string>;
    header_names: string[];
    /** A JSON object; null where there are none. */
    sealed_headers: string | null;
    status: EndpointStatus;
    disabled_reason: string | null;
    secret: string;
    last_sequence: Counter;
    revision: Counter;
    created_at: Date;
    updated_at: Date;
  };
  events: { id: string; organization_id: string; type: string; body: string; received_at: Generated<Date> };
  deliveries: {
    id: string;
    organization_id: string;
    endpoint_id: string;
    event_id: string;
    event_type: string;
    sequence: ColumnType<bigint, bigint | number, never>;
    status: DeliveryStatus;
    attempt_count: Generated<number>;
    next_attempt_at: Date | null;
    next_reason: string | null;
    claim_id: string | null;
    claimed_until: Date | null;
    created_at: Generated<Date>;
  };
  attempts: {
    delivery_id: string;
    organization_id: string;
    position: number;
    at: Date;
    status_code: number | null;
    latency_ms: number;
    response_body: string | null;
    error: string | null;
  };
}
