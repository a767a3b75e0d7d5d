/** The second lock: what a service's own database shows, whoever asks it, and that what is stored is what the certificate adds up. */
import { statefulServices } from '@settler/contracts/services';
import { sharedSystem } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { createParty, type Party } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

let databases: Databases;
let receiver: Receiver;
let ours: Party;
let theirs: Party;

beforeAll(async () => {
  const { island, system } = await sharedSystem();
  receiver = await startReceiver();
  databases = await openDatabases(island);
  [ours, theirs] = await Promise.all([createParty(system.url, 'ours', receiver.url), createParty(system.url, 'theirs', receiver.url)]);
});
afterAll(async () => {
  await Promise.all([receiver.close(), databases.close()]);
});

/** Found where they are, and not listed by hand. Partitions are reached through their parents alone. */
const ownedTables = `
  select c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   order by 1`;
/** A session is its user's, and goes with the user from one organization to another. */
const usersOwn = ['sessions', 'session_departures'];
/** The chassis' own tables, which no request reads: only the machinery's role has rights on them. */
const machinery = ['dead_letters', 'outbox', 'outbox_quarantine', 'outbox_sent'];

describe.each(statefulServices)('the database of %s', (service) => {
  test('hides every organization from every other, and from nobody in particular', async () => {
    const tables = await databases.as(service, 'admin', async (database) => (await database.query(ownedTables)).rows);
    const owned = tables.filter(({ name }) => !machinery.includes(name) && !usersOwn.includes(name));
    expect(owned.length).toBeGreaterThan(0);
    const organizationId = (await ours.key.get('/v1/me')).body.organizationId;
    const otherId = (await theirs.key.get('/v1/me')).body.organizationId;
    let rowsOfOurs = 0;
    for (const { name, secured, forced } of owned) {
      expect({ name, secured, forced }).toEqual({ name, secured: true, forced: true });
      await databases.as(service, 'app', async (database) => {
        const count = async () => Number((await database.query(`select count(*) as count from ${name}`)).rows[0].count);
        expect(await count(), `${name} without an organization`).toBe(0);
        await database.query('begin');
        await database.query(`select set_config('app.organization_id', $1, true)`, [organizationId]);
        const { rows } = await database.query(`select distinct organization_id from ${name}`);
        expect(
          rows.filter((row) => row.organization_id !== organizationId),
          name,
        ).toEqual([]);
        rowsOfOurs += await count();
        const stolen = await database.query(`select count(*) as count from ${name} where organization_id = $1`, [otherId]);
        expect(Number(stolen.rows[0].count), name).toBe(0);
        await database.query('rollback');
      });
    }
    expect(rowsOfOurs).toBeGreaterThan(0);
  });
});

test('the certificate is a sum over stored rows: the same by SQL, and one corrupted row breaks it', async () => {
  const place = `/v1/executions/${ours.executionId}/report`;
  const { certificate } = (await ours.key.get(place)).body;
  expect(certificate.holds).toBe(true);
  const stored = await databases.as('executions', 'admin', async (database) => {
    const { rows } = await database.query(
      `select side, currency, outcome, sum(count)::int as count, (sum(amount_minor) / 100)::numeric(20, 2)::text as amount
         from result_sums where execution_id = $1 group by side, currency, outcome`,
      [ours.executionId],
    );
    return rows;
  });
  for (const line of certificate.lines) {
    const of = stored.filter(({ side, currency }) => side === line.side && currency === line.currency);
    expect(Object.fromEntries(of.map(({ outcome, count, amount }) => [outcome, { count, amount }]))).toEqual(line.byOutcome);
  }
  await databases.as('executions', 'admin', (database) =>
    database.query(
      `update result_sums set amount_minor = amount_minor + 1 where ctid = (select ctid from result_sums where execution_id = $1 and currency <> '' limit 1)`,
      [ours.executionId],
    ),
  );
  const after = (await ours.key.get(place)).body.certificate;
  expect(after.holds).toBe(false);
  expect(after.lines.some(({ difference }: { difference: { amount: string } }) => difference.amount === '-0.01')).toBe(true);
});
