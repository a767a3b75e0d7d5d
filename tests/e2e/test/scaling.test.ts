import { createIsland, type Island } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOverlay } from '../../../scripts/test/deployment/kustomization.ts';
import { readScaledObjects } from '../../../scripts/test/deployment/scaling.ts';

const [executions, webhooks] = readScaledObjects(readOverlay('production'));
const organization = 'org_01jd0000000000000000000000';

let island: Island;
let executionsDb: pg.Client;
let webhooksDb: pg.Client;

// As the role that the scaler logs in with.
const connected = async (service: 'executions' | 'webhooks') => {
  const client = new pg.Client(island.databaseConfig(service, 'system'));
  await client.connect();
  return client;
};
const signal = async (client: pg.Client, query = '') => {
  const { rows } = await client.query<Record<string, string>>(query);
  expect(rows).toHaveLength(1);
  const [value] = Object.values(rows[0] ?? {});
  return Number(value);
};

beforeAll(async () => {
  island = await createIsland();
  await island.provision('executions', 'webhooks');
  [executionsDb, webhooksDb] = await Promise.all([connected('executions'), connected('webhooks')]);
});

afterAll(async () => {
  await executionsDb?.end();
  await webhooksDb?.end();
  await island?.dispose();
});

describe('the signal that workers are scaled by', () => {
  const add = (id: string, job: string, status: string, isSerial: boolean, notBefore = 'now()') =>
    executionsDb.query(
      `insert into executions (id, organization_id, job_id, job_version, definition, dry_run, is_serial, status, not_before, progress,
                               created_by_type, created_by_id)
       values ($1, $2, $3, 1, '{}', false, $4, $5, ${notBefore}, '{}', 'user', 'usr_1')`,
      [id, organization, job, isSerial, status],
    );

  it('is nothing when there is nothing to do', async () => {
    expect(await signal(executionsDb, executions?.database.query)).toBe(0);
  });

  it('is the number of runs that could be under way at once', async () => {
    await add('exe_1', 'job_a', 'running', false);
    await add('exe_2', 'job_a', 'queued', false);
    await add('exe_3', 'job_b', 'running', true);
    // Waits for the one before it, which no further worker would change.
    await add('exe_4', 'job_b', 'queued', true);
    await add('exe_5', 'job_c', 'queued', true);
    await add('exe_6', 'job_d', 'queued', false, `now() + interval '1 minute'`);
    await add('exe_7', 'job_e', 'completed', false);
    expect(await signal(executionsDb, executions?.database.query)).toBe(4);
  });
});

describe('the signal that webhooks are scaled by', () => {
  let sequence = 0;
  const addEndpoint = (id: string, status: string) =>
    webhooksDb.query(
      `insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
       values ($1, $2, 'https://example.com', '{*}', $3, 'sealed', now(), now())`,
      [id, organization, status],
    );
  const add = async (endpoint: string, count: number, status: string, nextAttempt: string) => {
    for (let index = 0; index < count; index += 1) {
      sequence += 1;
      await webhooksDb.query(`insert into events (id, organization_id, type, body) values ($1, $2, 't', '{}')`, [
        `evt_${sequence}`,
        organization,
      ]);
      await webhooksDb.query(
        `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, next_attempt_at)
         values ($1, $2, $3, $4, 't', $5, $6, ${nextAttempt})`,
        [`dlv_${sequence}`, organization, endpoint, `evt_${sequence}`, sequence, status],
      );
    }
  };

  it('is nothing when nothing is due', async () => {
    expect(await signal(webhooksDb, webhooks?.database.query)).toBe(0);
  });

  it('is the number of deliveries that could be attempted at once', async () => {
    await addEndpoint('whk_busy', 'active');
    await addEndpoint('whk_calm', 'active');
    await addEndpoint('whk_paused', 'paused');
    await add('whk_busy', 9, 'pending', 'now()');
    await add('whk_calm', 2, 'pending', 'now()');
    await add('whk_calm', 1, 'pending', `now() + interval '1 hour'`);
    await add('whk_calm', 1, 'delivered', 'null');
    await add('whk_paused', 3, 'pending', 'now()');
    expect(await signal(webhooksDb, webhooks?.database.query)).toBe(4 + 2);
  });
});
