import { connect } from '@nats-io/transport-node';
import { brokerServers } from '@settler/chassis/broker';
import { createInternalVerifier } from '@settler/chassis/internal-token';
import { createIsland, type Island, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DatabaseUser } from '../src/island-stores.ts';

describe('an island', () => {
  let island: Island;
  beforeAll(async () => {
    island = await createIsland();
    await island.provision('jobs');
  });
  afterAll(() => island.dispose());

  const currentUser = async (user: DatabaseUser): Promise<string> => {
    const client = new pg.Client(island.databaseConfig('jobs', user));
    await client.connect();
    const { rows } = await client.query<{ name: string; database: string }>('select current_user as name, current_database() as database');
    await client.end();
    expect(rows[0]?.database).toBe(`${island.prefix}_jobs`);
    return rows[0]?.name ?? '';
  };

  it('lets each role of the database connect', async () => {
    expect(await currentUser('app')).toBe(`${island.prefix}_jobs_app`);
    expect(await currentUser('system')).toBe(`${island.prefix}_jobs_system`);
    expect(await currentUser('owner')).toBe(`${island.prefix}_jobs_owner`);
    expect(await currentUser('admin')).toBe('postgres');
  });

  it('confines the broker user of a service to what its service may publish', async () => {
    const connection = await connect({ ...brokerServers(island.brokerUrl('jobs')), inboxPrefix: '_INBOX_jobs' });
    const refused: string[] = [];
    void (async () => {
      for await (const status of connection.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    connection.publish('evt.identity.user.registered.v1.org');
    await waitFor(() => refused.some((message) => message.includes('evt.identity')), { what: 'the refusal' });
    await connection.close();
  });

  it('makes tokens that the audience believes', () => {
    const environment = island.environmentFor('jobs');
    const publicKeys = Object.fromEntries((environment['SERVICE_PUBLIC_KEYS'] ?? '').split(',').map((pair) => pair.split(':', 2)));
    const token = island.principalToken({ audience: 'jobs', scopes: ['jobs:read'] });
    expect(createInternalVerifier('jobs', publicKeys)(token)).toMatchObject({ iss: 'gateway', scopes: ['jobs:read'] });
    expect(() => createInternalVerifier('identity', publicKeys)(token)).toThrow();
  });

  it('gives no service the secrets of another', () => {
    const { passwords } = inject('settlerServers').secrets;
    const environment = Object.values(island.environmentFor('jobs')).join('\n');
    expect(environment).toContain(passwords.jobs.app);
    for (const other of [passwords.identity, passwords.executions, passwords.webhooks]) {
      for (const secret of Object.values(other)) expect(environment).not.toContain(secret);
    }
  });
});

describe('two islands', () => {
  it('are apart and leave nothing behind', async () => {
    const first = await createIsland();
    await first.provision('jobs');
    const second = await createIsland();
    await second.provision('jobs');
    expect(first.prefix).not.toBe(second.prefix);
    expect(first.serviceUrl('jobs')).not.toBe(second.serviceUrl('jobs'));
    await first.dispose();
    const client = new pg.Client(first.databaseConfig('jobs', 'admin'));
    await expect(client.connect()).rejects.toThrow('does not exist');
    await second.dispose();
  });
});
