/** Runs the commands of one document in one bash, block after block, as a reader who pastes them does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Block } from './blocks.ts';

export interface ShellOptions {
  /** The document's path, for messages. */
  readonly document: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly blockTimeoutMs: number;
  /** What went wrong meanwhile that the exit code does not say, such as an answer of 404; asked after each block. */
  readonly complaints: () => readonly string[];
}

const lastWordsMs = 200;

/** Returns what is wrong with the first block that fails, with file, line and output; undefined where all of them work. */
export const runBlocks = async (blocks: readonly Block[], options: ShellOptions): Promise<string | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'settler-document-'));
  const shell = startShell(options);
  try {
    for (const block of blocks) {
      const file = join(folder, basename(options.document));
      // As far down as in the document, so that the line in bash's own messages is the line there.
      writeFileSync(file, `${'\n'.repeat(block.line - 1)}${block.text}\n`);
      const { isOk, output } = await shell.run(file, options.blockTimeoutMs);
      const complaints = options.complaints();
      if (!isOk || complaints.length > 0) return [`${options.document}:${block.line} failed`, ...complaints, output.trim()].join('\n');
    }
    return undefined;
  } finally {
    await shell.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

const startShell = ({ workingDirectory, environment }: ShellOptions) => {
  const bash: ChildProcess = spawn('bash', ['--noprofile', '--norc'], {
    cwd: workingDirectory,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that what a block left in the background can be ended with it.
    detached: true,
  });
  const mark = `block-${randomUUID()}`;
  let output = '';
  let changed = () => {};
  let hasEnded = false;
  const closed = once(bash, 'close');
  closed.catch(() => undefined);
  // Its last words may still be in the pipe, which a program in the background can hold open for ever.
  const ended = once(bash, 'exit')
    .then(() => Promise.race([closed, delay(lastWordsMs)]))
    .catch(() => undefined)
    .finally(() => {
      hasEnded = true;
      changed();
    });
  // Errors of the pipe repeat what the exit says.
  bash.stdin?.on('error', () => undefined);
  for (const stream of [bash.stdout, bash.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      changed();
    });
  }
  bash.stdin?.write(`exec 2>&1\nset -Eeuo pipefail\ntrap 'echo "line $LINENO: $BASH_COMMAND"' ERR\n`);

  return {
    run: async (file: string, timeoutMs: number) => {
      output = '';
      bash.stdin?.write(`source '${file}' < /dev/null\necho ${mark}\n`);
      const late = AbortSignal.timeout(timeoutMs);
      late.addEventListener('abort', () => changed(), { once: true });
      const isOver = () => output.includes(mark) || hasEnded || late.aborted;
      while (!isOver()) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
      const isOk = output.includes(mark);
      const reason = late.aborted && !isOk ? `\nnothing more came for ${timeoutMs / 1000} s` : '';
      return { isOk, output: output.replaceAll(mark, '') + reason };
    },
    stop: async () => {
      try {
        if (bash.pid !== undefined) process.kill(-bash.pid, 'SIGKILL');
      } catch {
        // Nobody is left in the group.
      }
      await ended;
    },
  };
};
