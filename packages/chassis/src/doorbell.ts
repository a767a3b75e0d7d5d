/**
 * Doorbells of long work: no more are pulled than slots are free, because messages that wait behind a long task in a buffer are
 * redelivered to others. Slots that become free at the same moment share a pull. The message only says that a row may be ready: the row is
 * the truth, and the bell is acknowledged once it was claimed.
 */
import { type Consumer, type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
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
  let isStopping = false;
  /** Neither at work nor asked for. */
  let free = slots;
  let isPullDue = false;
  const pulls = new Map<Promise<void>, () => void>();
  const answers = new Set<Promise<void>>();
  let consumer: Promise<Consumer> | undefined;

  const bind = async (): Promise<Consumer> => {
    const connection = await broker.connection();
    return jetstream(connection).consumers.get(definition.stream, definition.durable);
  };

  const release = (places: number): void => {
    free += places;
    if (isPullDue || isStopping || free === 0) return;
    isPullDue = true;
    setImmediate(() => {
      isPullDue = false;
      if (isStopping || free === 0) return;
      const places = free;
      free = 0;
      pull(places);
    });
  };

  const pull = (places: number): void => {
    let messages: ConsumerMessages | undefined;
    let unused = places;
    const pulling = (async () => {
      try {
        consumer ??= bind();
        messages = await (await consumer).fetch({ max_messages: places, expires: pullExpiresMs, idle_heartbeat: 1_000 });
        if (isStopping) messages.stop();
        for await (const message of messages) {
          unused -= 1;
          const answering = answer(message).finally(() => {
            answers.delete(answering);
            release(1);
          });
          answers.add(answering);
        }
      } catch (error) {
        consumer = undefined;
        logger.debug({ err: error, consumer: definition.durable }, 'the doorbell is out of reach');
        if (!isStopping) await new Promise((resolve) => setTimeout(resolve, reopenDelayMs));
      }
    })().finally(() => {
      pulls.delete(pulling);
      release(unused);
    });
    pulls.set(pulling, () => messages?.stop());
  };

  const answer = async (message: JsMsg): Promise<void> => {
    let isAcknowledged = false;
    const acknowledge = () => {
      isAcknowledged = true;
      message.ack();
    };
    try {
      await onRing(message.json(), acknowledge);
    } catch (error) {
      logger.error({ err: error, consumer: definition.durable }, 'a doorbell could not be answered');
      if (!isAcknowledged) message.nak(1_000);
    }
  };

  release(0);
  return {
    stop: async () => {
      isStopping = true;
      for (const abort of pulls.values()) abort();
      // Without a broker a pull may wait for its first connection; nothing is at work then that it has brought.
      if (broker.isConnected()) {
        await Promise.all(pulls.keys());
        // Until the broker has heard that nobody waits any more, it would send there what then waits for its redelivery.
        await (await broker.connection()).flush();
      }
      await Promise.all(answers);
    },
  };
};
