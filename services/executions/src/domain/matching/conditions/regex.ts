/** `regex`: capture 1 of both sides is the same. No capture never matches. Patterns run in linear time. */
import type { FieldCondition } from '@settler/contracts/rules';
import { RE2JS } from 're2js';
import type { Side } from '../../side.ts';
import type { RecordBatch } from '../batch.ts';
import { fieldTexts } from '../columns/field.ts';
import { isPresent, type TextColumn, textAt, textColumnOf } from '../columns/text-column.ts';
import { equalTexts } from './exact.ts';
import type { Judge } from './judge.ts';

export const compileRegex = (condition: Extract<FieldCondition, { type: 'regex' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const pattern = RE2JS.compile(condition.pattern);
  const captured = (batch: RecordBatch, side: Side): TextColumn => {
    const texts = fieldTexts(batch, condition[side], condition.normalize?.[side] ?? []);
    return textColumnOf(batch.length, (row) => {
      if (!isPresent(texts, row)) return undefined;
      const matcher = pattern.matcher(textAt(texts, row));
      return matcher.find() && matcher.groupCount() > 0 ? (matcher.group(1) ?? undefined) : undefined;
    });
  };
  return equalTexts(condition, 'regex', captured(source, 'source'), captured(target, 'target'));
};
