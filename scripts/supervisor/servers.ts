/** PostgreSQL and NATS: servers that the environment names, or embedded ones. */
import { tmpdir } from 'node:os';
import { brokerConfiguration } from '@settler/chassis/broker-configuration';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { natsLaunch } from '@settler/local/embedded/nats';
import { createCluster, postgresLaunch } from '@settler/local/embedded/postgres';
import { preparePostgresHome } from '@settler/local/embedded/postgres-home';
import type { Launch } from '@settler/local/processes/launch';
import { forEach } from '@settler/local/services/secrets';
import type { DataDirectory } from './data-directory.ts';
import type { InstallationSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface BrokerAddress {
  /** May administer JetStream. */
  readonly adminUrl: string;
  readonly urlFor: (service: StatefulService) => string;
  /** Addresses that users give us must never reach these. */
  readonly ports: readonly number[];
}

export type Start = (launch: Launch, port: number) => Promise<void>;

// Best first: what lies in a temporary directory may be gone after the machine's next start.
const postgresParents = ['/var/lib/settler', '/var/tmp', tmpdir()];

// The streams reserve some 4.5 GB in advance. Left to itself the server offers three quarters of the free disk, and a start on a
// small one would fail for want of space that nothing uses.
const brokerStore = 'jetstream: { max_file_store: 16GB }';
const brokerAccount = 'settler';

export const openPostgres = async (
  settings: Settings,
  secrets: InstallationSecrets,
  data: DataDirectory,
  port: number,
  start: Start,
): Promise<PostgresAddress> => {
  if (settings.DB_HOST !== undefined) {
    return { host: settings.DB_HOST, port: settings.DB_PORT, user: settings.DB_USER, password: settings.DB_PASSWORD };
  }
  const home = await preparePostgresHome(data.postgres, data.postgresElsewhere, postgresParents);
  await createCluster(home, { password: secrets.postgresPassword, isDurable: true });
  await start(postgresLaunch(home, { port, isDurable: true }), port);
  return { host: '127.0.0.1', port, user: 'postgres', password: secrets.postgresPassword };
};

/** Where the embedded servers are, for whoever has not started them. */
export const addressesOf = (
  settings: Settings,
  secrets: InstallationSecrets,
  ports: { readonly postgres: number; readonly nats: number },
): { readonly postgres: { readonly host: string; readonly port: number }; readonly brokerUrl: (service: StatefulService) => string } => ({
  postgres:
    settings.DB_HOST === undefined ? { host: '127.0.0.1', port: ports.postgres } : { host: settings.DB_HOST, port: settings.DB_PORT },
  brokerUrl: settings.NATS_URL === undefined ? embeddedBrokerUrl(secrets, ports.nats) : givenBrokerUrl(settings, settings.NATS_URL),
});

const brokerPasswords = (secrets: InstallationSecrets) => ({
  admin: secrets.brokerAdminPassword,
  ...forEach(statefulServices, (service) => secrets.passwords[service].broker),
});

const embeddedBrokerUrl = (secrets: InstallationSecrets, port: number) => {
  const passwords = brokerPasswords(secrets);
  return (user: StatefulService | 'admin'): string => `nats://${brokerAccount}_${user}:${passwords[user]}@127.0.0.1:${port}`;
};

const givenBrokerUrl =
  (settings: Settings, given: string) =>
  (service: StatefulService): string =>
    settings.brokerUrls[`NATS_${service.toUpperCase()}_URL`] ?? given;

export const openBroker = async (
  settings: Settings,
  secrets: InstallationSecrets,
  data: DataDirectory,
  { port, monitorPort }: { readonly port: number; readonly monitorPort: number },
  start: Start,
): Promise<BrokerAddress> => {
  const given = settings.NATS_URL;
  if (given !== undefined) {
    return { adminUrl: given, urlFor: givenBrokerUrl(settings, given), ports: [] };
  }
  const accounts = [{ name: brokerAccount, passwords: brokerPasswords(secrets) }];
  const configuration = `${brokerStore}\n${brokerConfiguration({ accounts })}`;
  await start(await natsLaunch({ directory: data.nats, configuration, port, monitorPort }), port);
  const urlOf = embeddedBrokerUrl(secrets, port);
  return { adminUrl: urlOf('admin'), urlFor: urlOf, ports: [port, monitorPort] };
};
