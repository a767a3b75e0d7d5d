// Makes `npm start`, `npm test` and `npm run check` work in a fresh clone: installs what the lockfile pins, on any Node >= 18.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const read = (file) => {
  try {
    return readFileSync(root + file, 'utf8');
  } catch {
    return '';
  }
};

if (Number(process.versions.node.split('.')[0]) < 18) {
  console.error(`Settler needs Node 18 or newer to install itself; this is ${process.version}.`);
  process.exit(1);
}
const wanted = createHash('sha256')
  .update(read('pnpm-lock.yaml') + read('pnpm-workspace.yaml'))
  .digest('hex');
if (read('node_modules/.settler-lockfile-hash') !== wanted) {
  const { packageManager } = JSON.parse(read('package.json'));
  console.log('Installing what the lockfile pins …');
  const { status } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(`${root}node_modules/.settler-lockfile-hash`, wanted);
}
