import { afterAll, beforeEach, expect, test } from 'vitest';
import { createOutboxTurns } from '../src/outbox-turns.ts';
import { databaseForTests } from './island-parts.ts';

const server = databaseForTests();
beforeEach(() => server.migrate('truncate outbox'));
afterAll(() => server.migrate('truncate outbox'));

const rowsMax = 100;

interface Waiting {
  readonly organizations: readonly string[];
  readonly each: number;
  readonly stream?: string;
  readonly priority?: number;
}
let waiting = 0;
const wait = async ({ organizations, each, stream = 'evt', priority = 0 }: Waiting): Promise<void> => {
  await server.postgres.systemPool.query(
    `insert into outbox (event_id, organization_id, subject, aggregate_id, priority, body)
     select 'evt_' || $1::int + row_number() over (), organization, $2 || '.jobs.x.' || organization, 'job ' || n % 7, $3, '{}'
       from unnest($4::text[]) organization, generate_series(1, $5::int) n`,
    [waiting, stream, priority, organizations, each],
  );
  waiting += organizations.length * each;
};
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix} ${String(at).padStart(4, '0')}`);
const turns = () => createOutboxTurns(server.postgres.systemDb, rowsMax);
const tally = (rows: readonly { readonly organization_id: string }[]) =>
  Object.fromEntries([...Map.groupBy(rows, (row) => row.organization_id)].map(([id, those]) => [id, those.length]));

test('an organization with a flood has what the others leave, and the first of each goes before the second of any', async () => {
  await wait({ organizations: ['flood'], each: 5_000 });
  await wait({ organizations: named('quiet', 20), each: 2 });
  const rows = await turns().next([]);
  expect(tally(rows)).toEqual({ flood: 60, ...Object.fromEntries(named('quiet', 20).map((name) => [name, 2])) });
  expect(new Set(rows.slice(0, 21).map((row) => row.organization_id)).size).toBe(21);
});

test('what little there is goes whole, in turn as well', async () => {
  await wait({ organizations: ['busy'], each: rowsMax - 2 });
  await wait({ organizations: ['quiet', 'third'], each: 1 });
  const rows = await turns().next([]);
  expect(rows).toHaveLength(rowsMax);
  expect(new Set(rows.slice(0, 3).map((row) => row.organization_id))).toEqual(new Set(['busy', 'quiet', 'third']));
});

test.each([10, 1_000])('of an organization with %i rows the urgent ones go first, then the oldest', async (each) => {
  await wait({ organizations: ['one'], each });
  await wait({ organizations: ['one'], each: 2, priority: 1 });
  await wait({ organizations: ['other'], each: 1 });
  const rows = (await turns().next([])).filter((row) => row.organization_id === 'one');
  const urgent = await server.postgres.systemPool.query<{ event_id: string }>(
    'select event_id from outbox where priority = 1 order by position',
  );
  expect(rows.slice(0, 2).map((row) => row.event_id)).toEqual(urgent.rows.map((row) => row.event_id));
  const positions = rows.slice(2).map((row) => row.position);
  expect(positions).toEqual(positions.toSorted((one, other) => Number(one - other)));
});

test('what waits for a stream that is shut keeps nothing of another back, however much it is', async () => {
  await wait({ organizations: ['busy'], each: 3_000 });
  await wait({ organizations: ['busy', 'quiet'], each: 1, stream: 'aud' });
  await wait({ organizations: ['quiet'], each: 1, stream: 'work' });
  const queue = turns();
  const streams = async (shut: readonly string[]) => (await queue.next(shut)).map((row) => `${row.stream} ${row.organization_id}`).sort();
  expect(await streams(['evt'])).toEqual(['aud busy', 'aud quiet', 'work quiet']);
  expect(await streams(['evt', 'aud'])).toEqual(['work quiet']);
  expect(await streams(['evt', 'aud', 'work'])).toEqual([]);
  expect(queue.goesOn()).toBe(false);
  expect(await streams([])).toHaveLength(rowsMax);
});

test('where organizations are more than a round has rows, each has its turn before one has another', async () => {
  const organizations = named('org', 250);
  await wait({ organizations, each: 3 });
  const queue = turns();
  const seen: string[] = [];
  for (const [count, goesOn] of [
    [100, true],
    [100, true],
    [100, false],
  ] as const) {
    const rows = await queue.next([]);
    expect([rows.length, queue.goesOn()]).toEqual([count, goesOn]);
    seen.push(...new Set(rows.map((row) => row.organization_id)));
  }
  expect(seen.toSorted()).toEqual(organizations);
  // And from the beginning.
  expect((await queue.next([]))[0]?.organization_id).toBe('org 0000');
});

test('none is left where each is taken out when it had its turn', async () => {
  await wait({ organizations: named('org', 130), each: 4 });
  await wait({ organizations: ['flood'], each: 700, stream: 'aud' });
  const queue = turns();
  const taken = new Map<string, bigint[]>();
  let rounds = 0;
  for (let rows = await queue.next([]); rows.length > 0 || queue.goesOn(); rows = await queue.next([])) {
    rounds += 1;
    expect(rows.length).toBeLessThanOrEqual(rowsMax);
    for (const row of rows) taken.set(row.organization_id, [...(taken.get(row.organization_id) ?? []), row.position]);
    await server.postgres.systemPool.query('delete from outbox where position = any($1)', [rows.map((row) => row.position)]);
  }
  expect([...taken.values()].flat()).toHaveLength(130 * 4 + 700);
  expect(rounds).toBeLessThan(20);
  for (const positions of taken.values()) expect(positions).toEqual(positions.toSorted((one, other) => Number(one - other)));
});
