/** `exact`: the same text after the transforms. Absent equals nothing, not even absent. */
import type { Condition } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { textColumn } from '../text.ts';
import type { Judge } from './judge.ts';

export interface ExactCondition extends Judge {
  readonly type: 'exact';
  readonly condition: Extract<Condition, { type: 'exact' }>;
  readonly source: readonly (string | undefined)[];
  readonly target: readonly (string | undefined)[];
}

export const compileExact = (condition: ExactCondition['condition'], source: RecordBatch, target: RecordBatch): ExactCondition => {
  const ours = textColumn(source, condition.source, condition.normalize?.source ?? []);
  const theirs = textColumn(target, condition.target, condition.normalize?.target ?? []);
  return {
    type: 'exact',
    condition,
    source: ours,
    target: theirs,
    scoreOf: (s, t) => (ours[s] !== undefined && ours[s] === theirs[t] ? 1 : undefined),
    tell: (s, t) => ({ source: ours[s] ?? null, target: theirs[t] ?? null }),
  };
};
