/** A redis-server of a test's own. */
import { createConnection } from 'node:net';
import { launchProcess, untilReady } from '@settler/local/processes/launch';
import { inject } from 'vitest';
import { redisProgram } from './redis-server.ts';
import { recordProcess } from './run-directory.ts';

export interface StartedRedis {
  readonly url: string;
  /** As a machine that is switched off: nothing is said to anybody. */
  readonly kill: () => Promise<void>;
  /** Takes requests and answers none, until it goes on. */
  readonly hang: () => void;
  readonly resume: () => void;
  /** Again, and empty. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const stopTimeoutMs = 5_000;

/** @param port a spare one of the island */
export const startRedis = async (port: number): Promise<StartedRedis> => {
  const start = async () => {
    const launch = {
      name: 'redis',
      command: redisProgram,
      arguments: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      workingDirectory: process.cwd(),
      environment: { PATH: process.env['PATH'] ?? '' },
      stopSignal: 'SIGTERM' as const,
      isReady: () => answers(port),
    };
    const running = launchProcess(launch, () => {});
    recordProcess(inject('settlerServers').runDirectory, running.pid, launch.stopSignal);
    await untilReady(launch, running, { timeoutMs: 20_000, lastLines: () => '' });
    return running;
  };
  let running = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: async () => {
      running.kill('SIGKILL');
      await running.exited;
    },
    hang: () => running.kill('SIGSTOP'),
    resume: () => running.kill('SIGCONT'),
    restart: async () => {
      running = await start();
    },
    stop: async () => void (await running.stop(stopTimeoutMs)),
  };
};

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    socket.once('data', (said) => {
      socket.destroy();
      resolve(said.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
