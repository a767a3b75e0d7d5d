import { sql, type Transaction } from 'kysely';
import { describe, expect, test } from 'vitest';
import { isUnavailable } from '../src/database-errors.ts';
import type { ChassisTables } from '../src/tables.ts';
import { databaseForTests } from './island-parts.ts';

const organizations = Array.from({ length: 8 }, (_, index) => `org_01jd000000000000000000000${index}`);
const [one = '', other = ''] = organizations;

describe('transactions for an organization', () => {
  const server = databaseForTests();

  const insert = (organizationId: string, id: string) =>
    server.postgres.organization(organizationId, (trx) =>
      sql`insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
          values (${id}, ${organizationId}, 'https://example.com', '{*}', 'active', 'secret', now(), now())`.execute(trx),
    );
  const owners = async (organizationId: string): Promise<string[]> =>
    server.postgres.reading(organizationId, async (trx) => {
      const { rows } = await sql<{ owner: string }>`select organization_id as owner from endpoints`.execute(trx);
      return rows.map(({ owner }) => owner);
    });

  test('many at once, on fewer connections than there are of them, see and write what is their own', async () => {
    await Promise.all(organizations.map((organizationId, index) => insert(organizationId, `whk_${index}`)));
    const rounds = Array.from({ length: 40 }, () => organizations).flat();
    const seen = await Promise.all(rounds.map(owners));
    expect(seen).toEqual(rounds.map((organizationId) => [organizationId]));
  });

  test('one that reads is kept from writing', async () => {
    const write = server.postgres.reading(one, (trx) => sql`update endpoints set url = 'https://example.org'`.execute(trx));
    await expect(write).rejects.toThrow('read-only transaction');
  });

  test('one that fails leaves nothing behind, and its connection to others', async () => {
    const failing = Array.from({ length: 20 }, (_, index) =>
      server.postgres.organization(one, async (trx) => {
        await sql`update endpoints set url = 'https://example.org'`.execute(trx);
        if (index % 2 === 0) throw new Error('no longer wanted');
        await sql`select 1 / 0`.execute(trx);
      }),
    );
    const outcomes = await Promise.allSettled([...failing, ...organizations.map(owners)]);
    expect(outcomes.slice(0, 20).every(({ status }) => status === 'rejected')).toBe(true);
    expect(outcomes.slice(20)).toEqual(organizations.map((organizationId) => ({ status: 'fulfilled', value: [organizationId] })));
    const { rows } = await sql<{ count: bigint }>`select count(*) from endpoints where url = 'https://example.org'`.execute(
      server.postgres.systemDb,
    );
    expect(rows).toEqual([{ count: 0n }]);
  });

  test('one that asks at once sees what is its own, and nothing once it is over', async () => {
    const both = (organizationId: string) =>
      server.postgres.readingAtOnce(organizationId, async (trx) => {
        const owner = sql<{ owner: string }>`select organization_id as owner from endpoints`;
        const answers = await Promise.all([owner.execute(trx), owner.execute(trx)]);
        return answers.flatMap(({ rows }) => rows.map((row) => row.owner));
      });
    const rounds = Array.from({ length: 20 }, () => organizations).flat();
    expect(await Promise.all(rounds.map(both))).toEqual(rounds.map((organizationId) => [organizationId, organizationId]));
    const late = server.postgres.readingAtOnce(one, async (trx) => {
      await sql`select 1`.execute(trx);
      await sql`select organization_id from endpoints`.execute(trx);
    });
    await expect(late).rejects.toThrow('when its transaction was over');
    const failing = server.postgres.readingAtOnce(one, (trx) => sql`select 1 / 0`.execute(trx));
    await expect(failing).rejects.toThrow('division by zero');
    const writing = server.postgres.readingAtOnce(one, (trx) => sql`update endpoints set url = 'https://example.org'`.execute(trx));
    await expect(writing).rejects.toThrow('read-only transaction');
    expect(await Promise.all(organizations.map(owners))).toEqual(organizations.map((organizationId) => [organizationId]));
  });

  test('statements that are asked for together are sent together, and one that fails takes back what the others did', async () => {
    const changing = server.postgres.organization(one, async (trx) => {
      const url = (text: string) => sql`update endpoints set url = ${text}`.execute(trx);
      await Promise.all([url('https://example.org/1'), sql`select 1 / 0`.execute(trx), url('https://example.org/2')]);
    });
    await expect(changing).rejects.toThrow('division by zero');
    const { rows } = await sql<{ count: bigint }>`select count(*) from endpoints where url like 'https://example.org/%'`.execute(
      server.postgres.systemDb,
    );
    expect(rows).toEqual([{ count: 0n }]);
    expect(await owners(one)).toEqual([one]);
  });

  test('one that is asked again and again is prepared, which columns that are added and failures do not break', async () => {
    const idsOf = (id: string) =>
      server.postgres.reading(other, async (trx) => {
        const { rows } = await sql<{ id: string }>`select id, status from endpoints where id = ${id}`.execute(trx);
        const { rows: all } = await sql<{ id: string }>`select * from endpoints where id = ${id}`.execute(trx);
        return [...rows, ...all].map((row) => row.id);
      });
    const own = (await server.postgres.reading(other, (trx) => sql<{ id: string }>`select id from endpoints limit 1`.execute(trx))).rows[0];
    const id = own?.id ?? '';
    const manyTimes = () => Promise.all(Array.from({ length: 100 }, () => idsOf(id)));
    expect(await manyTimes()).toEqual(Array(100).fill([id, id]));
    const prepared = await server.postgres.organization(
      other,
      async (trx) => (await sql<{ count: bigint }>`select count(*) from pg_prepared_statements`.execute(trx)).rows,
    );
    expect(prepared[0]?.count).toBeGreaterThan(0n);
    await server.migrate('alter table endpoints add column later text');
    expect(await manyTimes()).toEqual(Array(100).fill([id, id]));
    const failing = Array.from({ length: 40 }, (_, index) =>
      server.postgres.organization(other, (trx) => sql`select 1 / (${index}::int - ${index}::int) as never`.execute(trx)),
    );
    expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(await manyTimes()).toEqual(Array(100).fill([id, id]));
  });

  test("what is stored as JSON has its own names, and nobody else's", async () => {
    for (const name of ['W\\u00e4', '\\']) expect(JSON.parse(JSON.stringify({ id: 1, [name]: 2 }))).toHaveProperty([name]);
    const read = (type: 'json' | 'jsonb', text: string) =>
      server.postgres.reading(one, async (trx) => {
        const { rows } = await sql<{ value: object }>`select ${text}::${sql.raw(type)} as value`.execute(trx);
        return Object.keys(rows[0]?.value ?? {});
      });
    expect(await read('json', '{"id":1,"W\\u00e4hrung":"CHF"}')).toEqual(['id', 'Währung']);
    expect(await read('jsonb', '{"id":1,"\\"":2}')).toEqual(['"', 'id']);
  });

  test('what a transaction for one could not write for another, it cannot send ahead either', async () => {
    const foreign = server.postgres.organization(one, (trx) =>
      sql`update endpoints set organization_id = ${other} where organization_id = ${one}`.execute(trx),
    );
    await expect(foreign).rejects.toThrow('row-level security');
    expect(await owners(other)).toEqual([other]);
  });

  test('a connection that the database ends fails what is on it, and only that', async () => {
    const lost = server.postgres.organization(one, async (trx) => {
      // A role may end its own connections, and none of another's.
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
    });
    await expect(lost).rejects.toSatisfy(isUnavailable);
    expect(await Promise.all(organizations.map(owners))).toEqual(organizations.map((organizationId) => [organizationId]));
  });

  test('one that nothing comes from any more does not keep its locks, whoever has it', async () => {
    const read = async (trx: Transaction<ChassisTables>) => {
      const { rows } = await sql<{ limit: string }>`select current_setting('idle_in_transaction_session_timeout') as limit`.execute(trx);
      return rows[0]?.limit;
    };
    expect(
      await Promise.all([server.postgres.organization(one, read), server.postgres.reading(one, read), server.postgres.system(read)]),
    ).toEqual(['30s', '30s', '30s']);
    const left = server.postgres.organization(one, async (trx) => {
      await sql`update endpoints set url = 'https://example.org'`.execute(trx);
      await sql`set local idle_in_transaction_session_timeout = 200`.execute(trx);
      await sql`update endpoints set url = 'https://example.net'`.execute(server.postgres.systemDb);
      await sql`select 1`.execute(trx);
    });
    await expect(left).rejects.toSatisfy(isUnavailable);
  });
});
