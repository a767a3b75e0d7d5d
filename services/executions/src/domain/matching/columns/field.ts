/** What a field says in every row, as a column of texts, whatever column it really lies in. */
import { currencyText } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import type { Transform } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from '../batch.ts';
import { dayText } from '../day.ts';
import { decimalText } from './money.ts';
import { normalized } from './normalize.ts';
import { isPresent, type TextColumn, textAt, textColumnOf } from './text-column.ts';

/** A column of its own name wins over a path into another one: CSV columns may have dots in their names. */
export const fieldTexts = (batch: RecordBatch, path: string, transforms: readonly Transform[]): TextColumn =>
  normalized(rawTexts(batch, path), transforms);

const rawTexts = (batch: RecordBatch, path: string): TextColumn => {
  switch (path) {
    case 'amount':
      // Written in one way, or 10.5 would not equal 10.50.
      return textColumnOf(batch.length, (row) => {
        const units = batch.amounts[row] as number;
        return Number.isNaN(units) ? undefined : decimalText(units, exponentOf(currencyText(batch.currencies[row] as number)));
      });
    case 'currency':
      return textColumnOf(batch.length, (row) => currencyText(batch.currencies[row] as number));
    case 'date':
      return textColumnOf(batch.length, (row) => (batch.days[row] === noDay ? undefined : dayText(batch.days[row] as number)));
    default:
      return plainTexts(batch, path);
  }
};

const plainTexts = (batch: RecordBatch, path: string): TextColumn => {
  const whole = batch.texts.get(path);
  if (whole !== undefined && whole.json === undefined) return whole;
  if (whole !== undefined) return textColumnOf(batch.length, (row) => scalarText(whole, row, []));
  const [name = '', ...rest] = path.split('.');
  const outer = batch.texts.get(name);
  return textColumnOf(batch.length, (row) => (outer === undefined || rest.length === 0 ? undefined : scalarText(outer, row, rest)));
};

/** Lists and objects are no texts. */
const scalarText = (column: TextColumn, row: number, path: readonly string[]): string | undefined => {
  if (!isPresent(column, row)) return undefined;
  const text = textAt(column, row);
  if (column.json?.[row] !== 1) return path.length === 0 ? text : undefined;
  const value = path.reduce<unknown>(
    (outer, part) =>
      typeof outer === 'object' && outer !== null && Object.hasOwn(outer, part) ? (outer as Record<string, unknown>)[part] : undefined,
    JSON.parse(text),
  );
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
};
