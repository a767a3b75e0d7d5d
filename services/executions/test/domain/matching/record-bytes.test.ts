import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordAt } from '../../../src/domain/matching/batch.ts';
import { createRecordBytes, type RecordBytes } from '../../../src/domain/matching/record-bytes.ts';
import { searchedNames, searchTextOf } from '../../../src/infrastructure/postgres/results/search-text.ts';
import { batchOf } from './records.ts';

const jsonOf = ({ jsonBytesMax, writeJson }: RecordBytes, row: number): string => {
  const into = new Uint8Array(3 + jsonBytesMax(row)).fill(0x23);
  const end = writeJson(row, into, 3);
  expect(end - 3).toBeLessThanOrEqual(jsonBytesMax(row));
  return new TextDecoder().decode(into.subarray(3, end));
};
const searchedOf = ({ searchedMax, writeSearched }: RecordBytes, row: number): string => {
  const into = new Uint16Array(searchedMax(row));
  return String.fromCharCode(...into.subarray(0, writeSearched(row, into, 0)));
};

test('a record is written as its JSON, and what it is searched by in small letters, wherever no text needs more than a copy', () => {
  const text = fc.constantFrom('', 'A b', 'ORD-7', 'Zürich', '日本', '~', 'x'.repeat(70));
  const record = fc.record(
    {
      id: fc.constantFrom('1', 'Id-2'),
      amount: fc.constantFrom('1.00', '-0.05', '90071992547409.91', 'none'),
      currency: fc.constantFrom('EUR', 'JPY', 'KWD', 'euro'),
      date: fc.constantFrom('2026-04-01', '0001-01-01', 'soon'),
      reference: fc.constantFrom('', 'ORD-7', 'ord 8'),
      counterparty: fc.constantFrom('ACME', 'b'),
      description: fc.constantFrom('', 'Some Words'),
      'a name': text,
      ünlaut: text,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
      const batch = batchOf(records, false);
      const bytes = createRecordBytes(batch, searchedNames);
      if (bytes === undefined) throw new Error('these records can be written');
      bytes.fetch([...records.keys()]);
      for (const row of records.keys()) {
        const expected = recordAt(batch, row);
        expect(jsonOf(bytes, row)).toBe(JSON.stringify(expected));
        expect(searchedOf(bytes, row)).toBe(searchTextOf([expected]));
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  { note: 'a "quote"' },
  { note: 'back\\slash' },
  { note: 'a\ttab' },
  { note: '\u0000' },
  { note: { deep: 1 } },
  { note: 7 },
  { reference: 'Größe' },
  { 'na"me': 'x' },
  { '17': 'x' },
])('what takes more than a copy is not written so: %j', (record) => {
  expect(createRecordBytes(batchOf([{ id: 'a', ...record }]), searchedNames)).toBeUndefined();
});
