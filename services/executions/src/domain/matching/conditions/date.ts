/** `date`: how many days or business days before or after the source's the target's date may be, both ends included. */
import type { FieldCondition, Window } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import { noDay, type RecordBatch } from '../batch.ts';
import { type Calendar, calendarOf } from '../calendar/calendar.ts';
import { dayOf, dayText } from '../day.ts';
import type { Judge } from './judge.ts';
import { type Reading, readField, whyUnread } from './reading.ts';

export const compileDate = (condition: Extract<FieldCondition, { type: 'date' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const readings = { source: daysOf(condition, 'source', source), target: daysOf(condition, 'target', target) };
  const [ours, theirs] = [readings.source.days, readings.target.days];
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
      if (told.source !== null && told.target !== null) return { ...told, delta: other - one };
      return { ...told, reason: whyUnread(condition, { source, target }, readings, { source: s, target: t }) };
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

const instantForm = /^.{10}[T ](\d{2}):(\d{2})(?::\d{2}(?:[.,]\d{1,9})?)? ?(?:Z|UTC|([+-])(\d{2})(?::?(\d{2}))?)$/i;

/** A time with an offset is an instant, and counts on its day in UTC, as in `date`; any other on the day that is written. */
const readDay = (text: string): number => {
  const day = dayOf(text.replace(/[T ].*/s, '')) ?? Number.NaN;
  const instant = instantForm.exec(text);
  if (instant === null) return day;
  const [, hours, minutes, sign, offsetHours = '0', offsetMinutes = '0'] = instant;
  const offset = (sign === '-' ? -60 : 60) * (Number(offsetHours) + Number(offsetMinutes) / 60);
  return day + Math.floor((Number(hours) * 60 + Number(minutes) - offset) / (24 * 60));
};

/** Fields beside `date` are as the source wrote them. */
const daysOf = (condition: FieldCondition, side: Side, batch: RecordBatch): Days => {
  const transforms = condition.normalize?.[side] ?? [];
  if (condition[side] === 'date' && transforms.length === 0) return { days: batch.days, unread: () => undefined };
  const { values, unread } = readField(condition, side, batch, readDay);
  return { days: Int32Array.from(values, (day) => (Number.isNaN(day) ? noDay : day)), unread };
};

interface Days extends Pick<Reading, 'unread'> {
  readonly days: Int32Array;
}
