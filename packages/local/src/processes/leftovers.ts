/** Ends processes that an earlier run started and could not stop, because it was killed itself. */
import { setTimeout as delay } from 'node:timers/promises';
import { birthOf } from './birth.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** As `birthOf` says. A record whose process has ended is harmless, even if its id was given to another. */
  readonly birth: string;
  readonly stopSignal: NodeJS.Signals;
}

/** Asks each process with its own signal, insists with SIGKILL after `graceMs`. Returns those that were still running. */
export const stopLeftovers = async (records: readonly ProcessRecord[], graceMs: number): Promise<ProcessRecord[]> => {
  const running = records.filter(isRunning);
  for (const { pid, stopSignal } of running) signal(pid, stopSignal);
  const deadline = performance.now() + graceMs;
  while (running.some(isRunning) && performance.now() < deadline) await delay(20);
  for (const record of running) if (isRunning(record)) signal(record.pid, 'SIGKILL');
  while (running.some(isRunning)) await delay(20);
  return running;
};

const isRunning = ({ pid, birth }: ProcessRecord): boolean => birthOf(pid) === birth;

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended between our look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
