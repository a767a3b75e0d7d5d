/** One PostgreSQL and one nats-server for the whole run: in containers where Docker has the images, else from npm packages. */
import { brokerConfiguration } from '@settler/chassis/broker-configuration';
import { statefulServices } from '@settler/contracts/services';
import { forEach, newPassword, newServiceSecrets } from '@settler/local/services/secrets';
import pg from 'pg';
import { accountCount, islandSequence, type ServerAddresses } from './addresses.ts';
import { chooseServers } from './choice.ts';
import { startContainers } from './containers.ts';
import { startEmbedded } from './embedded.ts';
import { clearDeadRuns, clearRunDirectory, createRunDirectory, stopRecorded } from './run-directory.ts';
import type { Servers, ServersWanted } from './wanted.ts';

export interface StartedServers {
  readonly addresses: ServerAddresses;
  readonly stop: () => Promise<void>;
}

// Streams reserve their whole size in advance, and every account has its own five: more than any disk, if nothing is written.
const unboundedStore = 'jetstream: { max_file_store: 1000TB, max_memory_store: 1GB }';

export const startServers = async (): Promise<StartedServers> => {
  const choice = await chooseServers(process.env);
  await clearDeadRuns();
  const runDirectory = createRunDirectory();
  const secrets = newServiceSecrets();
  const brokerAdminPassword = newPassword();
  const passwords = { admin: brokerAdminPassword, ...forEach(statefulServices, (service) => secrets.passwords[service].broker) };
  const accounts = Array.from({ length: accountCount }, (_, index) => ({ name: accountName(index), passwords }));
  // Far apart for processes that started one after the other (the golden section of the range): two runs on one machine must not try
  // the same ports, and a service that a test restarts must find its own still free.
  const firstPort = (process.pid * 7_417) % 12_000;
  const wanted: ServersWanted = {
    password: newPassword(),
    brokerConfiguration: `${unboundedStore}\n${brokerConfiguration({ accounts })}`,
    runDirectory,
    firstPort,
  };
  const servers = await (choice.kind === 'containers' ? startContainers(wanted, choice.docker) : startEmbedded(wanted));
  const stop = async () => {
    await stopRecorded(runDirectory);
    await servers.stop();
    await clearRunDirectory(runDirectory);
  };
  try {
    await createSequence(servers.postgres);
  } catch (error) {
    await stop();
    throw error;
  }
  const { kind, postgres, broker } = servers;
  return { addresses: { kind, postgres, broker, secrets, brokerAdminPassword, firstPort: firstPort + 10, runDirectory }, stop };
};

export const accountName = (number: number): string => `a${number % accountCount}`;

const createSequence = async (postgres: Servers['postgres']): Promise<void> => {
  const client = new pg.Client({ ...postgres, database: 'postgres' });
  await client.connect();
  try {
    await client.query(`create sequence ${islandSequence} minvalue 0`);
  } finally {
    await client.end();
  }
};
