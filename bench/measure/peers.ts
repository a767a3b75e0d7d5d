/** Installs the peers at the versions of bench's own lockfile, unless they are there. Nothing else of the repository needs them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('../', import.meta.url));
const stamp = `${bench}node_modules/.settler-lockfile-hash`;

export const ensurePeers = (): void => {
  const wanted = createHash('sha256')
    .update(readFileSync(`${bench}pnpm-lock.yaml`))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const { packageManager } = JSON.parse(readFileSync(`${bench}package.json`, 'utf8')) as { packageManager: string };
  console.log('Installing the peers …');
  const { status } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: bench,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('the peers could not be installed');
  writeFileSync(stamp, wanted);
};
