/** Run by vitest before the tests of a project and after them. Projects of one run share the servers. */
import type { TestProject } from 'vitest/node';
import { hasRedis } from './servers/redis-server.ts';
import { type StartedServers, startServers } from './servers/servers.ts';

interface Shared {
  readonly servers: Promise<StartedServers>;
  users: number;
}

// On the process, because vitest loads this file once for every project.
const holder = globalThis as { [key]?: Shared | undefined };
const key: unique symbol = Symbol.for('settler.test-servers');

const wording = { embedded: 'from npm packages', containers: 'in containers' } as const;

export const setup = async (project: TestProject): Promise<void> => {
  holder[key] ??= { servers: startServers(), users: 0 };
  const shared = holder[key];
  shared.users += 1;
  const { addresses } = await shared.servers;
  if (shared.users === 1) {
    process.stdout.write(`PostgreSQL and NATS are ${wording[addresses.kind]}.\n`);
    if (!hasRedis())
      process.stdout.write('There is no redis-server (REDIS_SERVER may name one): tests of limits that replicas share are left out.\n');
  }
  project.provide('settlerServers', addresses);
};

export const teardown = async (): Promise<void> => {
  const shared = holder[key];
  if (shared === undefined) return;
  shared.users -= 1;
  if (shared.users > 0) return;
  holder[key] = undefined;
  await (await shared.servers).stop();
};
