/** `exact`: the same text after the transforms. Absent equals nothing, not even absent. */
import { currencyText, noCurrency } from '@settler/contracts/currency-codes';
import type { FieldCondition } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from '../batch.ts';
import { fieldTexts } from '../columns/field.ts';
import { areEqual, isPresent, type TextColumn, textAt } from '../columns/text-column.ts';
import { dayText } from '../day.ts';
import type { KeyColumn } from '../join/records.ts';
import type { Judge } from './judge.ts';

export const compileExact = (condition: Extract<FieldCondition, { type: 'exact' }>, source: RecordBatch, target: RecordBatch): Judge => {
  const numbers = condition.normalize === undefined && condition.source === condition.target ? numbersOf(condition.source) : undefined;
  if (numbers === undefined) {
    const ours = fieldTexts(source, condition.source, condition.normalize?.source ?? []);
    return equalTexts(condition, 'exact', ours, fieldTexts(target, condition.target, condition.normalize?.target ?? []));
  }
  // Currencies and dates are numbers already, and are compared as such.
  const [oursNumbers, theirNumbers] = [numbers.of(source), numbers.of(target)];
  const { absent, textOf } = numbers;
  const shownAs = (number: number): string | null => (number === absent ? null : textOf(number));
  return {
    type: 'exact',
    field: condition.source,
    verify: condition.verify,
    weight: condition.weight,
    finder: {
      kind: 'key',
      key: { source: { kind: 'codes', codes: oursNumbers, absent }, target: { kind: 'codes', codes: theirNumbers, absent } },
    },
    judge: (sources, targets, count, scores) => {
      for (let index = 0; index < count; index += 1) {
        const number = oursNumbers[sources[index] as number] as number;
        scores[index] = number !== absent && number === theirNumbers[targets[index] as number] ? 1 : Number.NaN;
      }
    },
    tell: (s, t) => ({ source: shownAs(oursNumbers[s] as number), target: shownAs(theirNumbers[t] as number) }),
  };
};

/** Two columns of texts that must agree; the captures of a pattern are compared in the same way. */
export const equalTexts = (
  { source: field, verify, weight }: Pick<FieldCondition, 'source' | 'verify' | 'weight'>,
  type: string,
  ours: TextColumn,
  theirs: TextColumn,
): Judge => ({
  type,
  field,
  verify,
  weight,
  finder: { kind: 'key', key: { source: texts(ours), target: texts(theirs) } },
  judge: (sources, targets, count, scores) => {
    for (let index = 0; index < count; index += 1) {
      const s = sources[index] as number;
      scores[index] = isPresent(ours, s) && areEqual(ours, s, theirs, targets[index] as number) ? 1 : Number.NaN;
    }
  },
  tell: (s, t) => ({ source: shown(ours, s), target: shown(theirs, t) }),
});

const texts = (column: TextColumn): KeyColumn => ({ kind: 'texts', texts: column });

export const shown = (column: TextColumn, row: number): string | null => (isPresent(column, row) ? textAt(column, row) : null);

interface Numbers {
  readonly of: (batch: RecordBatch) => Int32Array;
  readonly absent: number;
  readonly textOf: (number: number) => string;
}

const numbersOf = (field: string): Numbers | undefined => {
  if (field === 'currency') return { of: ({ currencies }) => currencies, absent: noCurrency, textOf: currencyText };
  return field === 'date' ? { of: ({ days }) => days, absent: noDay, textOf: dayText } : undefined;
};
