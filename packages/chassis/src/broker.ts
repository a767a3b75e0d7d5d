/**
 * The connection to NATS. It is made in the background and kept for ever: PostgreSQL is the truth, so a service without a
 * broker still takes writes, and its outbox grows until the broker is back.
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from './logger.ts';

/** Credentials out of `nats://user:password@host:port[,…]`; the client takes them apart from the servers. */
export const brokerServers = (urls: string): { servers: string[]; user?: string; pass?: string } => {
  const parsed = urls.split(',').map((text) => new URL(text.includes('://') ? text : `nats://${text}`));
  const [first] = parsed;
  const servers = parsed.map((url) => `${url.hostname}:${url.port || 4222}`);
  if (first === undefined || first.username === '') return { servers };
  return { servers, user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) };
};

export interface Broker {
  /** A prefix of its own, so that permissions can keep services from reading each other's replies. */
  readonly inboxPrefix: string;
  /** Resolves when the first connection stands. */
  readonly connection: () => Promise<NatsConnection>;
  readonly isConnected: () => boolean;
  /** Call after every consumer has stopped and its handlers are done: draining earlier strands what they work on. */
  readonly close: () => Promise<void>;
}

export interface BrokerOptions {
  readonly service: string;
  readonly url: string;
  readonly logger: Logger;
  /** The client gave up for good; a process that lives on would never hear anything again. */
  readonly onLost: (error: Error) => void;
}

export const createBroker = ({ service, url, logger, onLost }: BrokerOptions): Broker => {
  const inboxPrefix = `_INBOX_${service}`;
  let current: NatsConnection | undefined;
  let up = false;
  let closing = false;

  const attempt = connect({
    ...brokerServers(url),
    name: service,
    inboxPrefix,
    // The client's own default gives up after 20 s.
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 200,
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: 5_000,
    waitOnFirstConnect: true,
    ignoreAuthErrorAbort: true,
  }).then(async (connection) => {
    current = connection;
    up = true;
    if (closing) await connection.close();
    void watch(connection);
    void connection.closed().then((error) => {
      up = false;
      if (!closing) onLost(new Error('the broker connection closed for good', { cause: error }));
    });
    return connection;
  });
  attempt.catch((error: unknown) => {
    if (!closing) onLost(new Error('the broker cannot be connected to', { cause: error }));
  });

  const watch = async (connection: NatsConnection) => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        up = false;
        logger.warn('the broker is disconnected');
      }
      if (status.type === 'reconnect') {
        up = true;
        logger.info('the broker is connected again');
      }
      if (status.type === 'error') logger.warn({ err: status.error }, 'the broker reported an error');
    }
  };

  return {
    inboxPrefix,
    connection: () => attempt,
    isConnected: () => up,
    close: async () => {
      closing = true;
      if (current === undefined || current.isClosed()) return;
      await (up ? current.drain() : current.close());
    },
  };
};
