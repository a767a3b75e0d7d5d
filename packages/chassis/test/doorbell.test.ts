import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { consumers } from '@settler/contracts/streams';
import { executionDoorbellSubject } from '@settler/contracts/subjects';
import { createIsland, type Island, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, brokerServers } from '../src/broker.ts';
import { type DoorbellOptions, startDoorbell } from '../src/doorbell.ts';
import { brokerOf, logger, stopped } from './island-parts.ts';

const definition = consumers.executionDoorbell;

describe('doorbells', () => {
  let island: Island;
  let broker: Broker;
  let admin: NatsConnection;

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('webhooks');
    broker = brokerOf(island, 'executions');
    admin = await connect(brokerServers(island.brokerUrl('admin')));
  });
  afterAll(async () => {
    await broker.close();
    await admin.close();
    await island.dispose();
  });

  const ring = (...bells: number[]) => {
    for (const bell of bells) admin.publish(executionDoorbellSubject, JSON.stringify(bell));
  };
  const answer = (slots: number, onRing: DoorbellOptions['onRing']) =>
    stopped(startDoorbell({ definition, broker, logger, slots, onRing }));
  const info = async () => (await jetstreamManager(admin)).consumers.info(definition.stream, definition.durable);
  const until = (what: string, isSo: () => boolean | Promise<boolean>) =>
    waitFor(async () => ((await isSo()) ? true : undefined), { timeoutMs: 20_000, what });

  test('are pulled for free slots only: what waits is left to others', async () => {
    const heard: number[] = [];
    const ends: (() => void)[] = [];
    answer(2, async (bell, acknowledge) => {
      heard.push(bell as number);
      acknowledge();
      await new Promise<void>((resolve) => ends.push(resolve));
    });
    ring(1, 2, 3, 4, 5);
    await until('the slots to be at work', () => ends.length === 2);
    await until('the acknowledgements', async () => (await info()).num_ack_pending === 0);
    expect(await info()).toMatchObject({ num_pending: 3, num_waiting: 0 });

    ends.shift()?.();
    await until('the slot that is free to work on', () => ends.length === 2);
    await until('its acknowledgement', async () => (await info()).num_ack_pending === 0);
    expect(await info()).toMatchObject({ num_pending: 2, num_waiting: 0 });

    const free = setInterval(() => ends.shift()?.(), 5);
    await until('all to be answered', () => heard.length === 5);
    clearInterval(free);
    expect(heard).toEqual([1, 2, 3, 4, 5]);
    for (const end of ends) end();
  });

  test('ask once for all slots that are free', async () => {
    answer(8, async (_bell, acknowledge) => acknowledge());
    await until('a pull', async () => (await info()).num_waiting === 1);
  });

  test('ring again where their claim failed, and not where the work did', async () => {
    const heard: number[] = [];
    answer(2, async (bell, acknowledge) => {
      heard.push(bell as number);
      if (bell === 1 && heard.filter((one) => one === 1).length === 1) throw new Error('the database is away');
      acknowledge();
      if (bell === 2) throw new Error('the work went wrong');
    });
    ring(1, 2);
    await until('the second ring', () => heard.length === 3);
    await until('all acknowledgements', async () => (await info()).num_ack_pending === 0);
    expect(heard.toSorted()).toEqual([1, 1, 2]);
    expect((await info()).num_pending).toBe(0);
  });
});
