/** Services as processes, exactly as they run elsewhere, so that tests can kill them. */
import type { Service } from '@settler/contracts/services';
import { createTail, type Exit, launchProcess, type RunningProcess, untilReady } from '@settler/local/processes/launch';
import { type Environment, serviceUrl } from '@settler/local/services/environment';
import { serviceLaunch } from '@settler/local/services/launch';
import { inject } from 'vitest';
import { recordProcess } from './servers/run-directory.ts';

export interface StartedService {
  readonly url: string;
  readonly pid: number;
  /** Sends the signal, SIGTERM unless another is named. Await `exited` for the end. */
  readonly kill: (signal?: NodeJS.Signals) => void;
  readonly exited: Promise<Exit>;
  /** The last lines it wrote, up to 2,000: JSON on stdout, faults on stderr. */
  readonly logs: () => readonly string[];
  /** SIGTERM, and SIGKILL when that takes too long. */
  readonly stop: () => Promise<Exit>;
}

const logLinesMax = 2_000;
const readyTimeoutMs = 30_000;
const stopTimeoutMs = 12_000;

// A worker runs one test file at a time, so whatever runs belongs to the file that disposes of its island.
const running = new Set<RunningProcess>();

export interface StartOptions {
  /** Absent: the test file's, which ends it with its island. */
  readonly endsWith?: 'the run';
  /** It is to kill itself at a fault point, which it may come to before anybody has seen that it is ready. */
  readonly isDoomed?: boolean;
}

/** Returns once the service says that it is ready, or has ended as it was to. `environment` is the island's `environmentFor(name)`. */
export const startService = async (
  name: Service,
  environment: Environment,
  { endsWith, isDoomed = false }: StartOptions = {},
): Promise<StartedService> => {
  const launch = serviceLaunch(name, environment);
  const tail = createTail(logLinesMax);
  const started = launchProcess(launch, tail.add);
  if (endsWith === undefined) running.add(started);
  void started.exited.then(() => running.delete(started));
  // At the end of the run its servers go at the same time: there is nothing left to end in order.
  recordProcess(inject('settlerServers').runDirectory, started.pid, endsWith === undefined ? launch.stopSignal : 'SIGKILL');
  try {
    await untilReady(launch, started, { timeoutMs: readyTimeoutMs, lastLines: () => tail.lines().slice(-40).join('\n') });
  } catch (error) {
    if (!(isDoomed && started.exit()?.signal === 'SIGKILL')) {
      await started.stop(stopTimeoutMs);
      throw error;
    }
  }
  return {
    url: serviceUrl(Number(environment['PORT'])),
    pid: started.pid,
    kill: (signal = 'SIGTERM') => started.kill(signal),
    exited: started.exited,
    logs: tail.lines,
    stop: () => started.stop(stopTimeoutMs),
  };
};

export const stopStartedServices = async (): Promise<void> => {
  await Promise.all([...running].map((started) => started.stop(stopTimeoutMs)));
};
