/**
 * Results in columns: nearly all are a pair or a single record, and a million objects would cost more than the matching. What only
 * some of them have stands beside, by index.
 */
import { type Outcome, outcomes } from '@settler/contracts/executions';
import type { Side } from '../../side.ts';
import type { ConditionResult, Delta, MismatchCategory, RunnerUp } from './result.ts';

/** Rows of one result beyond a pair, and whatever is said of it that does not follow from its rows. */
export interface Extra {
  readonly source?: readonly number[];
  readonly target?: readonly number[];
  readonly cardinality?: string;
  readonly reason?: string;
  /** The last day on which its counterpart may still come, where that is not over. */
  readonly dueOn?: string;
  readonly category?: MismatchCategory | null;
  readonly delta?: Delta | null;
  readonly conditions?: readonly ConditionResult[];
  readonly runnerUp?: RunnerUp;
  /** Of a match that was given: which one. */
  readonly given?: number;
}

export interface ResultColumns {
  readonly length: number;
  /** Indexes into `outcomes`. */
  readonly outcomes: Uint8Array;
  readonly passes: Int16Array;
  /** Rows; −1 for none. Of a group its first ones. */
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  readonly scores: Int32Array;
  readonly margins: Int32Array;
  readonly extras: ReadonlyMap<number, Extra>;
}

export const outcomeIndex = Object.fromEntries(outcomes.map((outcome, index) => [outcome, index])) as Readonly<Record<Outcome, number>>;

/** Every row of one side that a result has. */
export const rowsOf = ({ sources, targets, extras }: ResultColumns, side: Side, index: number): readonly number[] => {
  const many = extras.get(index)?.[side];
  if (many !== undefined) return many;
  const row = (side === 'source' ? sources : targets)[index] as number;
  return row === -1 ? [] : [row];
};
