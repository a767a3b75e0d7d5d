/** The delivery engine: takes what is due, sends it, records what came of it. Waits for nothing but a nudge or the next poll. */
import { faultPoint } from '@settler/chassis/faults';
import type { Logger } from '@settler/chassis/logger';
import { judge } from '../domain/retry.ts';
import { type HmacSha256, signedHeaders } from '../domain/signature.ts';
import type { Claimed, Claims, Send } from './ports.ts';

export interface DeliveryNeeds {
  readonly claims: Claims;
  readonly send: Send;
  readonly openSecret: (claimed: Claimed) => Uint8Array;
  readonly hmac: HmacSha256;
  readonly clock: () => Date;
  readonly chance: () => number;
  readonly scheduleMs: readonly number[];
  readonly concurrency: number;
  readonly pollMs: number;
  readonly logger: Logger;
}

export const startDeliveries = (needs: DeliveryNeeds) => {
  const { claims, logger } = needs;
  const running = new Set<Promise<void>>();
  let stopping = false;
  let nudged = false;
  let rouse = () => {};

  const wake = () => {
    nudged = true;
    rouse();
  };

  const attempt = async (claimed: Claimed) => {
    try {
      const sentAt = needs.clock();
      const signed = signedHeaders(claimed.eventId, sentAt, claimed.body, [needs.openSecret(claimed)], needs.hmac);
      const headers = {
        ...claimed.headers,
        'content-type': 'application/json',
        'user-agent': 'Settler-Webhooks/1',
        'settler-sequence': String(claimed.sequence),
        ...signed,
      };
      const attempted = await needs.send(claimed.url, headers, claimed.body);
      faultPoint('webhooks.sent');
      const verdict = judge(attempted, claimed.attempts + 1, needs.scheduleMs, needs.chance(), needs.clock());
      await claims.finish(claimed, attempted, verdict);
    } catch (error) {
      // The claim expires and the delivery is tried again, under the same id.
      logger.error({ err: error, deliveryId: claimed.id }, 'a delivery could not be recorded');
    }
  };

  const fill = async (): Promise<number> => {
    const free = needs.concurrency - running.size;
    if (free <= 0) return 0;
    const taken = await claims.claim(free);
    for (const claimed of taken) {
      const work = attempt(claimed).finally(() => {
        running.delete(work);
        wake();
      });
      running.add(work);
    }
    return taken.length;
  };

  const loop = async () => {
    while (!stopping) {
      nudged = false;
      const taken = await fill().catch((error: unknown) => {
        logger.warn({ err: error }, 'due deliveries could not be claimed; it is tried again');
        return 0;
      });
      if (taken > 0 || nudged || stopping) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, needs.pollMs);
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await Promise.all(running);
  };
  const ended = loop();

  return {
    wake,
    stop: async () => {
      stopping = true;
      rouse();
      await ended;
    },
  };
};
