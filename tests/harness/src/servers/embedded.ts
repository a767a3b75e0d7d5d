/** The servers from npm packages, with their files in the run's directory. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { natsLaunch } from '@settler/local/embedded/nats';
import { createCluster, postgresLaunch } from '@settler/local/embedded/postgres';
import { preparePostgresHome } from '@settler/local/embedded/postgres-home';
import { createTail, type Launch, launchProcess, type RunningProcess, untilReady } from '@settler/local/processes/launch';
import { freePorts } from '@settler/local/processes/ports';
import { recordProcess } from './run-directory.ts';
import type { Servers, ServersWanted } from './wanted.ts';

const readyTimeoutMs = 60_000;

export const startEmbedded = async ({ password, brokerConfiguration, runDirectory, firstPort }: ServersWanted): Promise<Servers> => {
  const started: RunningProcess[] = [];
  const stop = async () => {
    await Promise.all(started.map((running) => running.stop(5_000)));
  };
  const start = async (launch: Launch): Promise<void> => {
    const tail = createTail();
    const running = launchProcess(launch, tail.add);
    started.push(running);
    recordProcess(runDirectory, running.pid, launch.stopSignal);
    await untilReady(launch, running, { timeoutMs: readyTimeoutMs, lastLines: tail.text });
  };
  try {
    const [postgresPort = 0, port = 0, monitorPort = 0] = await freePorts(3, firstPort);
    const startPostgres = async () => {
      const home = await preparePostgresHome(join(runDirectory, 'postgres'), join(runDirectory, 'postgres-is-in'), [tmpdir()]);
      await createCluster(home, { password, isDurable: false });
      await start(postgresLaunch(home, { port: postgresPort, isDurable: false }));
    };
    const startNats = async () =>
      start(await natsLaunch({ directory: join(runDirectory, 'nats'), configuration: brokerConfiguration, port, monitorPort }));
    await Promise.all([startPostgres(), startNats()]);
    return {
      kind: 'embedded',
      postgres: { host: '127.0.0.1', port: postgresPort, user: 'postgres', password },
      broker: { host: '127.0.0.1', port },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
