/** `date`: how many days or business days before or after the source's the target's date may be, both ends included. */
import type { FieldCondition, Window } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import { noDay, type RecordBatch } from '../batch.ts';
import { type Calendar, calendarOf } from '../calendar/calendar.ts';
import { fieldTexts } from '../columns/field.ts';
import { textAt } from '../columns/text-column.ts';
import { dayOf, dayText } from '../day.ts';
import type { Judge } from './judge.ts';

export const compileDate = (condition: Extract<FieldCondition, { type: 'date' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const ours = daysOf(condition, 'source', source);
  const theirs = daysOf(condition, 'target', target);
  const { before, after } = condition.within;
  const counting = countingOf(condition.within);
  return {
    type: 'date',
    field: condition.source,
    verify: condition.verify,
    weight: condition.weight,
    finder: {
      kind: 'day',
      band: { sources: ours, targets: theirs, absent: noDay, rangeOf: (day) => counting.rangeOf(day, before, after) },
    },
    judge: (sources, targets, count, scores) => {
      for (let index = 0; index < count; index += 1) {
        const one = ours[sources[index] as number] as number;
        const other = theirs[targets[index] as number] as number;
        if (one === noDay || other === noDay) {
          scores[index] = Number.NaN;
          continue;
        }
        const isEarlier = other < one;
        const bound = isEarlier ? before : after;
        const distance = isEarlier ? counting.between(other, one) : counting.between(one, other);
        scores[index] = distance > bound ? Number.NaN : distance === 0 ? 1 : 1 - distance / bound;
      }
    },
    tell: (s, t) => {
      const one = ours[s] as number;
      const other = theirs[t] as number;
      const told = { source: one === noDay ? null : dayText(one), target: other === noDay ? null : dayText(other) };
      return told.source === null || told.target === null ? told : { ...told, delta: other - one };
    },
  };
};

export interface Counting {
  /** Days in (earlier, later]. */
  readonly between: (earlier: number, later: number) => number;
  readonly rangeOf: (day: number, before: number, after: number) => { readonly first: number; readonly last: number };
}

const calendarDays: Counting = {
  between: (earlier, later) => later - earlier,
  rangeOf: (day, before, after) => ({ first: day - before, last: day + after }),
};

const businessDays = (calendar: Calendar): Counting => ({
  between: (earlier, later) => calendar.businessDaysBetween(earlier, later),
  rangeOf: (day, before, after) => calendar.rangeOf(day, before, after),
});

export const countingOf = ({ unit, calendar }: Pick<Window, 'unit' | 'calendar'>): Counting =>
  unit === 'days' ? calendarDays : businessDays(calendarOf(calendar ?? 'weekends'));

/** Fields beside `date` are as the source wrote them: of an instant its day counts, anything else is no date. */
const daysOf = (condition: FieldCondition, side: Side, batch: RecordBatch): Int32Array => {
  const transforms = condition.normalize?.[side] ?? [];
  if (condition[side] === 'date' && transforms.length === 0) return batch.days;
  const texts = fieldTexts(batch, condition[side], transforms);
  return Int32Array.from({ length: batch.length }, (_, row) => dayOf(textAt(texts, row).replace(/[T ].*/s, '')) ?? noDay);
};
