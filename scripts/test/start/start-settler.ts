/** `npm start`, as it is once everything is installed, on ports of its own. */
import { waitFor } from '@settler/harness';
import { createTail, launchProcess, type RunningProcess } from '@settler/local/processes/launch';
import { readyLine, settlerLaunch } from '../../supervisor/launch.ts';

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
  const running = launchProcess(settlerLaunch(dataDirectory, environment, tail.text), tail.add);
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
    ready: async () => (await line(readyLine)).replace(`${readyLine} `, ''),
  };
};
