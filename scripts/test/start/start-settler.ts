/** `npm start`, as it is once everything is installed, on ports of its own. */
import { join } from 'node:path';
import { waitFor } from '@settler/harness';
import { createTail, launchProcess, type RunningProcess } from '@settler/local/processes/launch';
import { root } from '../../check/command.ts';

export const readyTimeoutMs = 60_000;

export interface StartedSettler {
  readonly running: RunningProcess;
  /** What it has printed. */
  readonly said: () => string;
  /** Returns the address of the gateway. @throws when it ends first, with what it printed */
  readonly ready: () => Promise<string>;
  /** Returns the first printed line that begins so. */
  readonly line: (beginning: string) => Promise<string>;
}

export const startSettler = (dataDirectory: string, environment: Readonly<Record<string, string>> = {}): StartedSettler => {
  const tail = createTail(200);
  const running = launchProcess(
    {
      name: 'start',
      command: process.execPath,
      arguments: ['--conditions=@settler/source', join(root, 'scripts/start.ts')],
      workingDirectory: root,
      environment: { SETTLER_DATA_DIR: dataDirectory, SETTLER_DEMO: '0', PORT: '0', ...environment },
      stopSignal: 'SIGTERM',
      isReady: async () => tail.text().includes('Settler is ready at'),
    },
    tail.add,
  );
  const line = (beginning: string): Promise<string> =>
    waitFor(
      () => {
        if (running.exit() !== undefined) throw new Error(tail.text());
        return tail.lines().find((text) => text.startsWith(beginning));
      },
      { what: `Settler to print "${beginning}"`, timeoutMs: readyTimeoutMs },
    );
  return {
    running,
    said: tail.text,
    line,
    ready: async () => (await line('Settler is ready at')).replace('Settler is ready at ', ''),
  };
};
