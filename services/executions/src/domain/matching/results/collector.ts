/**
 * Results as they are found, in columns: nearly all are a pair or a single record, and a million objects would cost more than the
 * matching. What only some of them have stands beside, by index.
 */
import type { Outcome } from '@settler/contracts/executions';
import type { Side } from '../../side.ts';
import { compareRows, type RecordBatch, usable } from '../batch.ts';
import { giveBack, lendBytes, lendIntegers, lendShorts } from '../columns/scratch.ts';
import type { Rows } from '../passes/candidates.ts';
import { type Extra, outcomeIndex, type ResultColumns } from './columns.ts';

export interface Found {
  readonly outcome: Outcome;
  /** Index of the pass; −1 for none. */
  readonly pass: number;
  readonly source: number;
  readonly target: number;
  /** In millionths; −1 for none. */
  readonly score: number;
  readonly margin: number;
}

export interface Collector {
  /** Rows that no result has yet, ascending. */
  readonly openRows: () => Rows;
  readonly isOpen: (side: Side, row: number) => boolean;
  readonly pair: (found: Found, extra?: Extra) => void;
  /** Pairs without a rival, which is nearly all there are: forbidding one would lose just its own score. */
  readonly uncontested: (outcome: Outcome, pass: number) => (source: number, target: number, score: number) => void;
  readonly alone: (outcome: Outcome, side: Side, row: number, extra?: Extra) => void;
  /** `score` in millionths, where there is one. */
  readonly group: (
    outcome: Outcome,
    pass: number,
    source: readonly number[],
    target: readonly number[],
    extra: Extra,
    score?: number,
  ) => void;
  readonly columns: () => ResultColumns;
}

export const createCollector = (source: RecordBatch, target: RecordBatch): Collector => {
  // There are mostly hardly more results than records on a side, for which there is scratch memory of the size. Those of the first
  // pass are the first that need it, and go where its join has been.
  const lengthExpected = 2 ** Math.ceil(Math.log2(Math.max(lengthFirst, source.length, target.length)));
  let columns = columnsFor(lengthFirst);
  const extras = new Map<number, Extra>();
  const taken = { source: new Uint8Array(source.length), target: new Uint8Array(target.length) };
  let length = 0;

  const take = (side: Side, row: number): void => {
    if (taken[side][row] === 1) throw new Error(`the ${side} record in row ${row} would be in two results`);
    taken[side][row] = 1;
  };
  const add = (
    outcome: number,
    pass: number,
    sourceRow: number,
    targetRow: number,
    score: number,
    margin: number,
    extra: Extra | undefined,
  ): void => {
    if (length === columns.outcomes.length) columns = grown(columns, Math.max(lengthExpected, length * 2));
    columns.outcomes[length] = outcome;
    columns.passes[length] = pass;
    columns.sources[length] = sourceRow;
    columns.targets[length] = targetRow;
    columns.scores[length] = score;
    columns.margins[length] = margin;
    if (extra !== undefined) extras.set(length, extra);
    length += 1;
  };

  return {
    openRows: () => ({ source: openOf(source, taken.source), target: openOf(target, taken.target) }),
    isOpen: (side, row) => taken[side][row] === 0,
    pair: ({ outcome, pass, source: s, target: t, score, margin }, extra) => {
      take('source', s);
      take('target', t);
      add(outcomeIndex[outcome], pass, s, t, score, margin, extra);
    },
    uncontested: (outcome, pass) => {
      const index = outcomeIndex[outcome];
      return (s, t, score) => {
        take('source', s);
        take('target', t);
        add(index, pass, s, t, score, score, undefined);
      };
    },
    alone: (outcome, side, row, extra) => {
      take(side, row);
      add(outcomeIndex[outcome], -1, side === 'source' ? row : -1, side === 'target' ? row : -1, -1, -1, extra);
    },
    group: (outcome, pass, sourceRows, targetRows, extra, score = -1) => {
      // The rows of a group came in the order of the input, which must not be seen in what is said of them.
      const sources = sourceRows.toSorted((one, other) => compareRows(source, one, other));
      const targets = targetRows.toSorted((one, other) => compareRows(target, one, other));
      for (const row of sources) take('source', row);
      for (const row of targets) take('target', row);
      add(outcomeIndex[outcome], pass, sources[0] ?? -1, targets[0] ?? -1, score, -1, { ...extra, source: sources, target: targets });
    },
    columns: () => ({ length, extras, ...cut(columns, length) }),
  };
};

const openOf = ({ length, states }: RecordBatch, taken: Uint8Array): Uint32Array => {
  const rows = new Uint32Array(length);
  let count = 0;
  for (let row = 0; row < length; row += 1) {
    if (taken[row] === 1 || states[row] !== usable) continue;
    rows[count] = row;
    count += 1;
  }
  return rows.subarray(0, count);
};

type Columns = ReturnType<typeof columnsFor>;

const lengthFirst = 1_024;

const columnsFor = (length: number) => ({
  outcomes: lendBytes(length),
  passes: lendShorts(length),
  sources: lendIntegers(length),
  targets: lendIntegers(length),
  scores: lendIntegers(length),
  margins: lendIntegers(length),
});

const grown = (columns: Columns, length: number): Columns => {
  const larger = columnsFor(length);
  for (const name of Object.keys(columns) as (keyof Columns)[]) {
    larger[name].set(columns[name]);
    giveBack(columns[name]);
  }
  return larger;
};

const cut = (columns: Columns, length: number): Columns => ({
  outcomes: columns.outcomes.subarray(0, length),
  passes: columns.passes.subarray(0, length),
  sources: columns.sources.subarray(0, length),
  targets: columns.targets.subarray(0, length),
  scores: columns.scores.subarray(0, length),
  margins: columns.margins.subarray(0, length),
});
