import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { jobCreated } from '@settler/contracts/events/jobs';
import { consumers, streams } from '@settler/contracts/streams';
import { createIsland, type Island, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, brokerServers } from '../src/broker.ts';
import { startConsumer } from '../src/consumer.ts';
import type { Options } from '../src/operation.ts';
import { operations } from '../src/operations.ts';
import { createOutbox, eventMessage } from '../src/outbox.ts';
import type { Postgres } from '../src/postgres.ts';
import { startRelay } from '../src/relay.ts';
import type { ChassisTables } from '../src/tables.ts';
import { brokerOf, databaseOf, logger, stopped } from './island-parts.ts';

const organizationId = jobCreated.example.organizationId;

describe('what an operator does', () => {
  let island: Island;
  let postgres: Postgres<ChassisTables>;
  let publisher: Broker;
  let listener: Broker;
  let isHealed = false;
  const heard: string[] = [];

  const operate = async (command: string, options: Options = {}): Promise<string> => {
    const lines: string[] = [];
    const operation = operations.find((one) => one.command === command);
    await operation?.run({ postgres, print: (line) => lines.push(line), encryptionKeys: () => [] }, options);
    return lines.join('\n');
  };
  const publish = (aggregateId: string) =>
    postgres.organization(organizationId, (trx) =>
      createOutbox('jobs', () => {}).append(trx, [
        eventMessage(jobCreated, { organizationId, aggregateId, aggregateVersion: 1 }, jobCreated.example),
      ]),
    );
  const relay = () => stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 50, leaseMs: 3_000 }));
  const consumer = () =>
    stopped(
      startConsumer({
        definition: consumers.fanOutJobs,
        postgres,
        broker: listener,
        logger,
        attemptsMax: 2,
        retryMs: 20,
        replayPollMs: 50,
        handle: async (_trx, { subject }) => {
          if (subject === 'ill' && !isHealed) throw new Error('the handler is broken');
          heard.push(subject);
        },
      }),
    );

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('webhooks');
    postgres = databaseOf(island);
    [publisher, listener] = [brokerOf(island, 'jobs'), brokerOf(island, 'webhooks')];
  });

  afterAll(async () => {
    await Promise.all([publisher.close(), listener.close()]);
    await postgres.close();
    await island.dispose();
  });

  test('a dead letter is handled again once the fault is mended, and stays one while it is not', async () => {
    relay();
    consumer();
    await publish('ill');
    await waitFor(async () => (await operate('dead-letters list')).includes('the handler is broken'), {
      timeoutMs: 55_000,
      what: 'a dead letter',
    });
    await expect(operate('dead-letters replay')).rejects.toThrow('Say which');
    await expect(operate('dead-letters replay', { all: true, consumer: 'another' })).rejects.toThrow('either --all or which');
    for (const limit of ['0', '1e20', '0x10', '1.5'])
      await expect(operate('dead-letters list', { limit })).rejects.toThrow('--limit must be a whole number');
    expect(await operate('dead-letters replay', { consumer: 'another' })).toBe('0 will be handled again.');

    expect(await operate('dead-letters replay', { all: true })).toBe('1 will be handled again.');
    await waitFor(async () => (await operate('dead-letters list')).includes('after 3 attempts:'), {
      timeoutMs: 55_000,
      what: 'a third attempt',
    });
    isHealed = true;
    await operate('dead-letters replay', { all: true });
    await waitFor(async () => (await operate('dead-letters list')) === 'There are none.', { timeoutMs: 55_000, what: 'no dead letter' });
    expect(heard.filter((subject) => subject === 'ill')).toHaveLength(1);
  });

  test('a stream that lost everything is filled again, and nothing is handled twice', async () => {
    relay();
    consumer();
    await publish('before the loss');
    await waitFor(() => heard.includes('before the loss'), { timeoutMs: 55_000, what: 'the message' });
    await waitFor(async () => (await postgres.systemDb.selectFrom('outbox').select('event_id').execute()).length === 0, {
      timeoutMs: 55_000,
      what: 'an empty outbox',
    });
    const admin = await connect(brokerServers(island.brokerUrl('admin')));
    const manager = await jetstreamManager(admin);
    const { config } = await manager.streams.info(streams.EVT_JOBS.name);
    const durable = await manager.consumers.info(streams.EVT_JOBS.name, consumers.fanOutJobs.durable);
    await manager.streams.delete(streams.EVT_JOBS.name);
    await manager.streams.add(config);
    await manager.consumers.add(streams.EVT_JOBS.name, durable.config);

    await expect(operate('republish', {})).rejects.toThrow('--since is needed: an instant');
    await expect(operate('republish', { since: 'yesterday' })).rejects.toThrow('--since must be an instant');
    await expect(operate('republish', { since: '2026-01-01T00:00:00' })).rejects.toThrow('with Z or an offset');
    expect(await operate('republish', { since: '2026-01-01T00:00:00Z', subject: 'evt.other.' })).toBe(
      '0 messages wait in the outbox again.',
    );
    expect(await operate('republish', { since: '2026-01-01T00:00:00Z' })).toBe('2 messages wait in the outbox again.');
    await publish('after the loss');
    await waitFor(() => heard.includes('after the loss'), { timeoutMs: 55_000, what: 'the message behind those published again' });
    expect((await manager.streams.info(streams.EVT_JOBS.name)).state.messages).toBe(3);
    expect(heard.filter((subject) => subject === 'before the loss')).toHaveLength(1);
    await admin.close();
  });

  test('what the broker refused for good is shown, and published again when it is released', async () => {
    await postgres.systemDb
      .insertInto('outbox_quarantine')
      .values({
        event_id: 'evt_refused',
        organization_id: organizationId,
        subject: 's',
        aggregate_id: 'a',
        body: '{}',
        reason: 'too large',
      })
      .execute();
    expect(await operate('quarantine list')).toContain('too large');
    expect(await operate('quarantine release', { event: 'evt_refused' })).toBe('1 messages wait in the outbox again.');
    expect(await operate('quarantine list')).toBe('There are none.');
    const waiting = await postgres.systemDb.selectFrom('outbox').select('event_id').execute();
    expect(waiting.map(({ event_id }) => event_id)).toEqual(['evt_refused']);
  });
});
