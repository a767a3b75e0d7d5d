/** A PostgreSQL and a NATS of their own, as `npm start` runs them, in a directory that goes with them. No service is started. */
import { rmSync } from 'node:fs';
import { provisionBroker, provisionDatabase } from '../packages/chassis/src/provision.ts';
import { services } from '../packages/contracts/src/services.ts';
import { createTail, type Launch, type RunningProcess, untilReady } from '../packages/local/src/processes/launch.ts';
import { freePorts } from '../packages/local/src/processes/ports.ts';
import { type Environment, serviceEnvironment } from '../packages/local/src/services/environment.ts';
import { inCheckout } from '../packages/local/src/services/launch.ts';
import { forEach } from '../packages/local/src/services/secrets.ts';
import { openDataDirectory } from '../scripts/supervisor/data-directory.ts';
import { newInstallationSecrets } from '../scripts/supervisor/secrets.ts';
import { openBroker, openPostgres } from '../scripts/supervisor/servers.ts';
import { readSettings } from '../scripts/supervisor/settings.ts';
import { temporaryDirectory } from './directory.ts';
import { launched } from './launched.ts';

export interface Stores {
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  /** What executions is started with, on a database of that prefix, which is made. */
  readonly provisionExecutions: (name: string, settings: Environment) => Promise<Environment>;
  readonly stop: () => Promise<void>;
}

const startTimeoutMs = 60_000;
const graceMs = 5_000;

export const startStores = async (): Promise<Stores> => {
  const path = temporaryDirectory('settler-bench-stores-');
  const running: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of running.toReversed()) await server.stop(graceMs);
    rmSync(path, { recursive: true, force: true });
  };
  const start = async (launch: Launch): Promise<void> => {
    const tail = createTail();
    const server = launched(launch, tail.add);
    running.push(server);
    await untilReady(launch, server, { timeoutMs: startTimeoutMs, lastLines: tail.text });
  };
  try {
    const data = openDataDirectory(path);
    const settings = readSettings({});
    const secrets = newInstallationSecrets();
    const [postgresPort = 0, port = 0, monitorPort = 0] = await freePorts(3, process.pid);
    const postgres = await openPostgres(settings, secrets, data, postgresPort, start);
    const broker = await openBroker(settings, secrets, data, { port, monitorPort }, start);
    await provisionBroker({ servers: broker.adminUrl });
    return {
      postgres,
      provisionExecutions: async (name, more) => {
        await provisionDatabase({
          service: 'executions',
          migrations: inCheckout('services/executions/migrations'),
          admin: { ...postgres, database: 'postgres' },
          name,
          passwords: secrets.passwords.executions,
        });
        const ports = forEach(services, () => 0);
        return serviceEnvironment('executions', { name, secrets, postgres, brokerUrl: broker.urlFor, ports, ownPorts: [], settings: more });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
