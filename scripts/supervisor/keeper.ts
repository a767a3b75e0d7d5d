/** Starts a process and starts it again whenever it ends, until it is told to stop. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  createTail,
  describeExit,
  type Launch,
  type LineListener,
  launchProcess,
  type RunningProcess,
  untilReady,
} from '@settler/local/processes/launch';

export interface KeeperOptions {
  readonly onLine: LineListener;
  /** Called for every start of it, before anything else can happen. */
  readonly onStarted: (pid: number) => void;
  /** Tells the person at the terminal. */
  readonly say: (text: string) => void;
  readonly backoff?: Backoff;
  readonly readyTimeoutMs?: number;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A process that ran for so long failed for a new reason: the delay begins anew. */
  readonly steadyMs: number;
}

export interface Keeper {
  readonly name: string;
  /** Returns once the process is ready. @throws when it ends before that: what never worked is not started again. */
  readonly start: () => Promise<void>;
  /** Returns when the process is gone. May be called at any time. */
  readonly stop: (graceMs: number) => Promise<void>;
}

const usualBackoff: Backoff = { firstMs: 200, maxMs: 10_000, steadyMs: 30_000 };
const usualReadyTimeoutMs = 60_000;

export const createKeeper = (launch: Launch, options: KeeperOptions): Keeper => {
  const { onLine, onStarted, say, backoff = usualBackoff, readyTimeoutMs = usualReadyTimeoutMs } = options;
  const tail = createTail();
  const stopping = new AbortController();
  let running: RunningProcess | undefined;

  const begin = (): RunningProcess => {
    tail.clear();
    const started = launchProcess(launch, (line, stream) => {
      tail.add(line);
      onLine(line, stream);
    });
    running = started;
    onStarted(started.pid);
    return started;
  };
  const ready = (started: RunningProcess) => untilReady(launch, started, { timeoutMs: readyTimeoutMs, lastLines: tail.text });

  const keep = async (first: RunningProcess): Promise<void> => {
    let current = first;
    let delayMs = backoff.firstMs;
    for (;;) {
      const startedAt = performance.now();
      const exit = await current.exited;
      if (stopping.signal.aborted) return;
      if (performance.now() - startedAt >= backoff.steadyMs) delayMs = backoff.firstMs;
      say(`${launch.name} ${describeExit(exit)} and is started again in ${delayMs / 1000} s.`);
      await delay(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      delayMs = Math.min(delayMs * 2, backoff.maxMs);
      current = begin();
      void sayWhenReady(current);
    }
  };

  const sayWhenReady = async (started: RunningProcess): Promise<void> => {
    try {
      await ready(started);
      say(`${launch.name} answers again.`);
    } catch {
      // It has ended, which is told where it is started again, or it hangs, and then it has to end.
      started.kill('SIGKILL');
    }
  };

  return {
    name: launch.name,
    start: async () => {
      const first = begin();
      await ready(first);
      void keep(first);
    },
    stop: async (graceMs) => {
      stopping.abort();
      await running?.stop(graceMs);
    },
  };
};
