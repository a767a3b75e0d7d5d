import { databaseSettings, loadConfig } from '@settler/chassis/config';
import { newId } from '@settler/chassis/ids';
import { createLogger } from '@settler/chassis/logger';
import { createOutbox } from '@settler/chassis/outbox';
import { createCursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { openServiceDatabase } from '@settler/chassis/service-database';
import { createIsland, type Island } from '@settler/harness';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { measuredEnds } from '../src/application/measured-ends.ts';
import type { Ending, HeldExecution, LeaseStore } from '../src/application/ports.ts';
import { type RunNeeds, runExecution } from '../src/application/run-execution.ts';
import { createExecutionQueries } from '../src/infrastructure/postgres/runs/execution-queries.ts';
import { createLeaseStore } from '../src/infrastructure/postgres/runs/lease-store.ts';
import { runs } from '../src/infrastructure/postgres/runs/measures.ts';
import { together } from '../src/infrastructure/postgres/runs/together.ts';
import type { Database } from '../src/infrastructure/postgres/tables.ts';
import { organizationId, otherOrganizationId } from './running-service.ts';

const failed = (message: string): Ending => ({ status: 'failed', error: { code: 'no_input', message } });

describe('leases that are asked for at the same moment', () => {
  let island: Island;
  let postgres: Postgres<Database>;
  let leases: LeaseStore;
  const orphans: [status: string, seconds: number][] = [];

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('executions');
    const config = loadConfig(z.object(databaseSettings), island.environmentFor('executions'));
    postgres = openServiceDatabase<Database>('executions', config, createLogger('executions', 'silent'));
    leases = createLeaseStore(
      postgres,
      createOutbox('executions', () => {}),
      { leaseMs: 30_000, ringAgainMs: 4_000, onOrphan: (status, seconds) => orphans.push([status, Math.round(seconds)]) },
    );
  });
  afterAll(async () => {
    await postgres.close();
    await island.dispose();
  });

  const queue = async (more: {
    readonly organization?: string;
    readonly jobId?: string;
    readonly isSerial?: boolean;
    readonly at?: Date;
  }) => {
    const id = newId('execution');
    await postgres.systemDb
      .insertInto('executions')
      .values({
        id,
        organization_id: more.organization ?? organizationId,
        job_id: more.jobId ?? newId('job'),
        job_version: 1,
        definition: '{}',
        dry_run: true,
        is_serial: more.isSerial ?? false,
        file_ids: [],
        status: 'queued',
        progress: '{"stage":"queued","done":0,"total":null}',
        created_by_type: 'user',
        created_by_id: 'usr_1',
        created_at: more.at ?? new Date(),
      })
      .execute();
    return id;
  };
  const claim = (...ids: string[]) => Promise.all(ids.map((id) => leases.claim(id, 'a worker')));
  const held = async (...ids: string[]): Promise<HeldExecution[]> => {
    const claimed = await claim(...ids);
    return claimed.map((one) => one ?? expect.fail('an execution was not to be had'));
  };
  const said = async (id: string) => {
    const rows = await postgres.systemDb
      .selectFrom('outbox')
      .select(['organization_id', 'subject', 'body'])
      .where('body', 'like', `%${id}%`)
      .orderBy('position')
      .execute();
    return rows.map(({ organization_id: organization, body }) => [organization, JSON.parse(body).type]);
  };
  const rowOf = (id: string) => postgres.systemDb.selectFrom('executions').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  test('are counted, and so is how long the first has been waiting that waits for a worker, and for nothing else', async () => {
    const before = async (seconds: number, id: string, more: object = {}) =>
      postgres.systemDb
        .updateTable('executions')
        .set({ not_before: new Date(Date.now() - seconds * 1_000), ...more })
        .where('id', '=', id)
        .execute();
    const counted = async () => {
      const { rows } = await sql.raw<Record<string, unknown>>(runs.query).execute(postgres.systemDb);
      return rows.map(({ queued, running, oldest }) => [Number(queued), Number(running), Math.floor(Number(oldest) / 60)]);
    };
    expect(await counted()).toEqual([[0, 0, 0]]);
    const jobId = newId('job');
    const [running, behind, retried, waiting] = [
      await queue({ jobId, isSerial: true }),
      await queue({ jobId, isSerial: true }),
      await queue({}),
      await queue({}),
    ];
    await before(7_200, running, { status: 'running', lease_until: new Date(Date.now() + 60_000) });
    await before(3_600, behind);
    await before(-600, retried);
    expect(await counted()).toEqual([[3, 1, 0]]);
    // Given back, for its next attempt: who waits behind it waits on.
    await before(-20, running, { status: 'queued', lease_until: null });
    expect(await counted()).toEqual([[4, 0, 0]]);
    await before(7_200, running, { status: 'running', lease_until: new Date(Date.now() + 60_000) });
    await before(120, waiting);
    expect(await counted()).toEqual([[3, 1, 2]]);
    await postgres.systemDb.deleteFrom('executions').where('id', 'in', [running, behind, retried, waiting]).execute();
  });

  test('tell what ended and how long it took, also of what no worker could end', async () => {
    const ends: [status: string, seconds: number][] = [];
    let nowMs = 0;
    const measured = measuredEnds(
      leases,
      (status, seconds) => ends.push([status, seconds]),
      () => nowMs,
    );
    const taken = await Promise.all([await queue({}), await queue({})].map((id) => measured.claim(id, 'a worker')));
    const [ended, lost] = taken.map((one) => one ?? expect.fail('an execution was not to be had')) as [HeldExecution, HeldExecution];
    nowMs = 2_500;
    expect(await measured.end(ended, failed('no input'))).toBe(true);
    expect(await measured.end(ended, failed('no input'))).toBe(false);
    expect(ends).toEqual([['failed', 2.5]]);
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000);
    await postgres.systemDb
      .updateTable('executions')
      .set({ attempt: 5, started_at: ago(90), lease_until: ago(1) })
      .where('id', '=', lost.id)
      .execute();
    await measured.sweep();
    expect(orphans).toEqual([['failed', 90]]);
    expect(await rowOf(lost.id)).toMatchObject({ status: 'failed', error: { code: 'attempts_exhausted' } });
  });

  test('are given one each, whatever organization they are of, and each start is said once', async () => {
    const [mine, theirs] = [await queue({}), await queue({ organization: otherOrganizationId })];
    const [first, second, again, unknown] = await claim(theirs, mine, mine, newId('execution'));
    expect([first, second]).toMatchObject([
      { id: theirs, epoch: 1, organizationId: otherOrganizationId },
      { id: mine, epoch: 1, organizationId },
    ]);
    expect([again, unknown]).toEqual([undefined, undefined]);
    expect(await said(mine)).toEqual([[organizationId, 'execution.started']]);
    expect(await said(theirs)).toEqual([[otherOrganizationId, 'execution.started']]);
  });

  test('are given to one run of a job that runs one at a time, and to all others', async () => {
    const jobId = newId('job');
    // Of the same millisecond: neither of them is the older one.
    const at = new Date();
    const serial = [await queue({ jobId, isSerial: true, at }), await queue({ jobId, isSerial: true, at })];
    const other = await queue({});
    const [one, two, three] = await claim(...serial, other);
    expect(three).toMatchObject({ id: other });
    expect([one, two].filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test('that one run of a job waits for are named by it, until it waits for a worker alone', async () => {
    const jobId = newId('job');
    const [running, next, last] = [
      await queue({ jobId, isSerial: true, at: new Date(1_000) }),
      await queue({ jobId, isSerial: true, at: new Date(2_000) }),
      await queue({ jobId, isSerial: true, at: new Date(3_000) }),
    ];
    const beside = await queue({ jobId });
    const [first] = await held(running);
    const queries = createExecutionQueries(postgres, createCursors(Buffer.alloc(32)));
    const reasons = () =>
      Promise.all([running, next, last, beside].map(async (id) => (await queries.read(organizationId, id))?.view.waitingFor));
    const behind = (id: string) => `the execution ${id} of its job`;
    expect(await reasons()).toEqual([null, behind(running), behind(running), null]);
    const { data } = await queries.list(organizationId, { jobId, limit: 10 });
    expect(data.find(({ id }) => id === last)?.waitingFor).toBe(behind(running));

    await leases.end(first as HeldExecution, { status: 'cancelled' });
    expect(await reasons()).toEqual([null, null, behind(next), null]);
  });

  test('are given back at once where the worker was told to stop while it asked, and count as no attempt', async () => {
    const id = await queue({});
    const [one] = await held(id);
    // Nothing else of a run is begun.
    const needs = { leases, renewMs: 5_000, logger: createLogger('executions', 'silent') } as RunNeeds;
    await runExecution(needs, one as HeldExecution, AbortSignal.abort());
    expect(await rowOf(id)).toMatchObject({ status: 'queued', attempt: 0, lease_owner: null });
  });

  test('end each under its own epoch: who lost a lease, or was cancelled, holds up nobody', async () => {
    const ids = [await queue({}), await queue({}), await queue({ organization: otherOrganizationId })];
    const [lost, cancelled, kept] = (await held(...ids)) as [HeldExecution, HeldExecution, HeldExecution];
    await postgres.systemDb.updateTable('executions').set({ lease_epoch: 2 }).where('id', '=', lost.id).execute();
    await postgres.systemDb.updateTable('executions').set({ cancel_requested_at: new Date() }).where('id', '=', cancelled.id).execute();
    const end = (one: HeldExecution) => leases.end(one, failed('nobody answers'));
    const noted = sql<{ of: string }>`select execution_id as of from open_item_moves order by execution_id`;
    await sql`
      insert into open_item_moves (execution_id, epoch, identity, side, occurrence, outcome, record, record_key)
      select id, 1, 'identity', 'source', 1, 'missing_in_target', '{}', 'source:1' from unnest(${ids}::text[]) as id`.execute(
      postgres.systemDb,
    );
    expect(await Promise.all([end(lost), end(cancelled), end(kept)])).toEqual([false, false, true]);
    expect((await rowOf(lost.id)).status).toBe('running');
    expect((await rowOf(cancelled.id)).status).toBe('running');
    expect(await rowOf(kept.id)).toMatchObject({ status: 'failed', error: { message: 'nobody answers' }, lease_owner: null, revision: 3n });
    expect(await said(kept.id)).toEqual([
      [otherOrganizationId, 'execution.started'],
      [otherOrganizationId, 'execution.failed'],
      [otherOrganizationId, 'audit.recorded'],
    ]);
    // What it has written for its end is of no use any more; that of the others is theirs.
    expect((await noted.execute(postgres.systemDb)).rows.map(({ of }) => of)).toEqual([lost.id, cancelled.id].sort());
    expect(await leases.end(cancelled, { status: 'cancelled' })).toBe(true);
    expect(await leases.end(kept, { status: 'cancelled' })).toBe(false);
  });

  test('end each by itself where one of them cannot be written', async () => {
    const [bad, good] = (await held(await queue({}), await queue({}))) as [HeldExecution, HeldExecution];
    // PostgreSQL has no such character in its JSON.
    const ends = await Promise.allSettled([leases.end(bad, failed('\u0000')), leases.end(good, failed('nobody answers'))]);
    expect(ends).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: true }]);
    expect((await rowOf(bad.id)).status).toBe('running');
    expect((await rowOf(good.id)).status).toBe('failed');
  });
});

describe('calls that share a transaction', () => {
  /** Transactions that end when they are told to. */
  const gated = (atOnceMax: number) => {
    const batches: (readonly number[])[] = [];
    const open: (() => void)[] = [];
    const call = together(atOnceMax, async (inputs: readonly number[]) => {
      batches.push(inputs);
      await new Promise<void>((resolve) => open.push(resolve));
      return inputs.map((input) => input * 10);
    });
    return { batches, call, next: () => open.shift()?.() };
  };
  const arrived = () => new Promise((resolve) => setImmediate(resolve));

  test('are those that come together or while another is on its way, and no more than fit', async () => {
    const { batches, call, next } = gated(3);
    const first = call(1);
    await arrived();
    const others = [2, 3, 4, 5].map(call);
    await arrived();
    expect(batches).toEqual([[1]]);
    next();
    expect(await first).toBe(10);
    await arrived();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    next();
    await Promise.all(others.slice(0, 3));
    await arrived();
    next();
    expect(await Promise.all(others)).toEqual([20, 30, 40, 50]);
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
  });

  test('fail alone', async () => {
    const call = together(10, async (inputs: readonly number[]) => {
      if (inputs.includes(2)) throw new Error(`cannot do ${inputs.join(', ')}`);
      return inputs;
    });
    const settled = await Promise.allSettled([call(1), call(2), call(3)]);
    expect(settled).toMatchObject([{ value: 1 }, { reason: { message: 'cannot do 2' } }, { value: 3 }]);
  });
});
