/** What the relay does while a stream takes nothing. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createIsland, type Island, waitFor } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, brokerServers } from '../src/broker.ts';
import type { Postgres } from '../src/postgres.ts';
import { startRelay } from '../src/relay.ts';
import type { ChassisTables } from '../src/tables.ts';
import { brokerOf, databaseOf, logger, stopped } from './island-parts.ts';

let island: Island;
let postgres: Postgres<ChassisTables>;
let publisher: Broker;

beforeAll(async () => {
  island = await createIsland();
  await island.provision('webhooks');
  postgres = databaseOf(island);
  publisher = brokerOf(island, 'jobs');
});
afterAll(async () => {
  await publisher.close();
  await postgres.close();
  await island.dispose();
});

/** How many bytes a stream may hold; what it could before. */
const limit = async (stream: string, bytes: number): Promise<number> => {
  const connection = await connect(brokerServers(island.brokerUrl('admin')));
  const manager = await jetstreamManager(connection);
  const { config } = await manager.streams.info(stream);
  await manager.streams.update(stream, { ...config, max_bytes: bytes });
  await connection.close();
  return config.max_bytes;
};
const insert = (prefix: string, subject: string, organizationId: string, count: number) =>
  postgres.systemPool.query(
    `insert into outbox (event_id, organization_id, subject, aggregate_id, body)
     select $1 || n, $2, $3, $1 || n % 50, '{}' from generate_series(1, $4::int) n`,
    [prefix, organizationId, subject, count],
  );
const sent = async (prefix: string): Promise<number> =>
  Number(
    (await postgres.systemPool.query<{ n: bigint }>('select count(*) as n from outbox_sent where starts_with(event_id, $1)', [prefix]))
      .rows[0]?.n,
  );

test('a stream that is full stops nothing that is for another, and has all that waited once it takes something again', async () => {
  const bytes = await limit('EVT_JOBS', 1);
  await insert('full ', 'evt.jobs.job.created.v1.org_busy', 'org_busy', 3_000);
  const relay = stopped(startRelay({ postgres, broker: publisher, logger, pollMs: 100, leaseMs: 3_000 }));
  await insert('trail ', 'aud.jobs.org_busy', 'org_busy', 100);
  await insert('bell ', 'work.runs', 'org_quiet', 1);
  relay.wake();
  await waitFor(async () => (await sent('trail ')) === 100 && (await sent('bell ')) === 1, { timeoutMs: 20_000, what: 'the others' });
  expect(await sent('full ')).toBe(0);
  await limit('EVT_JOBS', bytes);
  await waitFor(async () => (await sent('full ')) === 3_000, { timeoutMs: 40_000, what: 'what waited' });
  const left = 'select event_id from outbox union all select event_id from outbox_quarantine';
  expect((await postgres.systemPool.query(left)).rows).toEqual([]);
});
