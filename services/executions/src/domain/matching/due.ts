/** `expectWithin`: a counterpart that may still come is not missing yet. Its record is open, and no exception. */
import type { Rules } from '@settler/contracts/rules';
import { noDay } from './batch.ts';
import { countingOf } from './conditions/date.ts';
import { dayText } from './day.ts';

/** Says of a record's day until when its counterpart may still come; undefined where that is over, or nothing was said of it. */
export const dueFrom = ({ openItems }: Rules, asOf: number): ((day: number) => { readonly dueOn: string } | undefined) => {
  const expected = openItems?.expectWithin;
  if (expected === undefined) return () => undefined;
  const counting = countingOf(expected);
  const known = new Map<number, { readonly dueOn: string } | undefined>();
  return (day) => {
    if (day === noDay || known.has(day)) return known.get(day);
    const { last } = counting.rangeOf(day, 0, expected.after);
    const due = asOf <= last ? { dueOn: dayText(last) } : undefined;
    known.set(day, due);
    return due;
  };
};
