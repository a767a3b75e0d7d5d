/**
 * Changes the matching engine in every way that a slip of the pen might, one at a time, and sees whether a test notices. All of it takes
 * hours; `npm run mutation -- assignment similarity/sets.ts` looks at what it names of services/executions/src/domain/matching, and
 * `npm run mutation -- --every 4` at every fourth declaration, which tells within a percent or two what all of them would. Part after part,
 * since tests run many times slower through code that can be changed. What was seen is in mutation/reports, and a run that is broken off
 * goes on from there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../scripts/check/command.ts';
import { installWorkspace } from '../scripts/workspaces/install.ts';
import { orUsage } from '../scripts/workspaces/usage.ts';

const engine = 'services/executions/src/domain/matching';
const detectedPercentMin = 85;

/** Paths below the engine, and the files of each. A part is a folder, or a file. */
const partsOf = (wanted: readonly string[]): readonly string[] => {
  const all = readdirSync(join(root, engine));
  const parts = wanted.length > 0 ? wanted : ['', ...all.filter((name) => !name.endsWith('.ts'))];
  const unknown = parts.filter((part) => !existsSync(join(root, engine, part)));
  if (unknown.length > 0) throw new Error(`${engine} has no ${unknown.join(', ')}: it has ${all.join(', ')}.`);
  return parts;
};

type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'CompileError' | 'RuntimeError' | 'Ignored' | 'Pending';
interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: Status }[] }>>;
}

const filesOf = (part: string): readonly string[] =>
  part.endsWith('.ts')
    ? [part]
    : readdirSync(join(root, engine, part))
        .filter((name) => name.endsWith('.ts'))
        .sort()
        .map((name) => join(part, name));

/** Every so many declarations of a part, as ranges of lines: from where one begins to where the next one does. */
const chosenOf = (part: string, every: number): readonly string[] => {
  const declarations = filesOf(part).flatMap((file) => {
    const lines = readFileSync(join(root, engine, file), 'utf8').split('\n');
    const starts = lines.flatMap((line, index) => (/^(export )?(const|let|class|function) /.test(line) ? [index + 1] : []));
    return starts.map((start, index) => `${engine}/${file}:${start}-${(starts[index + 1] ?? lines.length + 1) - 1}`);
  });
  return declarations.filter((_, index) => index % every === 0);
};

const look = (part: string, every: number): readonly Status[] => {
  const mutated = every === 1 ? filesOf(part).map((file) => `${engine}/${file}`) : chosenOf(part, every);
  const report = `mutation/reports/${part === '' ? 'matching' : part.replaceAll('/', '-')}.json`;
  const options = ['run', 'mutation/stryker.config.json', '--mutate', mutated.join(','), '--incrementalFile', report];
  const { status } = spawnSync(process.execPath, [stryker, ...options], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${part || engine} was not looked at to its end`);
  const { files } = JSON.parse(readFileSync(join(root, report), 'utf8')) as Report;
  return Object.values(files).flatMap(({ mutants }) => mutants.map((mutant) => mutant.status));
};

/** A line for a person: of the changes that can run, those that a test noticed, or that never ended. */
const told = (name: string, seen: readonly Status[]): { readonly line: string; readonly isEnough: boolean } => {
  const count = (...of: readonly Status[]): number => seen.filter((status) => of.includes(status)).length;
  const [detected, undetected] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')];
  const percent = (100 * detected) / Math.max(1, detected + undetected);
  const line = `${name.padEnd(24)} ${percent.toFixed(1).padStart(5)} %  ${detected} of ${detected + undetected}, ${count('Timeout')} by their time`;
  return { line, isEnough: percent >= detectedPercentMin };
};

const usage = `npm run mutation -- [--every 4] [PART …]
  --every  every fourth declaration, in place of all
  PART     a folder or a file of ${engine}; absent: all of it, one after another`;

const { parts: named, every } = orUsage(usage, () => {
  const options = { every: { type: 'string', default: '1' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const every = Number(values.every);
  if (!Number.isInteger(every) || every < 1) throw new Error('--every takes a whole number from 1 on.');
  return values.help === true ? 'help' : { parts: partsOf(positionals), every };
});
installWorkspace('mutation');
const stryker = join(dirname(fileURLToPath(import.meta.resolve('@stryker-mutator/core/package.json'))), 'bin/stryker.js');
const parts = named.map((part) => ({ part, seen: look(part, every) }));
for (const { part, seen } of parts) console.log(told(part || '(its own files)', seen).line);
const { line, isEnough } = told(
  'all',
  parts.flatMap(({ seen }) => seen),
);
console.log(line);
process.exitCode = isEnough ? 0 : 1;
