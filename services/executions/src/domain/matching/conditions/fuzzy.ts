/** `fuzzy`: texts that look alike, by a measure of the rules and from a threshold on. It never finds candidates by itself. */
import type { FieldCondition } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import { fieldTexts } from '../columns/field.ts';
import { isPresent, textAt } from '../columns/text-column.ts';
import { createSimilarity } from '../similarity/similarity.ts';
import { shown } from './exact.ts';
import type { Judge } from './judge.ts';

export const compileFuzzy = (condition: Extract<FieldCondition, { type: 'fuzzy' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const ours = fieldTexts(source, condition.source, condition.normalize?.source ?? []);
  const theirs = fieldTexts(target, condition.target, condition.normalize?.target ?? []);
  const similarity = createSimilarity(condition.similarity, condition.threshold);
  // A target is met again and again in its block: what it takes to compare with it is made once.
  const prepared = new Map<number, ReturnType<typeof similarity.prepare>>();
  const preparedTarget = (row: number) => {
    const known = prepared.get(row) ?? similarity.prepare(textAt(theirs, row));
    if (prepared.size >= preparedMax) prepared.clear();
    prepared.set(row, known);
    return known;
  };
  return {
    type: 'fuzzy',
    field: condition.source,
    verify: condition.verify,
    weight: condition.weight,
    judge: (sources, targets, count, scores) => {
      let current = -1;
      let one: ReturnType<typeof similarity.prepare> | undefined;
      for (let index = 0; index < count; index += 1) {
        const s = sources[index] as number;
        const t = targets[index] as number;
        if (s !== current) {
          current = s;
          one = isPresent(ours, s) ? similarity.prepare(textAt(ours, s)) : undefined;
        }
        scores[index] = one === undefined || !isPresent(theirs, t) ? Number.NaN : similarity.compare(one, preparedTarget(t));
      }
    },
    tell: (s, t) => ({ source: shown(ours, s), target: shown(theirs, t) }),
  };
};

const preparedMax = 100_000;
