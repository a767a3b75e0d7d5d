/** How a process of Settler is started, known to be ready, and stopped: services and embedded servers alike, under `npm start` and in tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  /** The whole environment: nothing is inherited, so that no process sees a secret that is not its own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runAs?: { readonly uid: number; readonly gid: number };
  readonly stopSignal: NodeJS.Signals;
  /** Whether the process with this id answers. May throw or say false as often as it likes while the process starts. */
  readonly isReady: (pid: number) => Promise<boolean>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the program could not be started at all. */
  readonly cause?: Error;
}

export interface RunningProcess {
  readonly name: string;
  /** 0 when the program could not be started at all. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  exit(): Exit | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Asks with the launch's own signal, insists with SIGKILL after `graceMs`. Returns when the process is gone. */
  stop(graceMs: number): Promise<Exit>;
}

export type LineListener = (line: string, stream: 'stdout' | 'stderr') => void;

export const launchProcess = (launch: Launch, onLine: LineListener): RunningProcess => {
  const child = spawn(launch.command, launch.arguments, {
    cwd: launch.workingDirectory,
    env: { ...launch.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: a terminal's Ctrl-C reaches the supervisor alone, which stops everything in order.
    detached: true,
    ...launch.runAs,
  });
  emitLines(child.stdout, (line) => onLine(line, 'stdout'));
  emitLines(child.stderr, (line) => onLine(line, 'stderr'));
  const exited = untilExit(child);
  let exit: Exit | undefined;
  void exited.then((value) => {
    exit = value;
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (exit === undefined) child.kill(signal);
  };
  return {
    name: launch.name,
    pid: child.pid ?? 0,
    exited,
    exit: () => exit,
    kill,
    stop: async (graceMs) => {
      kill(launch.stopSignal);
      const insist = setTimeout(() => kill('SIGKILL'), graceMs);
      const value = await exited;
      clearTimeout(insist);
      return value;
    },
  };
};

/** Polls until the process answers. @throws when it ends first or the time is over, with what `lastLines` says. */
export const untilReady = async (
  launch: Launch,
  running: RunningProcess,
  { timeoutMs, lastLines }: { readonly timeoutMs: number; readonly lastLines: () => string },
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const exit = running.exit();
    if (exit !== undefined) throw new Error(`${launch.name} ${describeExit(exit)} before it was ready\n${lastLines()}`);
    // Not being reachable is what "not ready yet" looks like.
    if (await launch.isReady(running.pid).catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`${launch.name} was not ready within ${timeoutMs / 1000} s\n${lastLines()}`);
    await delay(20);
  }
};

export const describeExit = ({ code, signal, cause }: Exit): string => {
  if (cause !== undefined) return `could not be started (${cause.message})`;
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
};

/** The last lines that a process wrote, for the message when it dies. */
export const createTail = (linesMax = 40) => {
  const lines: string[] = [];
  return {
    add: (line: string): void => {
      lines.push(line);
      if (lines.length > linesMax) lines.shift();
    },
    text: (): string => lines.join('\n'),
    lines: (): readonly string[] => lines,
    clear: (): void => {
      lines.length = 0;
    },
  };
};

const untilExit = async (child: ChildProcess): Promise<Exit> => {
  // A program that cannot be started emits `error` and never `exit`.
  const failed = new Promise<Exit>((resolve) =>
    child.once('error', (cause) => child.pid === undefined && resolve({ code: null, signal: null, cause })),
  );
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit);
  const closed = once(child, 'close');
  // Rejections of `once` repeat the `error` event that `failed` has taken.
  ended.catch(() => undefined);
  closed.catch(() => undefined);
  const exit = await Promise.race([failed, ended]);
  // Its last words may still be in the pipe. Bounded, because a grandchild can hold the pipe open.
  if (exit.cause === undefined) await Promise.race([closed, delay(200)]);
  return exit;
};

const lineCharactersMax = 64 * 1024;

const emitLines = (stream: Readable, onLine: (line: string) => void): void => {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length < lineCharactersMax) return;
    onLine(rest);
    rest = '';
  });
  stream.on('end', () => rest !== '' && onLine(rest));
};
