/** The package's programs as processes, as an image runs them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface RunningProgram {
  /** Everything it has written so far. */
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  readonly kill: () => void;
}

export const startProgram = (name: 'main' | 'wait', environment: Readonly<Record<string, string>>): RunningProgram => {
  const file = fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@settler/source', file], {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    // Nothing is inherited: what it needs, it has to be told.
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    output: () => output,
    exitCode: once(child, 'close').then(([code]) => code as number | null),
    kill: () => child.kill('SIGKILL'),
  };
};
