/** From what the processes reported to figures with goals. */
import type { Report, Sample } from './sample.ts';

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};

/** Several processes that did the same, one after another. */
export type Runs = readonly Report[];

const samplesOf = (runs: Runs, name: string): Sample[] =>
  runs.map(({ samples }) => {
    const sample = samples[name];
    if (sample === undefined) throw new Error(`nothing was measured as ${name}`);
    return sample;
  });

export const coldMs = (runs: Runs, name: string): number => median(samplesOf(runs, name).map(({ cold }) => cold.cpuMs));

/** Of code that has met its work before; where a process worked once only, of that call. */
export const warmMs = (runs: Runs, name: string): number =>
  median(samplesOf(runs, name).flatMap(({ cold, warm }) => (warm.length === 0 ? [cold.cpuMs] : warm.map(({ cpuMs }) => cpuMs))));

export const peakMb = (runs: Runs): number => median(runs.map((run) => run.peakMb));

export const measured = (runs: Runs, name: string): number =>
  median(
    runs.map(({ values }) => {
      const value = values[name];
      if (value === undefined) throw new Error(`nothing was measured as ${name}`);
      return value;
    }),
  );

/** Figures may only be compared where everybody found the same. Where somebody did not, the run goes on and fails at its end. */
export const agree = (what: string, answers: Readonly<Record<string, readonly [Runs, string]>>): void => {
  const said = Object.entries(answers).flatMap(([who, [runs, name]]) =>
    samplesOf(runs, name).map(({ rows, checksum }) => ({ who, answer: `${rows} rows, checksum ${checksum}` })),
  );
  const answersGiven = new Set(said.map(({ answer }) => answer));
  if (answersGiven.size !== 1) {
    process.exitCode = 1;
    console.log(`${what} DIFFERS:\n${said.map(({ who, answer }) => `  ${who}: ${answer}`).join('\n')}`);
    return;
  }
  console.log(`${what}: ${[...answersGiven][0]}, found alike by ${Object.keys(answers).join(', ')}`);
};

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: '×' | 'ms' | 'MB';
  readonly most?: number;
  readonly least?: number;
}

export const describe = ({ name, value, unit, most, least }: Figure): string => {
  const goal = most === undefined ? `≥ ${least}` : `≤ ${most}`;
  const isMet = (most === undefined || value <= most) && (least === undefined || value >= least);
  return [name.padEnd(52), `${shown(value)} ${unit}`.padStart(12), `${goal} ${unit}`.padStart(12), isMet ? 'ok' : 'short'].join('  ');
};

/** Three digits that count. */
export const shown = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));
