/** The servers in containers. */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Docker, natsImage, postgresImage } from './docker.ts';
import { isAlive } from './run-directory.ts';
import type { Servers, ServersWanted } from './wanted.ts';

const postgresPort = 5432;
const natsPort = 4222;
const natsConfigurationFile = '/settler.conf';
const runLabel = 'settler.test-run';
// A daemon may serve several machines, and whether a run is alive is known on its own alone.
const machineLabel = 'settler.test-machine';

export const startContainers = async (wanted: ServersWanted, docker: Docker): Promise<Servers> => {
  await removeDeadContainers(docker);
  // Its reaper is a third container from an image that is not ours; this run ends its own containers, and the next one what it could not.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const { GenericContainer, Wait } = await import('testcontainers');
  const { password, brokerConfiguration, runDirectory } = wanted;
  const labels = { [runLabel]: basename(runDirectory), [machineLabel]: hostname() };
  // Testcontainers' own PostgreSqlContainer has a health check by shell. On a busy machine Docker kills the shell for being late, the
  // client in it becomes an unknown child of the server, which is process 1, and when that fails the server restarts for a crash.
  const postgresStarting = new GenericContainer(postgresImage)
    .withLabels(labels)
    .withExposedPorts(postgresPort)
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withTmpFs({ '/var/lib/postgresql': 'rw' })
    .withCommand(['postgres', '-c', 'max_connections=300', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off'])
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/))
    .start();
  // Testcontainers' own NatsContainer always passes --user, which nats-server refuses beside accounts.
  const natsStarting = new GenericContainer(natsImage)
    .withLabels(labels)
    .withExposedPorts(natsPort)
    .withCopyContentToContainer([{ content: brokerConfiguration, target: natsConfigurationFile }])
    .withCommand(['-c', natsConfigurationFile, '-js'])
    .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
    .start();
  const [postgres, nats] = await Promise.allSettled([postgresStarting, natsStarting]);
  const stop = async () => {
    await Promise.all([postgres, nats].map((started) => (started.status === 'fulfilled' ? started.value.stop() : undefined)));
  };
  if (postgres.status === 'rejected' || nats.status === 'rejected') {
    await stop();
    const reasons = [postgres, nats].flatMap((started) => (started.status === 'rejected' ? [started.reason] : []));
    throw new AggregateError(reasons, 'The containers for the tests could not be started.');
  }
  const address = { host: postgres.value.getHost(), port: postgres.value.getMappedPort(postgresPort), user: 'postgres', password };
  try {
    await untilAnswers(address);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kind: 'containers',
    postgres: address,
    broker: { host: nats.value.getHost(), port: nats.value.getMappedPort(natsPort) },
    stop,
  };
};

const answerTimeoutMs = 60_000;

/** The image starts the server twice, the first time to set it up and for itself alone, and says both times that it is ready. */
const untilAnswers = async (address: Servers['postgres']): Promise<void> => {
  const deadline = performance.now() + answerTimeoutMs;
  for (;;) {
    const client = new pg.Client({ ...address, database: 'postgres', connectionTimeoutMillis: 5_000 });
    client.on('error', () => {}); // What fails rejects with the same error.
    try {
      await client.connect();
      return await client.end();
    } catch (cause) {
      if (performance.now() > deadline) throw new Error('PostgreSQL in its container did not answer.', { cause });
      await delay(50);
    }
  }
};

/** Those of runs on this machine that were killed. */
export const removeDeadContainers = async (docker: Docker): Promise<void> => {
  for (const { id, labels } of await docker.containersWith(runLabel)) {
    if (labels[machineLabel] === hostname() && !isAlive(labels[runLabel] ?? '')) await docker.removeContainer(id);
  }
};
