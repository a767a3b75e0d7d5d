/**
 * Consuming: one transaction per message, made of the inbox row, the effect and the effect's own outbox rows. A message that
 * was handled before is acknowledged and does nothing. From the second delivery on, attempts are counted before the handler
 * starts, so that a message which kills the process ends as a dead letter too. An attempt that failed because the database could
 * not be reached says nothing about the message, and is taken back.
 */
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { type Envelope, envelope as envelopeSchema } from '@settler/contracts/envelope';
import type { ConsumerDefinition } from '@settler/contracts/streams';
import { sql, type Transaction } from 'kysely';
import type { Broker } from './broker.ts';
import { contextFrom, inContext } from './context.ts';
import { isUnavailable } from './database-errors.ts';
import { faultPoint } from './faults.ts';
import { createLanes } from './lanes.ts';
import type { Logger } from './logger.ts';
import type { Postgres } from './postgres.ts';
import type { ChassisTables } from './tables.ts';
import { inSpan } from './tracing.ts';

/** The client's defaults stall for 43 s when the leader of a consumer dies; these recover in about 6 s. */
const pullOptions = { max_messages: 32, expires: 5_000, idle_heartbeat: 500, bind: true } as const;
const retryDelayMsMax = 5 * 60_000;
/** While the database is away. Longer, and what has waited for it would go on waiting once it is back. */
const unavailableDelayMsMax = 15_000;
const reopenDelayMs = 500;
const replayPollMs = 5_000;
/** As many as may wait for their acknowledgement. */
const togetherMax = 256;

export interface ConsumerOptions<DB extends ChassisTables> {
  readonly definition: ConsumerDefinition;
  readonly postgres: Postgres<DB>;
  readonly broker: Broker;
  readonly logger: Logger;
  /** Runs in the transaction, as _app, under the event's organization. */
  readonly handle: (trx: Transaction<DB>, envelope: Envelope) => Promise<void>;
  /**
   * The same for several messages of one aggregate that wait already, at most `togetherMax`, in their order. What fails together is
   * handled one by one, so that one bad message spoils no other.
   */
  readonly handleTogether?: (trx: Transaction<DB>, envelopes: readonly Envelope[]) => Promise<void>;
  readonly attemptsMax: number;
  readonly retryMs: number;
  /** How often dead letters are looked through for those that an operator wants handled again. */
  readonly replayPollMs?: number;
}

export interface Stoppable {
  readonly stop: () => Promise<void>;
}

export const startConsumer = <DB extends ChassisTables>(options: ConsumerOptions<DB>): Stoppable => {
  const { definition, broker, logger } = options;
  const { receive, receiveTogether, replayable } = createReceiver(options);
  const lanes = createLanes<JsMsg | (() => Promise<void>)>(options.handleTogether === undefined ? 1 : togetherMax, async (items) => {
    if (await receiveTogether(items)) return;
    for (const item of items) await (typeof item === 'function' ? item() : receive(item));
  });
  let stopping = false;
  let endPull = () => {};

  const pull = async () => {
    const connection = await broker.connection();
    const consumer = await jetstream(connection).consumers.get(definition.stream, definition.durable);
    const messages = await consumer.consume(pullOptions);
    endPull = () => messages.stop();
    if (stopping) messages.stop();
    for await (const message of messages) lanes.add(laneOf(message), message);
  };

  const run = async () => {
    while (!stopping) {
      // A closed connection or a consumer that is not there yet ends the iteration; it is opened again for as long as we run.
      await pull().catch((error: unknown) => logger.debug({ err: error, consumer: definition.durable }, 'the pull ended'));
      if (!stopping) await new Promise((resolve) => setTimeout(resolve, reopenDelayMs));
    }
  };
  const running = run();

  const replay = async () => {
    for (const { lane, handle } of await replayable()) lanes.add(lane, handle);
    await lanes.idle();
  };
  let replaying: Promise<void> = Promise.resolve();
  const replayTimer = setInterval(() => {
    replaying = replaying
      .then(replay)
      .catch((error: unknown) => logger.warn({ err: error }, 'dead letters are replayed in the next round'));
  }, options.replayPollMs ?? replayPollMs);

  return {
    stop: async () => {
      stopping = true;
      clearInterval(replayTimer);
      endPull();
      // Without a broker the loop may still wait for its first connection.
      if (broker.isConnected()) await running;
      await replaying;
      await lanes.idle();
    },
  };
};

const readEnvelope = (text: string): Envelope | undefined => {
  try {
    return envelopeSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // The caller makes a dead letter of it: no retry will make it readable.
  }
};

/** Doubled each time and spread. In whole milliseconds: a delay with a fraction is one that the broker cannot read, and it sends at once. */
const retryDelayMs = (firstMs: number, tries: number, maxMs: number): number =>
  Math.round(Math.min(maxMs, firstMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2));

const laneOf = (message: JsMsg): string => readEnvelope(message.string())?.subject ?? message.subject;

const createReceiver = <DB extends ChassisTables>(options: ConsumerOptions<DB>) => {
  const { definition, logger, attemptsMax, retryMs } = options;
  const postgres = options.postgres as unknown as Postgres<ChassisTables>;
  const name = definition.durable;

  const bury = async (message: JsMsg, id: string, organizationId: string, attempts: number, error: string) => {
    await postgres.systemDb
      .insertInto('dead_letters')
      .values({
        consumer: name,
        event_id: id,
        organization_id: organizationId,
        subject: message.subject,
        body: message.string(),
        attempts,
        error,
      })
      .onConflict((conflict) => conflict.columns(['consumer', 'event_id']).doNothing())
      .execute();
    message.term(error.slice(0, 200));
    logger.error({ consumer: name, eventId: id, attempts, reason: error }, 'a message became a dead letter');
  };

  /** How often this was begun, this time included. The first delivery is free: nothing was tried yet. */
  const countAttempt = async (message: JsMsg, id: string): Promise<{ attempts: number; lastError: string | null }> => {
    if (!message.redelivered) return { attempts: 1, lastError: null };
    const { rows } = await sql<{ attempts: number; last_error: string | null }>`
      insert into inbox_attempts (consumer, event_id, attempts) values (${name}, ${id}, 2)
      on conflict (consumer, event_id) do update set attempts = inbox_attempts.attempts + 1, updated_at = now()
      returning attempts, last_error`.execute(postgres.systemDb);
    return { attempts: rows[0]?.attempts ?? 2, lastError: rows[0]?.last_error ?? null };
  };

  const handleOnce = (envelope: Envelope) =>
    options.postgres.organization(envelope.organizationid, async (trx) => {
      const inbox = await (trx as unknown as Transaction<ChassisTables>)
        .insertInto('inbox')
        .values({ consumer: name, event_id: envelope.id, organization_id: envelope.organizationid })
        .onConflict((conflict) => conflict.columns(['consumer', 'event_id']).doNothing())
        .executeTakeFirst();
      if (inbox.numInsertedOrUpdatedRows === 0n) return;
      await options.handle(trx, envelope);
      faultPoint(`${name}.before-commit`);
    });

  /** One transaction for all of them; whether that went well. Messages that failed before are handled by themselves. */
  const receiveTogether = async (items: readonly (JsMsg | (() => Promise<void>))[]): Promise<boolean> => {
    const { handleTogether } = options;
    const messages = items.flatMap((item) => (typeof item === 'function' || item.redelivered ? [] : [item]));
    const envelopes = messages.flatMap((message) => readEnvelope(message.string()) ?? []);
    const [first] = envelopes;
    const areAll = envelopes.length === items.length && envelopes.every(({ organizationid }) => organizationid === first?.organizationid);
    if (handleTogether === undefined || first === undefined || items.length === 1 || !areAll) return false;
    try {
      await inContext(contextFrom(first.id, first.traceparent), () =>
        inSpan(`process ${name}`, 'consumer', first.traceparent, () => handleAll(envelopes, handleTogether)),
      );
    } catch (error) {
      logger.warn({ err: error, consumer: name, messages: messages.length }, 'messages could not be handled together; one by one, then');
      return false;
    }
    faultPoint(`${name}.after-commit`);
    for (const message of messages) message.ack();
    return true;
  };

  const handleAll = (envelopes: readonly Envelope[], handle: NonNullable<ConsumerOptions<DB>['handleTogether']>) =>
    options.postgres.organization(envelopes[0]?.organizationid ?? '', async (trx) => {
      const rows = await (trx as unknown as Transaction<ChassisTables>)
        .insertInto('inbox')
        .values(envelopes.map(({ id, organizationid }) => ({ consumer: name, event_id: id, organization_id: organizationid })))
        .onConflict((conflict) => conflict.columns(['consumer', 'event_id']).doNothing())
        .returning('event_id')
        .execute();
      const fresh = new Set(rows.map(({ event_id: id }) => id));
      // Taken out as they come: a message that is in here twice is handled once.
      const due = envelopes.filter(({ id }) => fresh.delete(id));
      if (due.length > 0) await handle(trx, due);
      faultPoint(`${name}.before-commit`);
    });

  const retryLater = async (message: JsMsg, id: string, attempts: number, error: unknown) => {
    logger.warn({ err: error, consumer: name, eventId: id, attempts }, 'a message could not be handled; it is tried again');
    const isCounted = !isUnavailable(error);
    const takenBack = isCounted || !message.redelivered ? 0 : 1;
    await sql`
      insert into inbox_attempts (consumer, event_id, attempts, last_error)
      values (${name}, ${id}, ${isCounted ? attempts : attempts - 1}, ${String(error).slice(0, 500)})
      on conflict (consumer, event_id) do update
        set attempts = inbox_attempts.attempts - ${takenBack}::int, last_error = excluded.last_error, updated_at = now()`
      .execute(postgres.systemDb)
      // The reason would be missing, and one attempt too many counted: what takes the database down each time must end, too.
      .catch(() => {});
    message.nak(isCounted ? retryDelayMs(retryMs, attempts, retryDelayMsMax) : unavailableDelayMs(message));
  };

  /** By how often the broker has sent it: nobody counts meanwhile. */
  const unavailableDelayMs = (message: JsMsg): number => retryDelayMs(retryMs, message.info.deliveryCount, unavailableDelayMsMax);

  const attempt = async (message: JsMsg, envelope: Envelope) => {
    const { attempts, lastError } = await countAttempt(message, envelope.id);
    if (attempts > attemptsMax) {
      await bury(message, envelope.id, envelope.organizationid, attempts - 1, lastError ?? 'the process ended while handling it');
      return;
    }
    try {
      await handleOnce(envelope);
      faultPoint(`${name}.after-commit`);
      message.ack();
    } catch (error) {
      if (attempts >= attemptsMax && !isUnavailable(error))
        await bury(message, envelope.id, envelope.organizationid, attempts, String(error));
      else await retryLater(message, envelope.id, attempts, error);
    }
  };

  const receive = async (message: JsMsg): Promise<void> => {
    const envelope = readEnvelope(message.string());
    // An outside publisher may leave the header out; ours is the span of the publication.
    const traceparent = message.headers?.get('traceparent') || envelope?.traceparent;
    const context = contextFrom(envelope?.id ?? 'unreadable', traceparent);
    try {
      await inContext(context, () =>
        inSpan(`process ${name}`, 'consumer', traceparent, () =>
          envelope === undefined
            ? bury(message, `${message.info.stream}:${message.seq}`, '', 1, 'the message is not an envelope')
            : attempt(message, envelope),
        ),
      );
    } catch (error) {
      // The database is away: the message stays with the broker and comes again.
      logger.warn({ err: error, consumer: name }, 'a message could not be begun');
      message.nak(unavailableDelayMs(message));
    }
  };

  /** Where the database goes away in between, the request stays for the next round. */
  const replayOne = (id: string, body: string): Promise<void> =>
    tryReplay(id, body).catch((error: unknown) =>
      logger.warn({ err: error, consumer: name }, 'a dead letter is replayed in the next round'),
    );

  const tryReplay = async (id: string, body: string): Promise<void> => {
    const envelope = readEnvelope(body);
    try {
      if (envelope === undefined) throw new Error('the message is not an envelope');
      await inContext(contextFrom(envelope.id, envelope.traceparent), () => handleOnce(envelope));
      await postgres.systemDb.deleteFrom('dead_letters').where('consumer', '=', name).where('event_id', '=', id).execute();
      logger.info({ consumer: name, eventId: id }, 'a dead letter was handled');
    } catch (error) {
      // Where the database is away, the request stays.
      if (isUnavailable(error)) return;
      await sql`
        update dead_letters set attempts = attempts + 1, error = ${String(error)}, replay_requested_at = null
         where consumer = ${name} and event_id = ${id}`.execute(postgres.systemDb);
      logger.warn({ err: error, consumer: name, eventId: id }, 'a dead letter could not be handled again');
    }
  };
  const replayable = async () => {
    const rows = await postgres.systemDb
      .selectFrom('dead_letters')
      .select(['event_id', 'body'])
      .where('consumer', '=', name)
      .where('replay_requested_at', 'is not', null)
      .orderBy('dead_at')
      .limit(pullOptions.max_messages)
      .execute();
    return rows.map(({ event_id: id, body }) => ({ lane: readEnvelope(body)?.subject ?? id, handle: () => replayOne(id, body) }));
  };
  return { receive, receiveTogether, replayable };
};
