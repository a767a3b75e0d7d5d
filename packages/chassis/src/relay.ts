/**
 * Carries outbox rows to the broker. One relay is active per service: whoever holds the lease row, by the database's clock.
 *
 * Rows are claimed by being there and finished by being moved to outbox_sent, so there is no cursor that could step over a row
 * of a slower transaction. A message that was published and not yet moved when the process died is published again: the
 * stream drops it by its id, and where it cannot, the consumer's inbox does.
 *
 * What a stream refuses waits, and nothing that is for another waits with it.
 */
import { randomUUID } from 'node:crypto';
import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql } from 'kysely';
import type { Broker } from './broker.ts';
import { faultPoint } from './faults.ts';
import type { Logger } from './logger.ts';
import { createOutboxTurns, type OutboxRow } from './outbox-turns.ts';
import type { Postgres } from './postgres.ts';
import { createShutStreams, type ShutStreams } from './shut-streams.ts';
import type { ChassisTables } from './tables.ts';
import { activeTraceparent, inSpan } from './tracing.ts';

const batchRowsMax = 500;
const windowMessages = 64;
const acknowledgementTimeoutMs = 3_000;
/** The broker's refusals that no retry will mend: wrong subject, too large. */
const attemptsMax = 20;

export interface RelayOptions {
  readonly postgres: Postgres<ChassisTables>;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly pollMs: number;
  /** How long another replica waits before it takes over from one that went silent. */
  readonly leaseMs: number;
}

export interface Relay {
  /** Look now; called after each commit that wrote rows here, and by NOTIFY for those written by other replicas. */
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

type Outcome =
  | { row: OutboxRow; sequence: bigint }
  | { row: OutboxRow; error: string; permanent: boolean }
  | { row: OutboxRow; skipped: true };

export const startRelay = ({ postgres, broker, logger, pollMs, leaseMs }: RelayOptions): Relay => {
  const db = postgres.systemDb;
  const me = randomUUID();
  const turns = createOutboxTurns(db, batchRowsMax);
  const shutStreams = createShutStreams(() => performance.now());
  let stopping = false;
  let nudged = false;
  let rouse = () => {};
  let heldUntilMs = 0;

  const wake = () => {
    nudged = true;
    rouse();
  };

  const rest = async (ms: number) => {
    if (nudged || stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  const holdLease = async (): Promise<boolean> => {
    // Not by the clock, which somebody may set back.
    if (performance.now() < heldUntilMs) return true;
    const held = await takeLease(db, me, leaseMs);
    // Renewed long before it ends by the database's clock, measured from before the statement was sent.
    heldUntilMs = held ? performance.now() + leaseMs / 3 : 0;
    return held;
  };

  const round = async (connection: NatsConnection, publish: Publish): Promise<boolean> => {
    const rows = await turns.next(shutStreams.names());
    if (rows.length === 0) return turns.goesOn();
    const outcomes = await publishAll(rows, shutting(publish, shutStreams, logger));
    faultPoint('relay.published');
    await settle(postgres, outcomes, logger);
    return !connection.isClosed() && (turns.goesOn() || outcomes.some((outcome) => 'sequence' in outcome));
  };

  const work = async () => {
    const connection = await broker.connection();
    const publish = traced(createPublisher(connection, broker.inboxPrefix));
    while (!stopping) {
      nudged = false;
      let more = false;
      try {
        if (broker.isConnected() && (await holdLease())) more = await round(connection, publish);
      } catch (error) {
        logger.warn({ err: error }, 'the relay could not work; it tries again');
      }
      if (!more) await rest(pollMs);
    }
    await releaseLease(db, me).catch((error: unknown) => logger.debug({ err: error }, 'the relay lease was left to expire'));
  };

  const listening = listen(postgres, wake, logger);
  const working = work().catch((error: unknown) => logger.error({ err: error }, 'the relay ended'));

  return {
    wake: () => {
      wake();
      // Another replica may hold the lease. Sent after the commit, on a connection of its own: inside the transaction the
      // notification queue's lock costs four fifths of the throughput.
      if (heldUntilMs === 0) sql`select pg_notify('outbox', '')`.execute(db).catch(() => {}); // The poll finds the row as well.
    },
    stop: async () => {
      stopping = true;
      rouse();
      await listening.stop();
      // Without a broker the loop may still wait for its first connection; there is nothing to finish then.
      if (broker.isConnected()) await working;
    },
  };
};

const takeLease = async (db: Kysely<ChassisTables>, me: string, leaseMs: number): Promise<boolean> => {
  const { rows } = await sql<{ owner: string }>`
    update relay_lease set owner = ${me}, held_until = now() + make_interval(secs => ${leaseMs / 1000}::float8),
           epoch = case when owner = ${me} then epoch else epoch + 1 end
     where name = 'outbox' and (owner = ${me} or held_until is null or held_until < now())
    returning owner`.execute(db);
  return rows.length > 0;
};

const releaseLease = async (db: Kysely<ChassisTables>, me: string): Promise<void> => {
  await sql`update relay_lease set owner = null, held_until = null where name = 'outbox' and owner = ${me}`.execute(db);
};

type Publish = (row: OutboxRow) => Promise<Outcome>;

/** One reply inbox for all acknowledgements: five times the throughput of a request per message. */
const createPublisher = (connection: NatsConnection, inboxPrefix: string): Publish => {
  const inbox = `${inboxPrefix}.relay-${randomUUID().slice(0, 8)}`;
  const waiting = new Map<string, (message: Msg | undefined) => void>();
  let counter = 0;
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      const token = message.subject.slice(inbox.length + 1);
      waiting.get(token)?.(error === null ? message : undefined);
    },
  });
  return (row) =>
    new Promise((resolve) => {
      counter += 1;
      const token = String(counter);
      const finish = (message: Msg | undefined) => {
        clearTimeout(timer);
        waiting.delete(token);
        resolve(message === undefined ? { row, error: 'no acknowledgement in time', permanent: false } : readAcknowledgement(row, message));
      };
      const timer = setTimeout(finish, acknowledgementTimeoutMs, undefined);
      waiting.set(token, finish);
      try {
        connection.publish(row.subject, row.body, { reply: `${inbox}.${token}`, headers: headersFor(row) });
      } catch (error) {
        clearTimeout(timer);
        waiting.delete(token);
        resolve({ row, error: String(error), permanent: false });
      }
    });
};

const headersFor = (row: OutboxRow) => {
  const headers = createHeaders();
  headers.set('Nats-Msg-Id', row.event_id);
  const traceparent = activeTraceparent() ?? traceparentOf(row);
  if (traceparent !== undefined) headers.set('traceparent', traceparent);
  return headers;
};

/** Of the request or message that wrote the row, which may be long over. */
const traceparentOf = (row: OutboxRow): string | undefined => (JSON.parse(row.body) as { traceparent?: string }).traceparent;

/** A trace goes on through the broker: what caused the message is the parent of its publication, and that of its processing. */
const traced =
  (publish: Publish): Publish =>
  (row) =>
    inSpan(`publish ${row.subject.split('.', 2).join('.')}`, 'producer', traceparentOf(row), () => publish(row));

/** Without another attempt at a stream that has just refused one, whatever else of this round is for it. */
const shutting =
  (publish: Publish, streams: ShutStreams, logger: Logger): Publish =>
  async (row) => {
    if (streams.has(row.stream)) return { row, skipped: true };
    const outcome = await publish(row);
    if ('sequence' in outcome) streams.open(row.stream);
    if ('error' in outcome && isOutage(outcome.error)) {
      const ms = streams.shut(row.stream);
      if (ms !== undefined) logger.warn({ stream: row.stream, reason: outcome.error, ms }, 'a stream takes nothing; its events wait');
    }
    return outcome;
  };

const readAcknowledgement = (row: OutboxRow, message: Msg): Outcome => {
  if (message.data.length === 0) return { row, error: 'no stream takes this subject', permanent: false };
  const answer = message.json<{ seq?: number; error?: { code: number; description: string } }>();
  if (answer.error === undefined && answer.seq !== undefined) return { row, sequence: BigInt(answer.seq) };
  // 503 and a full stream pass; a malformed message does not.
  return { row, error: answer.error?.description ?? 'the broker gave no sequence', permanent: answer.error?.code === 400 };
};

/** Pipelined across aggregates and serial within one in a stream; after a failure the rest of it waits for the next round. */
const publishAll = async (rows: readonly OutboxRow[], publish: Publish): Promise<Outcome[]> => {
  const lanes = Map.groupBy(rows, (row) => `${row.stream} ${row.aggregate_id}`);
  const queue = [...lanes.values()];
  const outcomes: Outcome[] = [];
  const runLane = async (lane: readonly OutboxRow[]) => {
    let failed = false;
    for (const row of lane) {
      const outcome: Outcome = failed ? { row, skipped: true } : await publish(row);
      failed ||= !('sequence' in outcome);
      outcomes.push(outcome);
    }
  };
  const worker = async () => {
    for (let lane = queue.shift(); lane !== undefined; lane = queue.shift()) await runLane(lane);
  };
  await Promise.all(Array.from({ length: Math.min(windowMessages, queue.length) }, worker));
  return outcomes;
};

const settle = async (postgres: Postgres<ChassisTables>, outcomes: readonly Outcome[], logger: Logger): Promise<void> => {
  const sent = outcomes.filter((outcome) => 'sequence' in outcome);
  const failed = outcomes.filter((outcome) => 'error' in outcome);
  await postgres.system(async (trx) => {
    if (sent.length > 0) {
      await sql`
        /* planned once */ with done as (
          delete from outbox using unnest(${sent.map(({ row }) => row.event_id)}::text[], ${sent.map(({ sequence }) => sequence)}::bigint[]) as ack(id, sequence)
           where outbox.event_id = ack.id
          returning position, event_id, organization_id, subject, aggregate_id, body, ack.sequence)
        insert into outbox_sent (position, event_id, organization_id, subject, aggregate_id, body, stream_sequence)
        select * from done on conflict (event_id) do nothing`.execute(trx);
    }
    for (const { row, error, permanent } of failed) {
      if (permanent || row.attempts + 1 >= attemptsMax) {
        logger.error({ eventId: row.event_id, subject: row.subject, reason: error }, 'an event cannot be published and was put aside');
        await sql`
          with bad as (delete from outbox where event_id = ${row.event_id} returning event_id, organization_id, subject, aggregate_id, body)
          insert into outbox_quarantine (event_id, organization_id, subject, aggregate_id, body, reason)
          select *, ${error} from bad on conflict (event_id) do nothing`.execute(trx);
      } else if (!isOutage(error)) {
        await sql`update outbox set attempts = attempts + 1 where event_id = ${row.event_id}`.execute(trx);
      }
    }
  });
};

/** While the broker is away nothing is wrong with the row: only refusals count as attempts. */
const isOutage = (error: string) => /no acknowledgement in time|no stream takes|Closed|Disconnect|maximum bytes|insufficient/i.test(error);

/** Hears of rows that other replicas wrote. A lost connection is opened again; meanwhile the poll finds the rows. */
const listen = (postgres: Postgres<ChassisTables>, wake: () => void, logger: Logger) => {
  let stopped = false;
  let release = () => {};
  const run = async () => {
    while (!stopped) {
      try {
        const client = await postgres.systemPool.connect();
        await new Promise<void>((resolve) => {
          release = resolve;
          client.on('notification', wake);
          client.once('error', () => resolve());
          client.once('end', () => resolve());
          client.query('listen outbox').catch(() => resolve());
          if (stopped) resolve();
        });
        client.removeListener('notification', wake);
        client.release(true);
      } catch (error) {
        logger.debug({ err: error }, 'cannot listen for outbox rows; polling goes on');
      }
      if (!stopped) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1_000);
          release = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopped = true;
      release();
      await running;
    },
  };
};
