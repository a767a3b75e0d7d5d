/** Runs vitest and counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../check/command.ts';
import { type Count, countTests } from './count.ts';

/** Side by side: the long tests of the whole system wait more than they work, and those of single services work in the meantime. */
const halves = [['--project=e2e'], ['--project=pure', '--project=service']] as const;

/** @param filters as vitest takes them; none: every test. */
export const runTests = async (filters: readonly string[]): Promise<Count> => {
  const directory = mkdtempSync(join(tmpdir(), 'settler-report-'));
  try {
    const runs = filters.length > 0 ? [filters] : halves;
    const counts = await Promise.all(runs.map((options, index) => runVitest(options, join(directory, `report-${index}.json`))));
    return {
      passed: counts.reduce((sum, { passed }) => sum + passed, 0),
      failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const runVitest = async (options: readonly string[], reportFile: string): Promise<Count> => {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(`${root}node_modules/.bin/vitest`, ['run', ...reporters, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // For every program that a test starts: compiling its sources takes longer than most of what it then does.
    env: { ...process.env, NODE_COMPILE_CACHE: `${root}node_modules/.cache/tests` },
  });
  // The terminal sends Ctrl-C to vitest too; it needs the time to stop its servers, and we report when it has.
  process.on('SIGINT', () => {});
  process.once('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = await once(child, 'close');
  const report = readReport(reportFile);
  if (report === undefined) console.error(`vitest ${options.join(' ')} ended without a report (${signal ?? `exit code ${code}`}).`);
  return countTests(report, code === 0);
};

/** Undefined when vitest ended before it had written one. */
const readReport = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};
