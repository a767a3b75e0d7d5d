import { createLogger } from '@settler/chassis/logger';
import { createPostgres, type Postgres } from '@settler/chassis/postgres';
import { createIsland, type Island } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { deleteOldDeliveries } from '../src/infrastructure/postgres/delivery-retention.ts';
import type { Database } from '../src/infrastructure/postgres/tables.ts';

const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d5';

let island: Island;
let postgres: Postgres<Database>;
let database: pg.Client;

beforeAll(async () => {
  island = await createIsland();
  await island.provision('webhooks');
  const login = (role: 'app' | 'system') => {
    const { user, password } = island.databaseConfig('webhooks', role);
    return { user: String(user), password: String(password) };
  };
  const { host, port, database: name } = island.databaseConfig('webhooks', 'system');
  postgres = createPostgres<Database>({
    host: String(host),
    port: Number(port),
    database: String(name),
    ssl: 'off',
    app: login('app'),
    system: login('system'),
    poolMax: 5,
    poolMin: 0,
    logger: createLogger('test', 'silent'),
  });
  database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
  await database.connect();
  await database.query(
    `insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
     select id, $1, 'https://example.com', '{*}', 'active', 'secret', now(), now() from unnest('{whk_1,whk_2}'::text[]) id`,
    [organizationId],
  );
});
afterAll(async () => {
  await database.end();
  await postgres.close();
  await island.dispose();
});
beforeEach(async () => {
  await database.query('delete from deliveries');
  await database.query('delete from events');
});

let deliveries = 0;
/** So old, and with an attempt that is so old where there was one. */
const deliver = async (event: string, status: string, days: number, attemptDays?: number): Promise<string> => {
  deliveries += 1;
  const id = `dlv_${deliveries}`;
  await database.query(
    `with event as (insert into events (id, organization_id, type, body, received_at)
                    values ($2, $3, 'job.created', '{}', now() - make_interval(days => $5)) on conflict do nothing)
     insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, created_at)
     values ($1, $3, case when $6 % 2 = 0 then 'whk_1' else 'whk_2' end, $2, 'job.created', $6, $4, now() - make_interval(days => $5))`,
    [id, event, organizationId, status, days, deliveries],
  );
  if (attemptDays !== undefined)
    await database.query(
      `insert into attempts (delivery_id, organization_id, position, at, latency_ms) values ($1, $2, 1, now() - make_interval(days => $3), 1)`,
      [id, organizationId, attemptDays],
    );
  return id;
};
const left = async (table: 'deliveries' | 'events' | 'attempts', column = 'id'): Promise<string[]> =>
  (await database.query(`select ${column} as id from ${table} order by 1`)).rows.map(({ id }) => id);

test('what is over goes with its attempts, so long after the last of them, and what is not over stays', async () => {
  await deliver('old', 'delivered', 31, 31);
  await deliver('old', 'failed', 34, 31);
  const kept = [
    await deliver('delivered late', 'delivered', 90, 29),
    await deliver('young', 'delivered', 29, 29),
    await deliver('pending', 'pending', 90, 90),
    await deliver('held', 'held', 90),
  ];
  await deleteOldDeliveries(postgres, 30);
  expect(await left('deliveries')).toEqual(kept.toSorted());
  expect(await left('attempts', 'delivery_id')).toEqual(kept.slice(0, 3).toSorted());
  expect(await left('events')).toEqual(['delivered late', 'held', 'pending', 'young']);
});

test('an event stays for as long as one of its deliveries does', async () => {
  await deliver('shared', 'delivered', 40, 40);
  const held = await deliver('shared', 'held', 40);
  await deleteOldDeliveries(postgres, 30);
  expect(await left('deliveries')).toEqual([held]);
  expect(await left('events')).toEqual(['shared']);
  await database.query(`update deliveries set status = 'failed'`);
  await deleteOldDeliveries(postgres, 30);
  expect(await left('events')).toEqual([]);
});

test('what somebody else works on is left to the next time, and more goes at a time than one batch', async () => {
  await database.query(
    `with made as (insert into events (id, organization_id, type, body, received_at)
                   select 'evt_' || n, $1, 'job.created', '{}', now() - interval '40 days' from generate_series(1, 2500) n returning id)
     insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, created_at)
     select 'dlv ' || id, $1, 'whk_1', id, 'job.created', substr(id, 5)::int + 1000, 'delivered', now() - interval '40 days' from made`,
    [organizationId],
  );
  await database.query('begin');
  await database.query(`select from deliveries where id = 'dlv evt_7' for update`);
  await deleteOldDeliveries(postgres, 30);
  await database.query('commit');
  expect(await left('deliveries')).toEqual(['dlv evt_7']);
  expect(await left('events')).toEqual(['evt_7']);
});
