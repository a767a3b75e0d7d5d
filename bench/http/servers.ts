/** The servers that are measured, each a process of its own on the first core. Whatever asks and answers them shares the second. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createTail, untilReady } from '../../packages/local/src/processes/launch.ts';
import { launched } from '../launched.ts';

export const cores = { server: 0, client: 1 } as const;

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<unknown>;
}

export interface ServerWanted {
  readonly name: string;
  readonly core: number;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Answered with 200 once the server is ready. */
  readonly readyPath?: string;
}

const bench = fileURLToPath(new URL('../', import.meta.url));
const readyTimeoutMs = 60_000;
const graceMs = 5_000;

export const isInstalled = (program: string): boolean => spawnSync('which', [program]).status === 0;

const pins = availableParallelism() > 1 && isInstalled('taskset');

/** What runs `command` on that core alone, where the machine can do that. */
export const pinned = (core: number, command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  pins ? ['taskset', ['-c', String(core), command, ...args]] : [command, args];

export const startServer = async (wanted: ServerWanted): Promise<Server> => {
  const { name, core, port, environment = {}, readyPath = '/' } = wanted;
  const url = `http://127.0.0.1:${port}`;
  const [command, args] = pinned(core, wanted.command, wanted.args);
  const launch = {
    name,
    command,
    arguments: args,
    workingDirectory: bench,
    environment: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...environment },
    stopSignal: 'SIGTERM' as const,
    isReady: async () => (await fetch(`${url}${readyPath}`, { signal: AbortSignal.timeout(2_000) })).ok,
  };
  const tail = createTail();
  const running = launched(launch, tail.add);
  const stop = () => running.stop(graceMs);
  try {
    await untilReady(launch, running, { timeoutMs: readyTimeoutMs, lastLines: tail.text });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, url, pid: running.pid, stop };
};

/** A program of this folder, given its port and whatever else it takes. */
export const startProgram = (name: string, core: number, port: number, program: string, ...args: string[]): Promise<Server> =>
  startServer({
    name,
    core,
    port,
    command: process.execPath,
    args: ['--conditions=@settler/source', `${bench}${program}.ts`, String(port), ...args],
  });
