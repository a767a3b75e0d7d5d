/** A real PostgreSQL from an npm package: made once, started as a process like any other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Launch } from '../processes/launch.ts';
import { giveTo, type PostgresHome } from './postgres-home.ts';

// The server's messages, dates and sort order must not depend on what the host's environment says, or on locales it may lack.
const environment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

/** Makes the database cluster, unless it is there. `password` becomes that of the superuser `postgres`. */
export const createCluster = async (
  home: PostgresHome,
  { password, isDurable }: { readonly password: string; readonly isDurable: boolean },
): Promise<void> => {
  if (existsSync(home.dataDirectory)) return;
  // Made beside and renamed when complete: an interrupted initdb leaves a directory that looks like a cluster and is none.
  const unfinished = `${home.dataDirectory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  giveTo(unfinished, home.runAs);
  const passwordFile = `${home.dataDirectory}.password`;
  rmSync(passwordFile, { force: true });
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' });
  giveTo(passwordFile, home.runAs);
  try {
    await initialize(home, ['-D', unfinished, `--pwfile=${passwordFile}`, ...(isDurable ? [] : ['--no-sync'])]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, home.dataDirectory);
};

const initialize = async (home: PostgresHome, options: readonly string[]): Promise<void> => {
  const fixed = [
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    '-E',
    'UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  const child = spawn(join(home.programs, 'initdb'), [...fixed, ...options], {
    ...home.runAs,
    cwd: '/',
    env: environment,
    // A group of its own, so that Ctrl-C ends it through us.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`PostgreSQL's initdb failed: ${stderr.trim()}`);
};

/** How the cluster is started. `isDurable: false` is for tests: a power cut would cost it its data. */
export const postgresLaunch = (home: PostgresHome, { port, isDurable }: { readonly port: number; readonly isDurable: boolean }): Launch => {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Four services with two pools each, and room for replicas and tools.
    max_connections: '300',
    // A run writes a gigabyte in a minute; by its own settings, PostgreSQL would be busy with checkpoints meanwhile.
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    log_line_prefix: '%m [%p] %q%u@%d ',
    ...(isDurable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
  const statusFile = join(home.dataDirectory, 'postmaster.pid');
  return {
    name: 'postgres',
    command: join(home.programs, 'postgres'),
    arguments: [
      '-D',
      home.dataDirectory,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    workingDirectory: '/',
    environment,
    ...(home.runAs === undefined ? {} : { runAs: home.runAs }),
    // Fast shutdown: ends the connections, writes a checkpoint, leaves nothing to recover.
    stopSignal: 'SIGINT',
    // The server says in this file what state it is in. A file of a process that was killed says `ready` too, hence the id.
    isReady: async (pid) => {
      const lines = readFileSync(statusFile, 'utf8').split('\n');
      return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
    },
  };
};
