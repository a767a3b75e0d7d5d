/**
 * Keeps a service's stream from filling up. Streams discard new messages, so that nothing is dropped in silence; a stream that is nearly
 * full is therefore emptied below what every consumer of ours has acknowledged. What is purged stays in outbox_sent and can be published
 * again. Every replica does it: to purge what is purged already changes nothing.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StatefulService } from '@settler/contracts/services';
import { type ConsumerDefinition, consumers, type StreamDefinition, streams } from '@settler/contracts/streams';
import type { Broker } from './broker.ts';
import type { Logger } from './logger.ts';
import { startRounds } from './rounds.ts';

/** Of the stream's bytes. */
const fullShare = 0.7;

export interface JanitorOptions {
  readonly service: StatefulService;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly everyMs: number;
}

export const startJanitor = ({ service, broker, logger, everyMs }: JanitorOptions) => {
  const kept = streamsKeptBy(service);
  const clean = async () => {
    if (!broker.isConnected()) return;
    const connection = await broker.connection();
    for (const stream of kept) {
      const purged = await purgeAcknowledged(connection, stream);
      if (purged > 0) logger.warn({ stream: stream.name, purged }, 'a stream was nearly full; what every consumer has seen was purged');
    }
  };
  return startRounds(everyMs, clean, logger, 'the janitor is put off to the next round');
};

export const streamsKeptBy = (service: StatefulService): StreamDefinition[] =>
  Object.values<StreamDefinition>(streams).filter(({ keeper }) => keeper === service);

/** @returns how many messages were purged */
export const purgeAcknowledged = async (connection: NatsConnection, { name }: StreamDefinition): Promise<number> => {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const { state, config } = await manager.streams.info(name);
  if (config.max_bytes <= 0 || state.bytes < config.max_bytes * fullShare) return 0;
  const ours = Object.values<ConsumerDefinition>(consumers).filter(({ stream }) => stream === name);
  const floors = await Promise.all(
    ours.map(async ({ durable }) => {
      const { ack_floor: floor, num_pending: waiting, num_ack_pending: delivered } = await manager.consumers.info(name, durable);
      // The floor is the last that it was given: one that hears a few subjects alone has seen all there was long after that.
      return waiting + delivered === 0 ? state.last_seq : floor.stream_seq;
    }),
  );
  const lowest = Math.min(...floors);
  if (!Number.isFinite(lowest) || lowest < state.first_seq) return 0;
  return (await manager.streams.purge(name, { seq: lowest + 1 })).purged;
};
