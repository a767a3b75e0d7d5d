/** Conditions, compiled for two batches: their columns, and what each says of a pair of rows. */
import type { Condition } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { type AmountCondition, compileAmount } from './amount.ts';
import { compileDate, type DateCondition } from './date.ts';
import { compileExact, type ExactCondition } from './exact.ts';

export type CompiledCondition = ExactCondition | AmountCondition | DateCondition;

export const compileCondition = (condition: Condition, source: RecordBatch, target: RecordBatch): CompiledCondition => {
  switch (condition.type) {
    case 'exact':
      return compileExact(condition, source, target);
    case 'amount':
      return compileAmount(condition, source, target);
    case 'date':
      return compileDate(condition, source, target);
  }
};
