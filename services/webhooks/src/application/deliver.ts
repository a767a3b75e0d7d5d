/** The delivery engine: takes what is due, sends it, records what came of it. Waits for nothing but a nudge or the next poll. */
import { faultPoint } from '@settler/chassis/faults';
import type { Logger } from '@settler/chassis/logger';
import { type Poller, startPoller } from '@settler/chassis/poller';
import { maskFor } from '../domain/mask.ts';
import { judge } from '../domain/retry.ts';
import { type HmacSha256, signedHeaders } from '../domain/signature.ts';
import type { Attempted, Claimed, Claims, Send } from './ports.ts';

export interface DeliveryNeeds {
  readonly claims: Claims;
  readonly send: Send;
  readonly openSecret: (claimed: Claimed) => Uint8Array;
  /** The endpoint's own headers. */
  readonly openHeaders: (claimed: Claimed) => Readonly<Record<string, string>>;
  readonly hmac: HmacSha256;
  readonly clock: () => Date;
  readonly chance: () => number;
  readonly scheduleMs: readonly number[];
  readonly concurrency: number;
  readonly pollMs: number;
  /** How long a stop waits for answers. What has none by then is on record as an attempt that failed, and is tried again. */
  readonly drainMs: number;
  readonly logger: Logger;
}

/** What is sealed of an endpoint. */
interface Opened {
  /** The endpoint's own headers. */
  readonly own: Readonly<Record<string, string>>;
  readonly secret: Uint8Array;
}

const notOpened: Attempted = {
  statusCode: null,
  retryAfter: null,
  responseBody: null,
  error: 'not sent: the secret or the headers of the endpoint cannot be decrypted',
  latencyMs: 0,
};

export const startDeliveries = (needs: DeliveryNeeds): Poller => {
  const { claims, logger } = needs;
  const running = new Map<Promise<void>, string>();
  const stopping = new AbortController();

  const slotsByOrganization = () => {
    const slots = new Map<string, number>();
    for (const organizationId of running.values()) slots.set(organizationId, (slots.get(organizationId) ?? 0) + 1);
    return slots;
  };

  const send = (claimed: Claimed, { own, secret }: Opened): Promise<Attempted> => {
    const signed = signedHeaders(claimed.eventId, needs.clock(), claimed.body, [secret], needs.hmac);
    const headers = {
      ...own,
      'content-type': 'application/json',
      'user-agent': 'Settler-Webhooks/1',
      'settler-sequence': String(claimed.sequence),
      ...signed,
    };
    return needs.send(claimed.url, headers, claimed.body, maskFor(Object.values(own)), stopping.signal);
  };

  /** Undefined where a key is missing: an operator may bring it back, and until then the receiver's owner is told. */
  const open = (claimed: Claimed): Opened | undefined => {
    try {
      return { own: needs.openHeaders(claimed), secret: needs.openSecret(claimed) };
    } catch (error) {
      logger.error({ err: error, deliveryId: claimed.id, webhookId: claimed.endpointId }, 'what is sealed of an endpoint does not open');
      return undefined;
    }
  };

  const attempt = async (claimed: Claimed) => {
    try {
      const opened = open(claimed);
      const attempted = opened === undefined ? notOpened : await send(claimed, opened);
      faultPoint('webhooks.sent');
      const verdict = judge(attempted, claimed.attempts + 1, needs.scheduleMs, needs.chance(), needs.clock());
      await claims.finish(claimed, attempted, verdict);
    } catch (error) {
      // The claim expires and the delivery is tried again, under the same id.
      logger.error({ err: error, deliveryId: claimed.id }, 'a delivery could not be recorded');
    }
  };

  const fill = async (): Promise<boolean> => {
    const free = needs.concurrency - running.size;
    if (free <= 0) return false;
    const taken = await claims.claim(free, slotsByOrganization());
    for (const claimed of taken) {
      const work = attempt(claimed).finally(() => {
        running.delete(work);
        poller.wake();
      });
      running.set(work, claimed.organizationId);
    }
    return taken.length > 0;
  };

  const poller = startPoller(needs.pollMs, () =>
    fill().catch((error: unknown) => {
      logger.warn({ err: error }, 'due deliveries could not be claimed; it is tried again');
      return false;
    }),
  );
  return {
    wake: poller.wake,
    stop: async () => {
      await poller.stop();
      const insist = setTimeout(() => stopping.abort(), needs.drainMs);
      await Promise.all(running.keys());
      clearTimeout(insist);
    },
  };
};
