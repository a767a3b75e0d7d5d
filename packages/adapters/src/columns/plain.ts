/** Rows that the kernel reads, and those that it leaves to JavaScript. */
import { rowsPerCall } from '../kernel/kernel.ts';
import type { CellTable, Rows } from './cells.ts';

/** Answers how many of so many rows it has done: up to the first that is not plain. */
export type Plainly = (row: number, count: number) => number;

/** To ask takes 46 ns, as long as JavaScript takes to read so many amounts. */
const worthAsking = 4;
/** As many rows as `otherwise` gets together at most. */
const otherwiseMax = 1024;

/** `otherwise` reads any row, and ever more of them at once where few together are plain. */
export const eachRow = ({ from, to }: Rows, plainly: Plainly, otherwise: (row: number) => void): void => {
  let together = 1;
  for (let row = from; row < to; ) {
    const done = plainly(row, Math.min(to - row, rowsPerCall));
    row += done;
    if (done === rowsPerCall) continue;
    together = done >= worthAsking ? 1 : Math.min(otherwiseMax, together * 2);
    for (const last = Math.min(to, row + together); row < last; row++) otherwise(row);
  }
};

/** What the kernel is told of a column from a row on: where the bounds of its cell are, and how far apart rows are. */
export const placeOf = ({ boundsAt, width }: CellTable, row: number, column: number): [cell: number, step: number] => [
  boundsAt + 8 * (row * width + column),
  8 * width,
];
