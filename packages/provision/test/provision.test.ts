import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingMigrations } from '@settler/chassis/provision';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { createIsland, type Island, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from './programs.ts';

let island: Island;
let admin: pg.Client;
/** As a managed PostgreSQL gives it: no superuser. */
const operator = { user: '', password: 'of-the-operator' };

const place = () => {
  const { host = '', port = 0 } = island.databaseConfig('jobs', 'app');
  return { DB_HOST: host, DB_PORT: String(port), DB_NAME: island.prefix };
};
const passwordOf = (service: StatefulService, role: 'APP' | 'SYSTEM') => island.environmentFor(service)[`DB_${role}_PASSWORD`] ?? '';
const mainEnvironment = (): Record<string, string> => ({
  ...place(),
  DB_USER: operator.user,
  DB_PASSWORD: operator.password,
  NATS_URL: island.brokerUrl('admin'),
  ...Object.fromEntries(
    statefulServices.flatMap((service) =>
      (['APP', 'SYSTEM'] as const).map((role) => [`${service.toUpperCase()}_DB_${role}_PASSWORD`, passwordOf(service, role)]),
    ),
  ),
});
const waitEnvironment = (service: StatefulService): Record<string, string> => ({
  ...place(),
  SERVICE: service,
  DB_SYSTEM_PASSWORD: passwordOf(service, 'SYSTEM'),
});
const run = async (environment: Record<string, string>) => {
  const program = startProgram('main', environment);
  return { code: await program.exitCode, output: program.output() };
};
const queryAs = async (config: pg.ClientConfig, text: string) => {
  const client = new pg.Client(config);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

beforeAll(async () => {
  island = await createIsland();
  operator.user = `${island.prefix}_operator`;
  admin = new pg.Client({ ...island.databaseConfig('jobs', 'admin'), database: 'postgres' });
  await admin.connect();
  await admin.query(`create role ${operator.user} login createdb createrole password '${operator.password}'`);
});

afterAll(async () => {
  // Made before by the program, and known to the island by this: it is what the island removes.
  await admin.query(`grant ${statefulServices.map((service) => `${island.prefix}_${service}_owner`).join(', ')} to current_user`);
  await island.provision(...statefulServices);
  await island.dispose();
  await admin.query(`drop owned by ${operator.user}`);
  await admin.query(`drop role ${operator.user}`);
  await admin.end();
});

describe('provision', () => {
  it('makes everything as a role that is no superuser, while each service is held back until its tables are there', async () => {
    const waiting = startProgram('wait', waitEnvironment('executions'));
    try {
      await waitFor(() => waiting.output().includes('waiting for the database'), { what: 'the wait to find nothing' });
      expect(await run(mainEnvironment())).toMatchObject({ code: 0 });
      expect(await waiting.exitCode).toBe(0);
    } finally {
      waiting.kill();
    }
    for (const service of statefulServices) {
      for (const user of ['app', 'system'] as const) {
        const rows = await queryAs(island.databaseConfig(service, user), 'select count(*)::int as count from outbox');
        expect(rows).toEqual([{ count: 0 }]);
      }
    }
  });

  it('may be run again, and gives the roles the passwords that it is told', async () => {
    const changed = { ...mainEnvironment(), JOBS_DB_APP_PASSWORD: 'another-one' };
    expect(await run(changed)).toMatchObject({ code: 0 });
    const app = island.databaseConfig('jobs', 'app');
    await expect(queryAs({ ...app, password: 'another-one' }, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
    await expect(queryAs(app, 'select 1')).rejects.toThrow(/password/);
    expect(await run(mainEnvironment())).toMatchObject({ code: 0 });
    await expect(queryAs(app, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  it('says all that it was not told, and ends with 2', async () => {
    const { code, output } = await run({ DB_HOST: 'db', NATS_REPLICAS: '2' });
    expect(code).toBe(2);
    for (const name of ['DB_PASSWORD', 'NATS_URL', 'NATS_REPLICAS', 'IDENTITY_DB_APP_PASSWORD', 'WEBHOOKS_DB_SYSTEM_PASSWORD']) {
      expect(output).toContain(name);
    }
  });

  it('ends with 1 where the database refuses it, and does not print the password', async () => {
    const { code, output } = await run({ ...mainEnvironment(), DB_PASSWORD: 'not-the-password' });
    expect(code).toBe(1);
    expect(output).toContain('password authentication failed');
    expect(output).not.toContain('not-the-password');
  });
});

describe('wait', () => {
  it('knows migrations as compiled, beside their declarations and maps', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'settler-migrations-'));
    try {
      for (const file of ['0001-one.js', '0001-one.d.ts', '0001-one.d.ts.map', '0001-one.js.map', 'notes.js']) {
        writeFileSync(join(folder, file), '');
      }
      expect(await missingMigrations(island.databaseConfig('jobs', 'system'), folder)).toEqual(['0001-one']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives up after its time, naming the migrations that are missing', async () => {
    await queryAs(island.databaseConfig('webhooks', 'owner'), `update kysely_migration set name = 'moved' where name = '0000-chassis'`);
    try {
      const program = startProgram('wait', { ...waitEnvironment('webhooks'), WAIT_MS: '1' });
      expect(await program.exitCode).toBe(1);
      expect(program.output()).toContain('0000-chassis');
    } finally {
      await queryAs(island.databaseConfig('webhooks', 'owner'), `update kysely_migration set name = '0000-chassis' where name = 'moved'`);
    }
  });
});
