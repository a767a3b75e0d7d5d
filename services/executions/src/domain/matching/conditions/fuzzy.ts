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
  const prepared = new Map<number, unknown>();
  const preparedTarget = (row: number): unknown => {
    const known = prepared.get(row) ?? similarity.prepare(textAt(theirs, row));
    if (prepared.size >= preparedMax) prepared.clear();
    prepared.set(row, known);
    return known;
  };
  const others: unknown[] = [];
  const places = new Uint32Array(blockMax);
  const similarities = new Float64Array(blockMax);
  return {
    type: 'fuzzy',
    field: condition.source,
    verify: condition.verify,
    weight: condition.weight,
    judge: (sources, targets, count, scores) => {
      // Pairs come source by source: each source is compared with all of its targets at once.
      for (let from = 0; from < count; ) {
        const s = sources[from] as number;
        const isThere = isPresent(ours, s);
        let compared = 0;
        let to = from;
        for (; to < count && sources[to] === s && compared < blockMax; to += 1) {
          const t = targets[to] as number;
          scores[to] = Number.NaN;
          if (!isThere || !isPresent(theirs, t)) continue;
          others[compared] = preparedTarget(t);
          places[compared] = to;
          compared += 1;
        }
        similarity.compare(similarity.prepare(textAt(ours, s)), others, compared, similarities);
        for (let index = 0; index < compared; index += 1) scores[places[index] as number] = similarities[index] as number;
        from = to;
      }
    },
    tell: (s, t) => ({ source: shown(ours, s), target: shown(theirs, t) }),
  };
};

const preparedMax = 100_000;
const blockMax = 1_024;
