import { jobCreated } from '@settler/contracts/events/jobs';
import { consumers } from '@settler/contracts/streams';
import { createIsland, type Island, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../src/broker.ts';
import { startConsumer } from '../src/consumer.ts';
import { createOutbox, eventMessage } from '../src/outbox.ts';
import type { Postgres } from '../src/postgres.ts';
import { startRelay } from '../src/relay.ts';
import type { ChassisTables } from '../src/tables.ts';
import { brokerOf, databaseOf, logger, stopped } from './island-parts.ts';

const organizationId = jobCreated.example.organizationId;

describe('outbox, relay and inbox', () => {
  let island: Island;
  let postgres: Postgres<ChassisTables>;

  let publisher: Broker;
  let listener: Broker;

  const publish = (outbox: ReturnType<typeof createOutbox>, aggregateId: string, aggregateVersion = 1) =>
    postgres.organization(organizationId, (trx) =>
      outbox.append(trx, [eventMessage(jobCreated, { organizationId, aggregateId, aggregateVersion }, jobCreated.example)]),
    );

  type Consuming = Parameters<typeof startConsumer<ChassisTables>>[0];
  const consume = (own: Pick<Consuming, 'handle'> & Partial<Consuming>) =>
    stopped(startConsumer({ definition: consumers.fanOutJobs, postgres, broker: listener, logger, attemptsMax: 3, retryMs: 20, ...own }));

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('webhooks');
    postgres = databaseOf(island);

    publisher = brokerOf(island, 'jobs');
    listener = brokerOf(island, 'webhooks');
  });

  afterAll(async () => {
    await publisher.close();
    await listener.close();
    await postgres.close();

    await island.dispose();
  });

  test('what a transaction says is heard once it has committed, and not at all when it rolls back', async () => {
    const heard: string[] = [];
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    consume({
      handle: async (_trx, { subject }) => {
        heard.push(subject);
      },
    });
    const outbox = createOutbox('jobs', relay.wake);
    await publish(outbox, 'committed');
    await expect(
      postgres.organization(organizationId, async (trx) => {
        await outbox.append(trx, [
          eventMessage(jobCreated, { organizationId, aggregateId: 'rolled back', aggregateVersion: 1 }, jobCreated.example),
        ]);
        throw new Error('the effect failed');
      }),
    ).rejects.toThrow('the effect failed');
    await publish(outbox, 'after');
    await waitFor(() => heard.length === 2, { timeoutMs: 55_000, what: 'two messages' });
    expect(heard.toSorted()).toEqual(['after', 'committed']);
    // Rows are moved once the broker has acknowledged, which may be after the consumer heard.
    const left = () => postgres.systemDb.selectFrom('outbox').select('event_id').execute();
    await waitFor(async () => (await left()).length === 0, { timeoutMs: 55_000, what: 'an empty outbox' });
    const sent = await postgres.systemDb.selectFrom('outbox_sent').select(['event_id', 'stream_sequence']).execute();
    expect(sent).toHaveLength(2);
  });

  test('what waits of one aggregate is handled together, in its order, once, and one by one where that fails', async () => {
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    const outbox = createOutbox('jobs', relay.wake);
    const versions = Array.from({ length: 300 }, (_, index) => index + 1);
    await postgres.organization(organizationId, (trx) =>
      outbox.append(
        trx,
        versions.map((aggregateVersion) =>
          eventMessage(jobCreated, { organizationId, aggregateId: 'together', aggregateVersion }, jobCreated.example),
        ),
      ),
    );
    await waitFor(async () => (await postgres.systemDb.selectFrom('outbox').select('event_id').execute()).length === 0, {
      what: 'all of them to wait at the broker',
      timeoutMs: 55_000,
    });
    const heard: number[] = [];
    const sizes: number[] = [];
    let failures = 0;
    const take = async (envelopes: readonly { aggregateversion: number; subject: string }[]) => {
      const ours = envelopes.filter(({ subject }) => subject === 'together').map(({ aggregateversion }) => aggregateversion);
      if (ours.length > 1 && failures === 0) {
        failures += 1;
        throw new Error('not together');
      }
      if (ours.length > 0) sizes.push(ours.length);
      heard.push(...ours);
    };
    consume({
      handle: (_trx, envelope) => take([envelope]),
      handleTogether: (_trx, envelopes) => take(envelopes),
    });
    await waitFor(() => heard.length >= versions.length, { timeoutMs: 55_000, what: 'all of them' });
    expect(heard).toEqual(versions);
    expect(failures).toBe(1);
    expect(sizes.length).toBeLessThan(versions.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
  });

  test('the events of one aggregate are heard in the order in which they were said, a thousand at once', async () => {
    const versions: number[] = [];
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    const outbox = createOutbox('jobs', relay.wake);
    await postgres.organization(organizationId, (trx) =>
      outbox.append(
        trx,
        Array.from({ length: 1_000 }, (_, index) =>
          eventMessage(
            jobCreated,
            { organizationId, aggregateId: index % 2 === 0 ? 'ordered' : `other ${index}`, aggregateVersion: index + 1 },
            jobCreated.example,
          ),
        ),
      ),
    );
    consume({
      handle: async (_trx, { subject, aggregateversion }) => {
        if (subject === 'ordered') versions.push(aggregateversion);
      },
    });
    await waitFor(() => versions.length === 500, { timeoutMs: 55_000, what: 'five hundred versions' });
    expect(versions).toEqual(versions.toSorted((one, other) => one - other));
  });

  test('a message that is delivered again does nothing, and one that always fails becomes a dead letter', async () => {
    const attempts: string[] = [];
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    const outbox = createOutbox('jobs', relay.wake);
    consume({
      handle: async (_trx, { subject }) => {
        attempts.push(subject);
        if (subject === 'poison') throw new Error('this handler always fails');
      },
    });
    await publish(outbox, 'poison');
    await publish(outbox, 'healthy');
    const dead = () => postgres.systemDb.selectFrom('dead_letters').selectAll().execute();
    await waitFor(async () => (await dead()).length === 1, { timeoutMs: 55_000, what: 'a dead letter' });
    const [letter] = await dead();
    expect(letter).toMatchObject({ consumer: 'webhooks-fan-out-jobs', attempts: 3, organization_id: organizationId });
    expect(letter?.error).toContain('this handler always fails');
    expect(attempts.filter((subject) => subject === 'poison')).toHaveLength(3);

    // The broker forgets what it de-duplicated by; the inbox does not.
    const { rows } = await postgres.systemPool.query<{ body: string; subject: string }>(
      `select body, subject from outbox_sent where aggregate_id = 'healthy'`,
    );
    const connection = await publisher.connection();
    const [row] = rows;
    connection.publish(String(row?.subject), String(row?.body));
    await connection.flush();
    await publish(outbox, 'last');
    await waitFor(() => attempts.includes('last'), { timeoutMs: 55_000, what: 'the message behind the repeated one' });
    expect(attempts.filter((subject) => subject === 'healthy')).toHaveLength(1);
  });

  test('what fails is tried again after a while, and after a longer one each time', async () => {
    const triedAt: number[] = [];
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    consume({
      attemptsMax: 8,
      retryMs: 600,
      handle: async (_trx, { subject }) => {
        if (subject !== 'late') return;
        triedAt.push(performance.now());
        if (triedAt.length < 3) throw new Error('not yet');
      },
    });
    await publish(createOutbox('jobs', relay.wake), 'late');
    await waitFor(() => triedAt.length === 3, { timeoutMs: 55_000, what: 'three attempts' });
    const [first = 0, second = 0, third = 0] = triedAt;
    // Half of 600 ms and of 1,200 ms at least; the two clocks may differ by a little.
    expect(second - first).toBeGreaterThan(290);
    expect(third - second).toBeGreaterThan(590);
  });

  test('however often the database is away, that makes no dead letter of a message, and nothing else is forgiven', async () => {
    const away = Object.assign(new Error('too many connections for role'), { code: '53300' });
    let tries = 0;
    const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 200, leaseMs: 3_000 }));
    consume({
      attemptsMax: 2,
      retryMs: 5,
      handle: async (_trx, { subject }) => {
        if (subject !== 'away') return;
        tries += 1;
        throw tries <= 5 ? away : new Error('its own fault');
      },
    });
    await publish(createOutbox('jobs', relay.wake), 'away');
    const dead = () => postgres.systemDb.selectFrom('dead_letters').selectAll().where('body', 'like', '%"subject":"away"%').execute();
    await waitFor(async () => (await dead()).length === 1, { timeoutMs: 55_000, what: 'a dead letter' });
    expect(await dead()).toMatchObject([{ attempts: 2, error: expect.stringContaining('its own fault') }]);
    expect(tries).toBe(7);
  });

  test('two relays never publish the same row twice, and one takes over from the other', async () => {
    const first = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 50, leaseMs: 3_000 }));
    const second = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 50, leaseMs: 3_000 }));
    const count = async () =>
      Number((await postgres.systemPool.query(`select count(*) as n from outbox_sent where aggregate_id like 'pair %'`)).rows[0]?.n ?? 0);
    const outbox = createOutbox('jobs', first.wake);
    for (let index = 0; index < 20; index += 1) await publish(outbox, `pair ${index}`);
    await waitFor(async () => (await count()) === 20, { timeoutMs: 55_000, what: 'twenty rows' });
    await first.stop();
    for (let index = 20; index < 40; index += 1) await publish(outbox, `pair ${index}`);
    second.wake();
    await waitFor(async () => (await count()) === 40, { timeoutMs: 55_000, what: 'forty rows' });
    const { rows } = await postgres.systemPool.query(
      `select count(distinct stream_sequence) as n from outbox_sent where aggregate_id like 'pair %'`,
    );
    expect(Number(rows[0]?.n)).toBe(40);
  });

  test('row-level security: the request role sees and writes only its transaction’s organization', async () => {
    const other = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';
    const row = { event_id: 'evt_a', organization_id: organizationId, subject: 's', aggregate_id: 'a', priority: 0, body: '{}' };
    await expect(postgres.organization(other, (trx) => trx.insertInto('outbox').values(row).execute())).rejects.toThrow(
      /row-level security/,
    );
    await expect(postgres.anonymous((trx) => trx.insertInto('outbox').values(row).execute())).rejects.toThrow(/row-level security/);
    const inbox = { consumer: 'x', event_id: 'evt_b', organization_id: organizationId };
    await postgres.organization(organizationId, (trx) => trx.insertInto('inbox').values(inbox).execute());
    const seenBy = (who: string) =>
      postgres.organization(who, (trx) => trx.selectFrom('inbox').selectAll().where('event_id', '=', 'evt_b').execute());
    expect(await seenBy(organizationId)).toHaveLength(1);
    expect(await seenBy(other)).toHaveLength(0);
    expect(await postgres.anonymous((trx) => trx.selectFrom('inbox').selectAll().execute())).toHaveLength(0);
  });
});
