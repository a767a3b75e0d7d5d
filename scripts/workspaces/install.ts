/** Installs a workspace beside the repository's own, at the versions of its lockfile, unless that was done. Nothing else needs what it holds. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../check/command.ts';

export const installWorkspace = (name: 'bench' | 'mutation'): void => {
  const folder = join(root, name);
  const stamp = join(folder, 'node_modules/.settler-lockfile-hash');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'pnpm-lock.yaml')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { packageManager: string };
  console.log(`Installing what ${name} needs …`);
  const { status } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`what ${name} needs could not be installed`);
  writeFileSync(stamp, wanted);
};
