/** The servers in containers. */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { type Docker, natsImage, postgresImage } from './docker.ts';
import { isAlive } from './run-directory.ts';
import type { Servers, ServersWanted } from './wanted.ts';

const natsPort = 4222;
const natsConfigurationFile = '/settler.conf';
const runLabel = 'settler.test-run';
// A daemon may serve several machines, and whether a run is alive is known on its own alone.
const machineLabel = 'settler.test-machine';

export const startContainers = async (wanted: ServersWanted, docker: Docker): Promise<Servers> => {
  await removeDeadContainers(docker);
  // Its reaper is a third container from an image that is not ours; this run ends its own containers, and the next one what it could not.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const [{ PostgreSqlContainer }, { GenericContainer, Wait }] = await Promise.all([
    import('@testcontainers/postgresql'),
    import('testcontainers'),
  ]);
  const { password, brokerConfiguration, runDirectory } = wanted;
  const labels = { [runLabel]: basename(runDirectory), [machineLabel]: hostname() };
  const postgresStarting = new PostgreSqlContainer(postgresImage)
    .withLabels(labels)
    .withUsername('postgres')
    .withDatabase('postgres')
    .withPassword(password)
    .withTmpFs({ '/var/lib/postgresql': 'rw' })
    .withCommand(['postgres', '-c', 'max_connections=300', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off'])
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
  return {
    kind: 'containers',
    postgres: { host: postgres.value.getHost(), port: postgres.value.getPort(), user: 'postgres', password },
    broker: { host: nats.value.getHost(), port: nats.value.getMappedPort(natsPort) },
    stop,
  };
};

/** Those of runs on this machine that were killed. */
export const removeDeadContainers = async (docker: Docker): Promise<void> => {
  for (const { id, labels } of await docker.containersWith(runLabel)) {
    if (labels[machineLabel] === hostname() && !isAlive(labels[runLabel] ?? '')) await docker.removeContainer(id);
  }
};
