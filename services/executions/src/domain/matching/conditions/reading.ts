/** What conditions of amounts, numbers and days read of a field: a text that may be none of them, which a person is told. */
import { currencyText } from '@settler/contracts/currency-codes';
import type { FieldCondition } from '@settler/contracts/rules';
import { type Side, sides } from '../../side.ts';
import type { RecordBatch } from '../batch.ts';
import { fieldTexts } from '../columns/field.ts';
import { isPresent, textAt } from '../columns/text-column.ts';

export interface Reading {
  /** Of each row; NaN where nothing stands there, or nothing that can be read. */
  readonly values: Float64Array;
  /** What stands there and cannot be read. */
  readonly unread: (row: number) => string | undefined;
}

/** @param read of what stands in a row; NaN where it is none */
export const readField = (
  condition: FieldCondition,
  side: Side,
  batch: RecordBatch,
  read: (text: string, row: number) => number,
): Reading => {
  const texts = fieldTexts(batch, condition[side], condition.normalize?.[side] ?? []);
  const at = (row: number): number => (isPresent(texts, row) ? read(textAt(texts, row), row) : Number.NaN);
  return {
    values: Float64Array.from({ length: batch.length }, (_, row) => at(row)),
    unread: (row) => (isPresent(texts, row) && Number.isNaN(at(row)) ? textAt(texts, row) : undefined),
  };
};

const shownMax = 40;

/** Why two values cannot be held against each other, where one of them stands there and is none; undefined where neither does. */
export const whyUnread = (
  condition: Extract<FieldCondition, { type: 'amount' | 'number' | 'date' }>,
  batches: Readonly<Record<Side, RecordBatch>>,
  readings: Readonly<Record<Side, Pick<Reading, 'unread'>>>,
  rows: Readonly<Record<Side, number>>,
): string | undefined => {
  for (const side of sides) {
    const text = readings[side].unread(rows[side]);
    if (text === undefined) continue;
    const currency = condition.type === 'amount' ? currencyText(batches[side].currencies[rows[side]] as number) : '';
    return `${condition[side]} of the ${side} is no ${condition.type}${currency === '' ? '' : ` in ${currency}`}: ${JSON.stringify(text.slice(0, shownMax))}`;
  }
  return undefined;
};
