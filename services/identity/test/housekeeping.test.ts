import { createLogger } from '@settler/chassis/logger';
import { createPostgres, type Postgres } from '@settler/chassis/postgres';
import { createIsland, type Island } from '@settler/harness';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clean } from '../src/infrastructure/postgres/housekeeping.ts';
import type { Database } from '../src/infrastructure/postgres/tables.ts';

let island: Island;
let postgres: Postgres<Database>;

const organizationId = 'org_01jd0000000000000000000000';

beforeAll(async () => {
  island = await createIsland();
  await island.provision('identity');
  const roleOf = (user: 'app' | 'system') => {
    const { user: name, password } = island.databaseConfig('identity', user);
    return { user: String(name), password: String(password) };
  };
  const { host, port, database } = island.databaseConfig('identity', 'app');
  postgres = createPostgres<Database>({
    host: String(host),
    port: Number(port),
    database: String(database),
    ssl: 'off',
    app: roleOf('app'),
    system: roleOf('system'),
    poolMax: 4,
    poolMin: 0,
    logger: createLogger('test', 'silent'),
  });
});
afterAll(async () => {
  await postgres.close();
  await island.dispose();
});

describe('housekeeping', () => {
  test('clears addresses of the trail after 90 days, and keeps the entries', async () => {
    await postgres.organization(organizationId, async (trx) => {
      for (const [position, days] of [89, 91].entries())
        await sql`
          insert into audit_entries (organization_id, position, id, at, actor_type, actor_id, address, action, resource_type, resource_id, hash)
          values (${organizationId}, ${position + 1}, ${`aud_${days}`}, now() - make_interval(days => ${days}), 'user', 'usr_1', '192.0.2.7',
                  'job.created', 'job', 'job_1', 'hash')`.execute(trx);
    });
    await clean(postgres);
    const kept = await postgres.organization(organizationId, (trx) =>
      trx.selectFrom('audit_entries').select(['id', 'address']).orderBy('position').execute(),
    );
    expect(kept).toEqual([
      { id: 'aud_89', address: '192.0.2.7' },
      { id: 'aud_91', address: null },
    ]);
  });

  test('forgets failed logins after an hour, which is longer than any limit looks back', async () => {
    await postgres.anonymous(async (trx) => {
      for (const minutes of [59, 61])
        await sql`insert into login_failures (account, address, at) values (${Buffer.from([minutes])}, ${Buffer.from([0])},
                  now() - make_interval(mins => ${minutes}))`.execute(trx);
    });
    await clean(postgres);
    const left = await postgres.systemDb.selectFrom('login_failures').select('account').execute();
    expect(left.map(({ account }) => account[0])).toEqual([59]);
  });
});
