import { newId } from '@settler/chassis/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dropOldResults } from '../src/infrastructure/postgres/results/result-retention.ts';
import { type Executions, euro, startExecutions } from './running-service.ts';

let executions: Executions;
let postgres: ReturnType<Executions['openPostgres']>;
beforeAll(async () => {
  executions = await startExecutions();
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres.close();
  await executions.stop();
});

const get = (path: string) => executions.api.get(path);
const drop = (now: Date) => dropOldResults(postgres as unknown as Parameters<typeof dropOldResults>[0], 13, now);

/** So long ago that the run is in a month of its own. */
const moveTo = async (id: string, day: string): Promise<void> => {
  await executions.database.query('select ensure_result_partitions($1::date)', [day]);
  await executions.database.query('update results set created_at = $2 where execution_id = $1', [id, day]);
  await executions.database.query('update executions set created_at = $2 where id = $1', [id, day]);
};

const aRun = async (day: string): Promise<string> => {
  const { id } = await executions.run(newId('job'), [euro('o1', '10.00'), euro('o2', '20.00')], [euro('p1', '10.00')]);
  await moveTo(id, day);
  return id;
};

describe('results that have served their time', () => {
  test('go by the month, and the report says what it said before', async () => {
    const old = await aRun('2020-03-31T22:30:00Z');
    const younger = await aRun('2020-04-01T02:00:00Z');
    const before = (await get(`/v1/executions/${old}/report`)).body;
    expect(before.certificate).toMatchObject({ holds: true });
    expect(before.outcomes).not.toEqual([]);

    // Thirteen months before this one are kept.
    expect(await drop(new Date('2021-04-30T23:00:00Z'))).toEqual([]);
    expect(await drop(new Date('2021-05-01T00:00:00Z'))).toEqual(['results_2020_03']);
    expect(await drop(new Date('2021-05-01T00:00:00Z'))).toEqual([]);

    const { body } = await get(`/v1/executions/${old}`);
    expect(body).toMatchObject({ status: 'completed', summary: { matched: 1 } });
    expect(Date.parse(body.resultsDroppedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect((await get(`/v1/executions/${old}/report`)).body).toEqual(before);
    expect((await executions.database.query('select 1 from result_sums where execution_id = $1', [old])).rowCount).toBe(0);
    for (const path of ['results', 'export?format=csv', 'fees']) {
      const gone = await get(`/v1/executions/${old}/${path}`);
      expect([path, gone.status, gone.body.code]).toEqual([path, 410, 'gone']);
      expect((await get(`/v1/executions/${younger}/${path}`)).status).toBe(200);
    }
    const byHand = { source: ['o2'], target: ['p1'], note: 'too late' };
    expect((await executions.api.post(`/v1/executions/${old}/matches`, byHand)).body.detail).toContain('dropped on');
    expect((await get(`/v1/executions/${younger}`)).body.resultsDroppedAt).toBeNull();
    expect((await executions.stranger.get(`/v1/executions/${old}/results`)).status).toBe(404);
  });

  test('stay while a run of their month has not ended, and while somebody reads them', async () => {
    const id = await aRun('2018-06-15T00:00:00Z');
    await executions.database.query(`update executions set status = 'queued', not_before = now() + interval '1 day' where id = $1`, [id]);
    await expect(drop(new Date())).rejects.toThrow(`${id} is queued`);
    await executions.database.query(`update executions set status = 'completed' where id = $1`, [id]);

    await executions.database.query('begin');
    await executions.database.query('select count(*) from results_2018_06');
    await expect(drop(new Date())).rejects.toThrow('lock timeout');
    await executions.database.query('rollback');
    expect(await drop(new Date())).toContain('results_2018_06');
  });
});
