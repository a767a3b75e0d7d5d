import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noDay, type RecordBatch, recordAt, rowStates } from '../../../src/domain/matching/batch.ts';
import { type Chunk, createBatchBuilder, type Row } from '../../../src/domain/matching/batch-builder.ts';
import { decimalText } from '../../../src/domain/matching/columns/money.ts';
import { dayText } from '../../../src/domain/matching/day.ts';

interface Given {
  readonly id: string;
  readonly note: string;
  readonly currency: string;
  readonly amount: { readonly digits: number; readonly scale: number } | undefined;
  readonly day: number;
}

const given = fc.record({
  // Few ids, so that some occur again.
  id: fc.constantFrom('', 'a', 'b', 'c', 'd', 'eine lange Kennung, länger als ein Wort'),
  note: fc.constantFrom('', 'x', 'Größe', '🚚'),
  // One that shares its last letter with another, and one of every number of decimals.
  currency: fc.constantFrom('', 'EUR', 'XUR', 'JPY', 'KWD', 'CLF'),
  amount: fc.option(fc.record({ digits: fc.integer({ min: -99_999, max: 99_999 }), scale: fc.integer({ min: 0, max: 5 }) }), {
    nil: undefined,
  }),
  day: fc.constantFrom(noDay, 0, 20_000),
});

const rowOf = ({ id, note, currency, amount, day }: Given, line: number): Row => ({
  line,
  record: {
    id,
    ...(note === '' ? {} : { note }),
    ...(currency === '' ? {} : { currency }),
    ...(amount === undefined ? {} : { amount: decimalText(amount.digits, amount.scale) }),
    ...(day === noDay ? {} : { date: dayText(day) }),
  },
});

const cells = (texts: readonly string[]) => {
  const offsets = Uint32Array.from([0, ...texts.map((_, row) => Buffer.byteLength(texts.slice(0, row + 1).join('')))]);
  return { bytes: Buffer.from(texts.join('')), offsets };
};

const chunkOf = (
  rows: readonly Given[],
  firstLine: number,
  read: { readonly bytesRead?: number; readonly totalBytes?: number },
): Chunk => ({
  rows: rows.length,
  lines: Uint32Array.from(rows, (_, row) => firstLine + row),
  texts: new Map([
    ['id', cells(rows.map(({ id }) => id))],
    ['note', cells(rows.map(({ note }) => note))],
    ['currency', cells(rows.map(({ currency }) => currency))],
  ]),
  amount: {
    digits: Float64Array.from(rows, ({ amount }) => amount?.digits ?? Number.NaN),
    scale: Uint8Array.from(rows, ({ amount }) => amount?.scale ?? 0),
  },
  date: Int32Array.from(rows, ({ day }) => day),
  invalid: [],
  ...read,
});

const said = (batch: RecordBatch) => ({
  records: Array.from({ length: batch.length }, (_, row) => ({
    record: batch.reasons.has(row) ? null : recordAt(batch, row),
    line: batch.lines[row],
    state: rowStates[batch.states[row] as number],
    reason: batch.reasons.get(row),
  })),
  amounts: [...batch.amounts],
  currencies: [...batch.currencies],
  days: [...batch.days],
});

test('columns make the same batch as the same rows one by one, whatever the reader says of how much is to come', () => {
  const parts = fc.array(fc.array(given, { maxLength: 12 }), { maxLength: 4 });
  const total = fc.constantFrom(undefined, 1, 40, 1_000_000);
  fc.assert(
    fc.property(parts, total, fc.boolean(), (chunks, totalBytes, idMapped) => {
      const byRows = createBatchBuilder({ idMapped });
      const byColumns = createBatchBuilder({ idMapped });
      let line = 2;
      for (const rows of chunks) {
        byRows.addRows(rows.map((one, row) => rowOf(one, line + row)));
        byColumns.addChunk(chunkOf(rows, line, totalBytes === undefined ? {} : { bytesRead: line, totalBytes }));
        line += rows.length;
      }
      expect(said(byColumns.build())).toEqual(said(byRows.build()));
    }),
    { numRuns: 300 },
  );
});

test('an id that occurs again is a repetition, and a contradiction where the rest differs, however many there are', () => {
  const count = 9_000;
  const builder = createBatchBuilder({ idMapped: true });
  builder.addRows(
    Array.from({ length: count }, (_, row) => ({ line: row + 2, record: { id: `id-${row % 6_000}`, note: row < 7_500 ? 'one' : 'two' } })),
  );
  const { states, reasons } = builder.build();
  const statesOf = (row: number) => rowStates[states[row] as number];
  expect([0, 6_000, 1_499, 7_499].map(statesOf)).toEqual(['usable', 'repeated', 'usable', 'repeated']);
  expect([1_500, 7_500, 2_999, 3_000].map(statesOf)).toEqual(['invalid', 'invalid', 'invalid', 'usable']);
  expect(reasons.get(7_500)).toBe('the id id-1500 occurs 2 times with different content');
  expect(states.filter((state) => rowStates[state] === 'repeated')).toHaveLength(1_500);
});
