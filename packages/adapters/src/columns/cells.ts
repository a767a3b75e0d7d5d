/** Rows of an input as places in its bytes: between splitting and reading, no cell has become anything yet. */
import type { Kernel } from '../kernel/kernel.ts';

/** Row `r`, column `c` is the bytes from `bounds[2 × (r × width + c)]` to the number after it. All of it is refilled for the next rows. */
export interface CellTable {
  /** In whose memory all of it lies. */
  readonly kernel: Kernel;
  /** UTF-8. */
  readonly bytes: Buffer;
  readonly bounds: Int32Array;
  /** The address of `bounds`. */
  readonly boundsAt: number;
  readonly width: number;
  readonly rows: number;
  readonly lines: Uint32Array;
  /** Rows whose cells are not to be trusted, in order; in the table they are empty. */
  readonly broken: readonly { readonly row: number; readonly reason: string }[];
}

/** Some rows of a table, and what is wrong with them. */
export interface Rows {
  readonly table: CellTable;
  readonly from: number;
  readonly to: number;
  /** Of each row of the table whether it is readable so far. */
  readonly states: Uint8Array;
  /** Each row's currency, or `noCurrency`. */
  readonly currencies: Int32Array;
  /** How many decimals each row's amount has. */
  readonly decimals: Uint8Array;
  /** Only what is wrong with a row first is told. */
  readonly refuse: (row: number, field: string, reason: string) => void;
}

export const readable = 0;
export const refused = 1;
/** Nothing in the row can be read, not even what is the same in all of them. */
export const broken = 2;

export const textOf = ({ bytes, bounds, width }: CellTable, row: number, column: number | undefined): string => {
  if (column === undefined) return '';
  const at = 2 * (row * width + column);
  return bytes.toString('utf8', bounds[at], bounds[at + 1]);
};
