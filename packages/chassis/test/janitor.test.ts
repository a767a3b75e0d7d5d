import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { consumers, streams } from '@settler/contracts/streams';
import { createIsland, type Island } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokerServers } from '../src/broker.ts';
import { purgeAcknowledged } from '../src/janitor.ts';

const maxBytes = 256 * 1024;
const message = 'x'.repeat(4_000);
const { name } = streams.EVT_IDENTITY;

describe('the janitor', () => {
  let island: Island;
  let identity: NatsConnection;
  let webhooks: NatsConnection;

  const publish = async (count: number) => {
    for (let index = 0; index < count; index += 1) await jetstream(identity).publish('evt.identity.user.registered.v1.org_1', message);
  };
  const acknowledge = async (count: number) => {
    const consumer = await jetstream(webhooks).consumers.get(name, consumers.fanOutIdentity.durable);
    for await (const received of await consumer.fetch({ max_messages: count, expires: 5_000 })) await received.ackAck();
  };

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('identity');
    const admin = await connect(brokerServers(island.brokerUrl('admin')));
    const manager = await jetstreamManager(admin);
    const { config } = await manager.streams.info(name);
    await manager.streams.update(name, { ...config, max_bytes: maxBytes });
    await admin.close();
    [identity, webhooks] = (await Promise.all(
      (['identity', 'webhooks'] as const).map((service) =>
        connect({ ...brokerServers(island.brokerUrl(service)), inboxPrefix: `_INBOX_${service}` }),
      ),
    )) as [NatsConnection, NatsConnection];
  });

  afterAll(async () => {
    await identity.close();
    await webhooks.close();
    await island.dispose();
  });

  test('purges nothing while there is room, nothing that a consumer has not acknowledged, and the rest when it is needed', async () => {
    await publish(20);
    await acknowledge(20);
    expect(await purgeAcknowledged(identity, streams.EVT_IDENTITY)).toBe(0);
    await publish(30);
    expect(await purgeAcknowledged(identity, streams.EVT_IDENTITY)).toBe(20);
    // Room was made: the stream takes messages again that would not have fitted beside those.
    await publish(25);
    expect(await purgeAcknowledged(identity, streams.EVT_IDENTITY)).toBe(0);
    await acknowledge(10);
    expect(await purgeAcknowledged(identity, streams.EVT_IDENTITY)).toBe(10);
  });

  test('waits for a consumer that has not seen what concerns it, and for none that nothing concerns', async () => {
    await acknowledge(45);
    await jetstream(identity).publish('evt.identity.organization.updated.v1.org_1', message);
    await publish(10);
    await acknowledge(11);
    const executions = await connect({ ...brokerServers(island.brokerUrl('executions')), inboxPrefix: '_INBOX_executions' });
    const waiting = await purgeAcknowledged(identity, streams.EVT_IDENTITY);
    const consumer = await jetstream(executions).consumers.get(name, consumers.baseCurrencies.durable);
    for await (const received of await consumer.fetch({ max_messages: 1, expires: 5_000 })) await received.ackAck();
    await executions.close();
    expect([waiting, await purgeAcknowledged(identity, streams.EVT_IDENTITY)]).toEqual([0, 56]);
  });

  test('may not purge the stream of another service', async () => {
    await expect(purgeAcknowledged(webhooks, streams.EVT_IDENTITY)).rejects.toThrow('Permissions Violation');
  });
});
