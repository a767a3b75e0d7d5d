import type { Page } from '@settler/chassis/pagination';
import type { Principal } from '@settler/chassis/principal';
import type { Mask } from '../domain/mask.ts';
import type { Verdict } from '../domain/retry.ts';

/** Who does it and from where, for the audit trail. */
export interface Actor {
  readonly principal: Principal;
  readonly address: string | null;
}

export type EndpointStatus = 'active' | 'paused' | 'disabled';
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'held';

export interface EndpointView {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string | null;
  /** Names only: values may be credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly status: EndpointStatus;
  readonly disabledReason: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface EndpointInput {
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export type EndpointChange = { readonly [Key in keyof EndpointInput]?: EndpointInput[Key] | undefined } & {
  readonly status?: 'active' | 'paused' | undefined;
};

export interface Revised<View> {
  readonly view: View;
  readonly revision: bigint;
}

export interface EndpointStore {
  readonly insert: (
    endpoint: EndpointInput & { readonly id: string; readonly sealedSecret: string },
    actor: Actor,
  ) => Promise<Revised<EndpointView>>;
  /** @throws Refusal `not_found` or `version_conflict` */
  readonly update: (id: string, change: EndpointChange, ifMatch: number | undefined, actor: Actor) => Promise<Revised<EndpointView>>;
  /** @throws Refusal `not_found` or `version_conflict` */
  readonly remove: (id: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
}

export interface AttemptView {
  readonly at: string;
  readonly statusCode: number | null;
  readonly latencyMs: number;
  readonly responseBody: string | null;
  readonly error: string | null;
}

export interface DeliveryView {
  readonly id: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly sequence: number;
  readonly status: DeliveryStatus;
  readonly attempts: readonly AttemptView[];
  readonly nextAttemptAt: string | null;
  readonly nextReason: string | null;
  readonly createdAt: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface WebhookQueries {
  readonly endpoint: (organizationId: string, id: string) => Promise<Revised<EndpointView> | undefined>;
  readonly endpoints: (organizationId: string, page: PageRequest) => Promise<Page<EndpointView>>;
  readonly delivery: (organizationId: string, id: string) => Promise<DeliveryView | undefined>;
  /** Undefined where there is no such endpoint. */
  readonly deliveries: (
    organizationId: string,
    endpointId: string,
    filter: PageRequest & { status?: DeliveryStatus | undefined; eventType?: string | undefined; since?: string | undefined },
  ) => Promise<Page<DeliveryView> | undefined>;
}

/** What came of one attempt. */
export interface Attempted {
  readonly statusCode: number | null;
  readonly retryAfter: string | null;
  readonly responseBody: string | null;
  readonly error: string | null;
  readonly latencyMs: number;
}

/** What is kept of the answer is masked. Once `stopping` is aborted, nobody waits for an answer any more. */
export type Send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  mask: Mask,
  stopping: AbortSignal,
) => Promise<Attempted>;

export interface Claimed {
  readonly id: string;
  readonly organizationId: string;
  readonly endpointId: string;
  readonly claimId: string;
  readonly eventId: string;
  readonly sequence: bigint;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly url: string;
  /** Those that are not sealed yet. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sealedHeaders: string | null;
  readonly sealedSecret: string;
  readonly body: string;
}

export interface Claims {
  /**
   * Due deliveries for `free` slots, where `running` says how many slots an organization has already. An endpoint gets a few at most, and
   * an organization no more than it leaves free: alone half of all, and whoever comes next finds half of the rest. So the slots of those
   * who wait for slow receivers never are all of them.
   */
  readonly claim: (free: number, running: ReadonlyMap<string, number>) => Promise<Claimed[]>;
  /** False where the claim was lost, and then nothing was changed. */
  readonly finish: (claimed: Claimed, attempted: Attempted, verdict: Verdict) => Promise<boolean>;
}
