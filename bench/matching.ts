/**
 * Settler's engine beside what else could do its work, everything in one run: `npm run bench:matching`, and with `-- --quick` in two
 * minutes on a tenth of the rows. docs/guides/benchmarks.md says what is measured and how to read it.
 */
import { cpus, loadavg } from 'node:os';
import { installWorkspace } from '../scripts/workspaces/install.ts';
import { ensureFiles } from './inputs/files.ts';
import { readArguments } from './measure/arguments.ts';
import { describe, type Figure } from './measure/figures.ts';
import { printReport } from './measure/print.ts';
import { runProgram } from './measure/program.ts';
import type { Report } from './measure/sample.ts';
import { engineFigures } from './suites/engine.ts';
import { joinFigures } from './suites/joins.ts';
import { serviceFigures } from './suites/service.ts';
import { similarityFigures } from './suites/similarity.ts';
import type { Program, Suite } from './suites/suite.ts';

const { isQuick, part } = readArguments('matching', ['engine', 'similarity', 'service']);
const size = isQuick ? 100_000 : 1_000_000;
const sizes = { small: 10_000, half: isQuick ? 50_000 : size, whole: size, double: isQuick ? size : size * 2 };
const rounds = 3;

const suite: Suite = {
  sizes,
  /** The programs in turn, A B A B, so that a machine that slows down slows down all of them. */
  inTurn: async <Name extends string>(programs: Readonly<Record<Name, Program>>) => {
    const names = Object.keys(programs) as Name[];
    const runs = Object.fromEntries(names.map((name): [string, Report[]] => [name, []])) as Record<Name, Report[]>;
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of names) {
        const [program, ...args] = programs[name];
        const report = await runProgram(program, args);
        printReport(`${program} ${args.join(' ')} (round ${round}, load ${loadavg()[0]?.toFixed(1)})`, report);
        runs[name].push(report);
      }
    }
    return runs;
  },
};

installWorkspace('bench');
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log('milliseconds of processor time, in brackets of the clock; the first call of a process, then the later ones\n');
for (const one of new Set(Object.values(sizes))) await ensureFiles(one);

const isWanted = (name: string): boolean => part === undefined || part === name;
const figures: Figure[] = [];
if (isWanted('engine')) {
  const joins = await joinFigures(suite);
  figures.push(...joins.figures, ...(await engineFigures(suite, joins.runs)));
}
if (isWanted('similarity')) figures.push(...(await similarityFigures(suite)));
if (isWanted('service')) figures.push(...(await serviceFigures(suite)));
console.log('');
for (const figure of figures) console.log(describe(figure));
