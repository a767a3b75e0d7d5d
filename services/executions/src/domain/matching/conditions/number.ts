/** `number`: quantities, weights, rates: anything that is counted and is not money. Compared as doubles, bounds included. */
import type { FieldCondition, Limit } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import type { Judge } from './judge.ts';
import { readField, whyUnread } from './reading.ts';

/** So that 0.8 lies within 0.1 of 0.7, although doubles say otherwise in their last digit. Whole numbers are what they say. */
const slackOf = (one: number, other: number, bound: number): number => {
  const read = Number.isSafeInteger(one) && Number.isSafeInteger(other) ? 0 : Math.max(Math.abs(one), Math.abs(other));
  return 4 * Number.EPSILON * (read + bound);
};

export const compileNumber = (condition: Extract<FieldCondition, { type: 'number' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const readings = {
    source: readField(condition, 'source', source, readNumber),
    target: readField(condition, 'target', target, readNumber),
  };
  const [ours, theirs] = [readings.source.values, readings.target.values];
  const { below, above, ...both } = condition.tolerance;
  const boundBelow = boundOf(below ?? both);
  const boundAbove = boundOf(above ?? both);
  return {
    type: 'number',
    field: condition.source,
    verify: condition.verify,
    weight: condition.weight,
    judge: (sources, targets, count, scores) => {
      for (let index = 0; index < count; index += 1) {
        const one = ours[sources[index] as number] as number;
        const other = theirs[targets[index] as number] as number;
        const delta = other - one;
        const distance = Math.abs(delta);
        const bound = (delta < 0 ? boundBelow : boundAbove)(Math.abs(one));
        const isWithin = distance <= bound + slackOf(one, other, bound);
        scores[index] = !isWithin ? Number.NaN : bound === 0 ? 1 : Math.max(0, 1 - distance / bound);
      }
    },
    tell: (s, t) => {
      const one = ours[s] as number;
      const other = theirs[t] as number;
      const told = { source: Number.isNaN(one) ? null : String(one), target: Number.isNaN(other) ? null : String(other) };
      if (told.source !== null && told.target !== null) return { ...told, delta: String(shortest(other - one)) };
      return { ...told, reason: whyUnread(condition, { source, target }, readings, { source: s, target: t }) };
    },
  };
};

/** Without the last digits, which are those of doubles and of nobody's numbers. */
const shortest = (delta: number): number => (Number.isSafeInteger(delta) ? delta : Number(delta.toPrecision(12)));

const boundOf = ({ absolute, percent, bps }: Limit): ((magnitude: number) => number) => {
  const fixed = Number(absolute ?? 0);
  const share = Math.max(Number(percent ?? 0) / 100, Number(bps ?? 0) / 10_000);
  return (magnitude) => Math.max(fixed, magnitude * share);
};

const numberForm = /^[+-]?\d+(\.\d+)?$/;

/** NaN where there is no plain decimal number, and then the condition fails. */
const readNumber = (text: string): number => (numberForm.test(text) ? Number(text) : Number.NaN);
