/**
 * Doorbells of long work: one pull per free slot, because messages that wait behind a long task in a buffer are redelivered to
 * others. The message only says that a row may be ready: the row is the truth, and the bell is acknowledged once it was claimed.
 */
import { jetstream } from '@nats-io/jetstream';
import type { ConsumerDefinition } from '@settler/contracts/streams';
import type { Broker } from './broker.ts';
import type { Stoppable } from './consumer.ts';
import type { Logger } from './logger.ts';

const pullExpiresMs = 5_000;
const reopenDelayMs = 500;

export interface DoorbellOptions {
  readonly definition: ConsumerDefinition;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly slots: number;
  /**
   * Called with the message's JSON. Claims, then calls `acknowledge`, then works; the slot pulls again when it resolves.
   * Throwing before `acknowledge` rings again later.
   */
  readonly onRing: (message: unknown, acknowledge: () => void) => Promise<void>;
}

export const startDoorbell = ({ definition, broker, logger, slots, onRing }: DoorbellOptions): Stoppable => {
  let stopping = false;
  const aborts = new Set<() => void>();

  const slot = async () => {
    while (!stopping) {
      try {
        const connection = await broker.connection();
        const consumer = await jetstream(connection).consumers.get(definition.stream, definition.durable);
        while (!stopping) await ring(consumer);
      } catch (error) {
        logger.debug({ err: error, consumer: definition.durable }, 'the doorbell is out of reach');
        if (!stopping) await new Promise((resolve) => setTimeout(resolve, reopenDelayMs));
      }
    }
  };

  const ring = async (consumer: Awaited<ReturnType<ReturnType<typeof jetstream>['consumers']['get']>>) => {
    const messages = await consumer.fetch({ max_messages: 1, expires: pullExpiresMs, idle_heartbeat: 1_000 });
    const abort = () => messages.stop();
    aborts.add(abort);
    try {
      for await (const message of messages) {
        let acknowledged = false;
        const acknowledge = () => {
          acknowledged = true;
          message.ack();
        };
        await onRing(message.json(), acknowledge).catch((error: unknown) => {
          logger.error({ err: error, consumer: definition.durable }, 'a doorbell could not be answered');
          if (!acknowledged) message.nak(1_000);
        });
      }
    } finally {
      aborts.delete(abort);
    }
  };

  const running = Array.from({ length: slots }, slot);
  return {
    stop: async () => {
      stopping = true;
      for (const abort of aborts) abort();
      if (broker.isConnected()) await Promise.all(running);
    },
  };
};
