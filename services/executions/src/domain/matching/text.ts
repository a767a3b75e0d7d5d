/** What a field of a record says, as text: for joining, comparing and showing. */
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { Transform } from '@settler/contracts/rules';
import type { Fields, RecordBatch } from './batch.ts';
import { transformed } from './transforms.ts';

/** For every row the field's text after its transforms; undefined where it is absent or empty. `path` may reach into nested fields. */
export const textColumn = (batch: RecordBatch, path: string, transforms: readonly Transform[]): readonly (string | undefined)[] => {
  const transform = transformed(transforms);
  return batch.records.map((record, row) => {
    const value = path === 'amount' ? amountText(batch, row) : valueAt(record, path);
    if (value === undefined || value === null || typeof value === 'object') return undefined;
    const text = transform(String(value));
    return text === '' ? undefined : text;
  });
};

/** Amounts are written in one way, or 10.5 would not equal 10.50. */
const amountText = (batch: RecordBatch, row: number): string | undefined => {
  const minor = batch.amounts[row] ?? null;
  return minor === null ? undefined : fromMinor(minor, exponentOf(batch.currencies[row] ?? ''));
};

/** A field of that very name wins over a path: CSV columns may have dots in their names. */
const valueAt = (record: Fields, path: string): unknown => {
  if (Object.hasOwn(record, path)) return record[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, part) => (typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Fields)[part] : undefined),
      record,
    );
};
