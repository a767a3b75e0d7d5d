/** A Settler of its own for one test file: databases and a JetStream account on the run's servers, and ports nobody else has. */
import { provisionBroker, provisionDatabase } from '@settler/chassis/provision';
import { type Service, type StatefulService, services } from '@settler/contracts/services';
import { freePorts } from '@settler/local/processes/ports';
import { type Environment, type Installation, serviceEnvironment, serviceUrl } from '@settler/local/services/environment';
import { inCheckout } from '@settler/local/services/launch';
import type pg from 'pg';
import { inject } from 'vitest';
import { clearAccount, type DatabaseUser, databaseConfigOf, dropDatabases, isHandled, isPublished, takeNumber } from './island-stores.ts';
import { signPrincipal, type TokenWanted } from './principal-token.ts';
import { accountCount, type ServerAddresses } from './servers/addresses.ts';
import { accountName } from './servers/servers.ts';
import { stopStartedServices } from './service-process.ts';

export interface Island {
  /** The databases are called `<prefix>_jobs`, the roles `<prefix>_jobs_app`. */
  readonly prefix: string;
  /** Where a service of this island listens once it is started. */
  readonly serviceUrl: (service: Service) => string;
  /** For one more process: of this island's own, so that no other test file takes it between finding it free and listening there. */
  readonly sparePort: () => Promise<number>;
  /** The whole environment of that service's process; `overrides` win. */
  readonly environmentFor: (service: Service, overrides?: Environment) => Environment;
  /** Databases, roles and tables of these services, and all streams and consumers. */
  readonly provision: (...wanted: StatefulService[]) => Promise<void>;
  readonly databaseConfig: (service: StatefulService, user: DatabaseUser) => pg.ClientConfig;
  /** With the credentials of that user of this island's account. */
  readonly brokerUrl: (user: StatefulService | 'admin') => string;
  readonly principalToken: (wanted: TokenWanted) => string;
  /** Whether nothing is on its way between the services. */
  readonly isCalm: () => Promise<boolean>;
  /** Ends the services that this test file started and removes the databases and streams. */
  readonly dispose: () => Promise<void>;
}

/** As many as a number is given: those of its services, and spare ones, which are given out in turn. */
const portsPerIsland = 32;

export interface IslandOptions {
  /** How long a message of a killed consumer waits for another one; absent: as long as in production. */
  readonly ackWaitMs?: number;
}

export const createIsland = async (options: IslandOptions = {}): Promise<Island> => {
  const servers = inject('settlerServers');
  const number = await takeNumber(servers);
  const prefix = `t${number}`;
  const brokerUrl = brokerUrlOf(servers, accountName(number));
  const firstPort = servers.firstPort + number * portsPerIsland;
  const found = await freePorts(services.length, firstPort);
  const ports = Object.fromEntries(services.map((service, index) => [service, found[index]])) as Record<Service, number>;
  const installation: Installation = {
    name: prefix,
    secrets: servers.secrets,
    postgres: servers.postgres,
    brokerUrl,
    ports,
    ownPorts: [...found, servers.postgres.port, servers.broker.port],
    settings: { ADDRESS_GUARD_ALLOW: '127.0.0.0/8,::1/128', RATE_LIMIT_DEFAULT: '100000', DB_POOL_MAX: '10', DB_POOL_MIN: '0' },
  };
  const provisioned = new Set<StatefulService>();
  let spared = 0;
  return {
    prefix,
    serviceUrl: (service) => serviceUrl(ports[service]),
    sparePort: async () => {
      const turn = services.length + (spared % (portsPerIsland - services.length));
      spared += 1;
      const [port = 0] = await freePorts(1, firstPort + turn);
      return port;
    },
    environmentFor: (service, overrides = {}) => ({ ...serviceEnvironment(service, installation), ...overrides }),
    provision: async (...wanted) => {
      // Numbers beyond the accounts meet streams that an earlier test file has left.
      if (number >= accountCount && provisioned.size === 0) await clearAccount(brokerUrl('admin'));
      for (const service of wanted) provisioned.add(service);
      const admin = { ...servers.postgres, database: 'postgres' };
      const databases = wanted.map((service) =>
        provisionDatabase({
          service,
          migrations: inCheckout(`services/${service}/migrations`),
          admin,
          name: prefix,
          passwords: servers.secrets.passwords[service],
        }),
      );
      await Promise.all([...databases, provisionBroker({ servers: brokerUrl('admin'), ...options })]);
    },
    databaseConfig: (service, user) => databaseConfigOf(servers, prefix, service, user),
    brokerUrl,
    principalToken: (wanted) => signPrincipal(servers.secrets.signingKeys, wanted),
    isCalm: async () => {
      const published = await Promise.all(
        [...provisioned].map((service) => isPublished(databaseConfigOf(servers, prefix, service, 'admin'))),
      );
      return published.every(Boolean) && (await isHandled(brokerUrl('admin')));
    },
    dispose: async () => {
      await stopStartedServices();
      await Promise.all([dropDatabases(servers, prefix, [...provisioned]), clearAccount(brokerUrl('admin'))]);
    },
  };
};

const brokerUrlOf =
  ({ broker, secrets, brokerAdminPassword }: ServerAddresses, account: string) =>
  (user: StatefulService | 'admin'): string => {
    const password = user === 'admin' ? brokerAdminPassword : secrets.passwords[user].broker;
    return `nats://${account}_${user}:${password}@${broker.host}:${broker.port}`;
  };
