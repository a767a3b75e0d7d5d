/** The directory that a Settler on one machine keeps everything in, and the right to use it: one supervisor at a time. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { birthOf } from '@settler/local/processes/birth';
import { z } from 'zod';

export interface DataDirectory {
  readonly path: string;
  readonly secretsFile: string;
  readonly processesFile: string;
  readonly logs: string;
  readonly nats: string;
  readonly postgres: string;
  /** Names the directory of PostgreSQL's files where they could not be in `postgres`. */
  readonly postgresElsewhere: string;
  /** Lets the next supervisor in. */
  readonly release: () => void;
}

/** @throws when another supervisor is using it, or when it cannot be used. */
export const openDataDirectory = (path: string): DataDirectory => {
  try {
    return open(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new Error(`${path}, which SETTLER_DATA_DIR names or is there by default, cannot be used: ${error.message}`, { cause: error });
  }
};

const open = (path: string): DataDirectory => {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true });
    // To be passed through and not to be listed: PostgreSQL runs as another user when this one is root.
    chmodSync(path, 0o711);
    // Wherever in a checkout it is: its secrets are nothing to commit.
    writeFileSync(join(path, '.gitignore'), '*\n');
  }
  const lockFile = join(path, 'supervisor.json');
  claim(lockFile);
  const logs = join(path, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  return {
    path,
    secretsFile: join(path, 'secrets.json'),
    processesFile: join(path, 'processes.json'),
    logs,
    nats: join(path, 'nats'),
    postgres: join(path, 'postgres'),
    postgresElsewhere: join(path, 'postgres-is-in'),
    release: () => rmSync(lockFile, { force: true }),
  };
};

const owner = z.object({ pid: z.number(), birth: z.string() });

const claim = (lockFile: string): void => {
  const mine = JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) ?? '' });
  try {
    writeFileSync(lockFile, mine, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!existsSync(lockFile)) throw error;
    const other = readOwner(lockFile);
    if (other !== undefined && birthOf(other.pid) === other.birth) {
      throw new Error(`Settler is already running with this data directory, as process ${other.pid}. SETTLER_DATA_DIR names another.`);
    }
    // Whoever wrote it was killed.
    writeWhole(lockFile, mine);
  }
};

const readOwner = (lockFile: string): z.output<typeof owner> | undefined => {
  try {
    return owner.parse(JSON.parse(readFileSync(lockFile, 'utf8')));
  } catch {
    return undefined;
  }
};

/** Readable by its owner alone. A reader sees the old content or the new one, never half of it. */
export const writeWhole = (file: string, content: string): void => {
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, content, { flag: 'wx', mode: 0o600, flush: true });
  renameSync(unfinished, file);
};
