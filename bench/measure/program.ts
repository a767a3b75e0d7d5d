/** Runs one program in a process of its own and takes what it reports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { memoryGoesBack } from '../../packages/local/src/services/launch.ts';
import type { Report } from './sample.ts';

const bench = fileURLToPath(new URL('../', import.meta.url));
/** No program takes a tenth of it; one that hangs must not hang the whole run. */
const timeoutMs = 15 * 60_000;

/**
 * An image of a service has JavaScript in it; what takes the types out of a program that is started from its sources would be counted
 * as that program's memory. The same for all of them.
 */
const asInAnImage = { NODE_COMPILE_CACHE: `${bench}node_modules/.cache/programs`, ...memoryGoesBack };

export const runProgram = async (
  program: string,
  args: readonly (string | number)[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Report> => {
  const options = ['--expose-gc', '--conditions=@settler/source', `${bench}${program}.ts`, ...args.map(String)];
  const env = { ...process.env, ...asInAnImage, ...environment };
  const child = spawn(process.execPath, options, { cwd: bench, env, stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs });
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? `code ${code}`}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Report;
};
