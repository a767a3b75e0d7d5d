/** Runs a tool of node_modules/.bin and keeps what it says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface CommandResult {
  readonly isOk: boolean;
  readonly stdout: string;
  /** Both streams, for a person to read. */
  readonly output: string;
}

export interface CommandOptions {
  readonly workingDirectory?: string;
  readonly stdin?: string;
}

export const runCommand = async (name: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> => {
  const child = spawn(`${root}node_modules/.bin/${name}`, args, {
    cwd: options.workingDirectory ?? root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  // A tool that fails before it has read everything closes the pipe; its exit code says the rest.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { isOk: code === 0, stdout, output: `${stdout}\n${stderr}`.trim() };
};
