/**
 * A whole Settler on this machine: servers, then databases and streams, then the five services, each a process that is
 * started again when it dies. Stops in the opposite order.
 */
import { createHash } from 'node:crypto';
import { provisionBroker, provisionDatabase } from '@settler/chassis/provision';
import { type Service, services, statefulServices } from '@settler/contracts/services';
import type { Launch } from '@settler/local/processes/launch';
import { freePorts, isFree } from '@settler/local/processes/ports';
import { type Installation, serviceEnvironment, serviceUrl } from '@settler/local/services/environment';
import { inCheckout, serviceLaunch } from '@settler/local/services/launch';
import type { DataDirectory } from './data-directory.ts';
import { keyMarksOf } from './encryption-keys.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { type LogFile, openLogFile } from './log-files.ts';
import { createProcessList, stopListed } from './process-list.ts';
import { loadSecrets } from './secrets.ts';
import { type BrokerAddress, openBroker, openPostgres, type PostgresAddress } from './servers.ts';
import { type Settings, startDefaults } from './settings.ts';
import { worthShowing } from './terminal.ts';

export interface Supervisor {
  /** Returns the gateway's address once every service is ready. */
  readonly start: () => Promise<string>;
  /** Returns when no process is left. May be called at any time, also while starting. */
  readonly stop: () => Promise<void>;
}

// Together below the ten seconds that a stop may take.
const drainTimeoutMs = 4_500;
const serviceGraceMs = 5_000;
const serverGraceMs = 3_500;

export const createSupervisor = (settings: Settings, data: DataDirectory, say: (text: string) => void): Supervisor => {
  const list = createProcessList(data.processesFile);
  const keepers: { readonly keeper: Keeper; readonly isService: boolean }[] = [];
  const logs: LogFile[] = [];
  let isStopping = false;

  const keep = async (launch: Launch, port: number, isService: boolean): Promise<void> => {
    if (isStopping) throw new Error('Settler is stopping.');
    const log = openLogFile(data.logs, launch.name);
    logs.push(log);
    let hasStarted = false;
    const keeper = createKeeper(launch, {
      onLine: (line) => {
        log.add(line);
        // What a process says before it is ready is in the error if it never is.
        const shown = isService && hasStarted ? worthShowing(line) : undefined;
        if (shown !== undefined) say(`${launch.name}: ${shown}`);
      },
      onStarted: (pid) => {
        const keys = launch.environment['ENCRYPTION_KEY'];
        list.set(launch.name, {
          pid,
          port,
          stopSignal: launch.stopSignal === 'SIGINT' ? 'SIGINT' : 'SIGTERM',
          ...(keys === undefined ? {} : { encryptionKeys: keyMarksOf(keys) }),
        });
      },
      say,
    });
    keepers.push({ keeper, isService });
    await keeper.start();
    hasStarted = true;
  };
  const startServer = (launch: Launch, port: number) => keep(launch, port, false);

  const stopAll = async (areServices: boolean, graceMs: number): Promise<void> => {
    const chosen = keepers.filter(({ isService }) => isService === areServices);
    await Promise.all(chosen.map(({ keeper }) => keeper.stop(graceMs)));
  };

  return {
    start: async () => {
      const left = await stopListed(data.processesFile, serviceGraceMs);
      if (left.length > 0) say(`Stopped what an earlier start had left running: ${left.join(', ')}.`);
      const secrets = loadSecrets(data.secretsFile);
      const { ports, postgresPort, brokerPorts } = await choosePorts(settings.PORT, data.path);
      const [postgres, broker] = await Promise.all([
        openPostgres(settings, secrets, data, postgresPort, startServer),
        openBroker(settings, secrets, data, brokerPorts, startServer),
      ]);
      const installation: Installation = {
        name: settings.DB_NAME,
        secrets: { ...secrets, ...(settings.ENCRYPTION_KEY === undefined ? {} : { encryptionKey: settings.ENCRYPTION_KEY }) },
        postgres,
        brokerUrl: broker.urlFor,
        ports,
        ownPorts: [...Object.values(ports), postgres.port, ...broker.ports],
        settings: {
          ...startDefaults,
          ...settings.passedOn,
          DRAIN_TIMEOUT_MS: String(drainTimeoutMs),
        },
      };
      await provision(installation, postgres, broker, settings);
      await Promise.all(
        services.map((service) => keep(serviceLaunch(service, serviceEnvironment(service, installation)), ports[service], true)),
      );
      return serviceUrl(ports.gateway);
    },
    stop: async () => {
      isStopping = true;
      await stopAll(true, serviceGraceMs);
      await stopAll(false, serverGraceMs);
      for (const log of logs.splice(0)) log.close();
      list.remove();
    },
  };
};

const provision = async (
  { name, secrets }: Installation,
  postgres: PostgresAddress,
  broker: BrokerAddress,
  settings: Settings,
): Promise<void> => {
  const databases = statefulServices.map((service) =>
    provisionDatabase({
      service,
      migrations: inCheckout(`services/${service}/migrations`),
      admin: { ...postgres, database: 'postgres' },
      name,
      passwords: secrets.passwords[service],
    }),
  );
  await Promise.all([
    Promise.all(databases).catch(
      blame(settings.DB_HOST, `PostgreSQL at ${postgres.host}:${postgres.port}, which DB_HOST and DB_PORT name,`),
    ),
    provisionBroker({ servers: broker.adminUrl }).catch(blame(settings.NATS_URL, 'The nats-server that NATS_URL names')),
  ]);
};

/** Of a server that is the user's own, says which setting names it. */
const blame =
  (given: string | undefined, what: string) =>
  (cause: unknown): never => {
    throw given === undefined ? cause : new Error(`${what} could not be prepared.`, { cause });
  };

interface ChosenPorts {
  readonly ports: Readonly<Record<Service, number>>;
  readonly postgresPort: number;
  readonly brokerPorts: { readonly port: number; readonly monitorPort: number };
}

/** The same ones for the same data directory, start after start, as long as nobody else takes them. */
const choosePorts = async (wanted: number, dataDirectory: string): Promise<ChosenPorts> => {
  if (wanted !== 0 && !(await isFree(wanted))) {
    throw new Error(`Port ${wanted} is taken by another program. PORT=${wanted + 1} npm start uses another one.`);
  }
  const startAt = createHash('sha256').update(dataDirectory).digest().readUInt32BE();
  const found = (await freePorts(9, startAt)).filter((candidate) => candidate !== wanted);
  const [postgresPort = 0, port = 0, monitorPort = 0, identity = 0, jobs = 0, executions = 0, webhooks = 0, gateway = 0] = found;
  return {
    ports: { gateway: wanted === 0 ? gateway : wanted, identity, jobs, executions, webhooks },
    postgresPort,
    brokerPorts: { port, monitorPort },
  };
};
