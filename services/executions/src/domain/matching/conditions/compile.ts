/** Conditions, compiled for two batches: their columns, and what each says of a pair of rows. */
import type { Condition } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { compileAmount } from './amount.ts';
import { compileDate } from './date.ts';
import { compileExact } from './exact.ts';
import { compileFuzzy } from './fuzzy.ts';
import type { Judge } from './judge.ts';
import { compileNumber } from './number.ts';
import { compileOneOf } from './one-of.ts';
import { compileRegex } from './regex.ts';

export const compileCondition = (condition: Condition, source: RecordBatch, target: RecordBatch): Judge => {
  switch (condition.type) {
    case 'exact':
      return compileExact(condition, source, target);
    case 'amount':
      return compileAmount(condition, source, target);
    case 'date':
      return compileDate(condition, source, target);
    case 'number':
      return compileNumber(condition, source, target);
    case 'fuzzy':
      return compileFuzzy(condition, source, target);
    case 'regex':
      return compileRegex(condition, source, target);
    case 'oneOf':
      return compileOneOf(
        condition,
        condition.conditions.map((alternative) => compileCondition(alternative, source, target)),
      );
  }
};
