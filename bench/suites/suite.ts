/** What the suites are given to measure with. */
import type { Report } from '../measure/sample.ts';

/** A program and its arguments. */
export type Program = readonly [program: string, ...args: (string | number)[]];

export interface Suite {
  /** Orders per file. Growth is from `half` to `double`. */
  readonly sizes: { readonly small: number; readonly half: number; readonly whole: number; readonly double: number };
  readonly inTurn: <Name extends string>(programs: Readonly<Record<Name, Program>>) => Promise<Record<Name, Report[]>>;
}
