/** `date`: how many days before or after the source's the target's date may be, both ends included. */
import type { Condition } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from '../batch.ts';
import { dayOf, dayText } from '../day.ts';
import { textColumn } from '../text.ts';
import type { Judge } from './judge.ts';

export interface DateCondition extends Judge {
  readonly type: 'date';
  readonly condition: Extract<Condition, { type: 'date' }>;
  /** Day numbers; `noDay` where there is no date. */
  readonly target: Int32Array;
  /** The first and the last day that a source accepts. */
  readonly rangeOf: (source: number) => { readonly first: number; readonly last: number } | undefined;
}

export const compileDate = (condition: DateCondition['condition'], source: RecordBatch, target: RecordBatch): DateCondition => {
  const ours = dayColumn(condition, 'source', source);
  const theirs = dayColumn(condition, 'target', target);
  const { before, after } = condition.within;
  return {
    type: 'date',
    condition,
    target: theirs,
    rangeOf: (s) => {
      const day = ours[s] ?? noDay;
      return day === noDay ? undefined : { first: day - before, last: day + after };
    },
    scoreOf: (s, t) => {
      const one = ours[s] ?? noDay;
      const other = theirs[t] ?? noDay;
      if (one === noDay || other === noDay) return undefined;
      const distance = Math.abs(other - one);
      const bound = other < one ? before : after;
      if (distance > bound) return undefined;
      return distance === 0 ? 1 : 1 - distance / bound;
    },
    tell: (s, t) => {
      const one = ours[s] ?? noDay;
      const other = theirs[t] ?? noDay;
      const told = { source: one === noDay ? null : dayText(one), target: other === noDay ? null : dayText(other) };
      return one === noDay || other === noDay ? told : { ...told, delta: other - one };
    },
  };
};

/** Fields beside `date` are as the source wrote them: of an instant its day counts, anything else is no date. */
const dayColumn = (condition: Condition, side: 'source' | 'target', batch: RecordBatch): Int32Array => {
  const transforms = condition.normalize?.[side] ?? [];
  if (condition[side] === 'date' && transforms.length === 0) return batch.days;
  return Int32Array.from(textColumn(batch, condition[side], transforms), (text) => {
    const day = text === undefined ? undefined : /^\d{4}-\d{2}-\d{2}(?=$|[T ])/.exec(text)?.[0];
    return day === undefined ? noDay : (dayOf(day) ?? noDay);
  });
};
