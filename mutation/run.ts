/**
 * Changes the matching engine in every way that a slip of the pen might, one at a time, and sees whether a test notices. All of it takes
 * hours; `npm run mutation -- assignment similarity/sets.ts` looks at what it names of services/executions/src/domain/matching.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../scripts/check/command.ts';
import { installWorkspace } from '../scripts/workspaces/install.ts';

const engine = 'services/executions/src/domain/matching';

installWorkspace('mutation');
const wanted = process.argv.slice(2).map((path) => `${engine}/${path}${path.endsWith('.ts') ? '' : '/**/*.ts'}`);
const stryker = join(dirname(fileURLToPath(import.meta.resolve('@stryker-mutator/core/package.json'))), 'bin/stryker.js');
const options = ['run', 'mutation/stryker.config.json', ...(wanted.length === 0 ? [] : ['--mutate', wanted.join(',')])];
const { status } = spawnSync(process.execPath, [stryker, ...options], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
