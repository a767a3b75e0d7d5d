import { currencyCode } from '@settler/contracts/currency-codes';
import { exponentOf } from '@settler/contracts/money';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareRows, noDay, type RecordBatch, recordAt, rowStates } from '../../../src/domain/matching/batch.ts';
import { type Chunk, createBatchBuilder, type Row } from '../../../src/domain/matching/batch-builder.ts';
import { decimalText, minorUnits } from '../../../src/domain/matching/columns/money.ts';
import { textAt } from '../../../src/domain/matching/columns/text-column.ts';
import { dayText } from '../../../src/domain/matching/day.ts';
import { batchOf } from './records.ts';

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

const unitsOf = ({ amount, currency }: Given): number =>
  amount === undefined || currency === '' ? Number.NaN : minorUnits(decimalText(amount.digits, amount.scale), exponentOf(currency));

const codesOf = (texts: readonly string[]): Int32Array => Int32Array.from(texts, currencyCode);

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
  ]),
  amount: {
    units: Float64Array.from(rows, unitsOf),
    unfit: rows.flatMap((one, row) =>
      one.amount === undefined || !Number.isNaN(unitsOf(one)) ? [] : [{ row, decimal: decimalText(one.amount.digits, one.amount.scale) }],
    ),
  },
  currency: codesOf(rows.map(({ currency }) => currency)),
  date: Int32Array.from(rows, ({ day }) => day),
  invalid: [],
  ...read,
});

const said = (batch: RecordBatch) => ({
  records: Array.from({ length: batch.length }, (_, row) => ({
    record: recordAt(batch, row),
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

test('a reader that hands over no amounts, no dates or no currencies leaves them absent', () => {
  const note = new Map([['note', cells(['a', 'b'])]]);
  const chunked = (chunk: Partial<Chunk>, idMapped = false) => {
    const builder = createBatchBuilder({ idMapped });
    builder.addChunk({ rows: 2, lines: Uint32Array.of(2, 3), texts: note, invalid: [], ...chunk });
    return builder.build();
  };
  expect(said(chunked({}))).toEqual({
    records: ['a', 'b'].map((note, row) => ({ record: { note }, line: row + 2, state: 'usable', reason: undefined })),
    amounts: [Number.NaN, Number.NaN],
    currencies: [0, 0],
    days: [noDay, noDay],
  });
  const none = Float64Array.of(Number.NaN, Number.NaN);
  const huge = { units: none, unfit: ['9007199254740991', '-9007199254740991'].map((decimal, row) => ({ row, decimal })) };
  const currency = codesOf(['EUR', 'EUR']);
  expect([...chunked({ amount: huge, currency }).reasons.values()]).toEqual([
    'the amount 9007199254740991 is too large to be exact',
    'the amount -9007199254740991 is too large to be exact',
  ]);
  expect([...chunked({ amount: { units: none, unfit: [{ row: 0, decimal: '10.5' }] } }).reasons]).toEqual([
    [0, 'the amount has no currency'],
  ]);
  const amount = { units: Float64Array.of(1_050, Number.NaN), unfit: [] };
  const named = chunked({ amount, currency: codesOf(['EUR', '']), texts: new Map() });
  expect([[...named.amounts], [...named.texts.keys()]]).toEqual([[1_050, Number.NaN], []]);
  expect([...chunked({}, true).reasons.values()]).toEqual(['the id is empty', 'the id is empty']);
});

test('what its reader could not read keeps the reason of the reader, wherever its chunk stands', () => {
  const builder = createBatchBuilder({ idMapped: true });
  const amount = { units: Float64Array.of(Number.NaN, Number.NaN), unfit: [0, 1].map((row) => ({ row, decimal: '1' })) };
  const texts = new Map([['id', cells(['a', ''])]]);
  for (const reason of ['first', 'second'])
    builder.addChunk({ rows: 2, lines: Uint32Array.of(2, 3), texts, amount, invalid: [{ row: 1, reason }] });
  const { reasons, states } = builder.build();
  expect([0, 1, 2, 3].map((row) => reasons.get(row))).toEqual([
    'the amount has no currency',
    'first',
    'the amount has no currency',
    'second',
  ]);
  expect([...states].map((state) => rowStates[state])).toEqual(['invalid', 'invalid', 'invalid', 'invalid']);
});

test.each([
  ['1.005', 'EUR', 'the amount 1.005 has more digits than EUR has'],
  ['-123456789012345.001', 'EUR', 'the amount -123456789012345.001 has more digits than EUR has'],
  ['+1234567890123456', 'EUR', 'the amount +1234567890123456 is too large to be exact'],
  [`${'9'.repeat(50)}.5`, 'EUR', `the amount ${'9'.repeat(40)} is too large to be exact`],
  ['1.00', 'euro', 'the amount 1.00 has more digits than euro has'],
  ['1.00', undefined, 'the amount has no currency'],
  ['1.00', '', 'the amount has no currency'],
])('an amount of %s in %s is told to be unusable by what is wrong with it', (amount, currency, reason) => {
  const builder = createBatchBuilder({ idMapped: false });
  builder.addRows([{ record: { amount, ...(currency === undefined ? {} : { currency }) } }]);
  expect(builder.build().reasons.get(0)).toBe(reason);
});

test('amounts and currencies that cannot be used are kept as they were, and empty fields are absent', () => {
  const builder = createBatchBuilder({ idMapped: false });
  const kept = { amount: '1.00', currency: 'euro', date: '2026-02-30' };
  builder.addRows([{ record: { ...kept, note: '', more: null, other: undefined } }, { invalid: { reason: 'no' } }]);
  const batch = builder.build();
  expect(recordAt(batch, 0)).toEqual(kept);
  expect([...batch.texts.keys()]).toEqual(['amount', 'currency', 'date']);
  expect([batch.length, recordAt(batch, 1), batch.reasons.get(1), batch.lines[1]]).toEqual([2, {}, 'no', 0]);
});

test('what is no text is written in one way whatever the order of its fields, and read as what it was', () => {
  const builder = createBatchBuilder({ idMapped: false });
  const one = { z: [1, null, { b: 'x', a: true }], a: { c: undefined, b: 0 } };
  const other = { a: { b: 0 }, z: [1, null, { a: true, b: 'x' }] };
  builder.addRows([
    { record: { data: one } },
    { record: { data: other } },
    { record: { data: [undefined, 7] } },
    { record: { data: 'x' } },
  ]);
  const batch = builder.build();
  const data = batch.texts.get('data');
  expect([0, 1, 2, 3].map((row) => data && textAt(data, row))).toEqual([
    '{"a":{"b":0},"z":[1,null,{"a":true,"b":"x"}]}',
    '{"a":{"b":0},"z":[1,null,{"a":true,"b":"x"}]}',
    '[null,7]',
    'x',
  ]);
  expect([1, 2, 3].map((row) => recordAt(batch, row)['data'])).toEqual([other, [null, 7], 'x']);
});

test('fields stand in the order of their names, and none is lost because every object has something that is called so', () => {
  const builder = createBatchBuilder({ idMapped: false });
  const names = ['__proto__', 'alpha', 'constructor', 'toString'];
  builder.addRows([{ record: Object.fromEntries(names.map((name) => [name, `a ${name}`]).reverse()) }]);
  const batch = builder.build();
  expect([...batch.texts.keys()]).toEqual(names);
  expect(Object.entries(recordAt(batch, 0))).toEqual(names.map((name) => [name, `a ${name}`]));
});

test('is built anew with others behind the same rows, as if it were the first time', () => {
  const rows = [
    { line: 2, record: { id: 'a', amount: '1.00', currency: 'EUR' } },
    { line: 3, record: { id: 'a', note: 7 } },
    { record: {} },
  ];
  const behind = [
    { record: { id: 'b', amount: '1.005', currency: 'EUR', seen: { often: true } }, occurrence: 1 },
    { record: { id: 'c', note: 'nine letters' }, occurrence: 1 },
  ];
  const fresh = () => {
    const builder = createBatchBuilder({ idMapped: true });
    builder.addRows(rows);
    return builder;
  };
  const saidBy = ({ length, states, reasons, carriedFrom, givenFrom, supersedes, ...batch }: RecordBatch) => ({
    records: Array.from({ length }, (_, row) => recordAt({ ...batch, length, states, reasons, carriedFrom, givenFrom, supersedes }, row)),
    ...{ states: [...states], reasons: [...reasons], carriedFrom, givenFrom, supersedes: [...supersedes] },
  });
  const again = fresh();
  for (const [carried, given] of [
    [behind, []],
    [[], []],
    [behind.slice(1), behind.slice(0, 1)],
  ] as const)
    expect(saidBy(again.build(carried, given))).toEqual(saidBy(fresh().build(carried, given)));
});

test('open items stand after the input and records of matches by hand after those, which need no id', () => {
  const builder = createBatchBuilder({ idMapped: true });
  builder.addRows([{ line: 2, record: { id: 'a' } }]);
  const { carriedFrom, givenFrom, states, supersedes } = builder.build(
    [{ record: { note: 'open' }, occurrence: 1 }],
    [{ record: { id: 'a' }, occurrence: 1 }],
  );
  expect({ carriedFrom, givenFrom, states: [...states].map((state) => rowStates[state]), supersedes: [...supersedes] }).toEqual({
    carriedFrom: 1,
    givenFrom: 2,
    states: ['usable', 'usable', 'superseded'],
    supersedes: [[0, 2]],
  });
});

test('a record is given back as it was read, what every record has first', () => {
  const record = { zone: 'z', date: '2026-04-01', currency: 'KWD', amount: '-1.5', note: 'n', id: 'a' };
  const batch = batchOf([record]);
  expect([...batch.texts.keys()]).toEqual(['id', 'note', 'zone']);
  expect(Object.entries(recordAt(batch, 0))).toEqual(
    Object.entries({ id: 'a', amount: '-1.500', currency: 'KWD', date: '2026-04-01', note: 'n', zone: 'z' }),
  );
  expect(Object.entries(recordAt(batchOf([{ note: 'n', date: 'soon', currency: 'x', amount: '1,5', id: 'a' }]), 0))).toEqual(
    Object.entries({ id: 'a', amount: '1,5', currency: 'x', date: 'soon', note: 'n' }),
  );
});

test('what should be a text and is none is not taken for one', () => {
  const batch = batchOf([
    { id: 'a', amount: 5, currency: 'EUR', date: ['2026-04-01'] },
    { id: 'b', amount: '5', currency: ['EUR'] },
  ]);
  expect([...batch.states].map((state) => rowStates[state])).toEqual(['invalid', 'invalid']);
  expect([[...batch.amounts], [...batch.currencies].map((code) => code !== 0), [...batch.days]]).toEqual([
    [Number.NaN, Number.NaN],
    [true, false],
    [noDay, noDay],
  ]);
});

test('of rows that say the same under one id the one of the first line counts, and of those that do not, none', () => {
  const states = (...rows: readonly (readonly [line: number, id: string, note: string])[]) => {
    const batch = batchOf(rows.map(([line, id, note]) => ({ line, record: { id, note } })));
    return rows.map((_, row) => [rowStates[batch.states[row] as number], batch.reasons.get(row)]);
  };
  const again = 'the id a occurred before with the same content';
  expect(states([9, 'a', 'n'], [3, 'a', 'n'], [5, 'b', 'n'], [7, 'a', 'n'])).toEqual([
    ['repeated', again],
    ['usable', undefined],
    ['usable', undefined],
    ['repeated', again],
  ]);
  const long = 'x'.repeat(90);
  const several = ['invalid', `the id ${'x'.repeat(80)} occurs 3 times with different content`];
  expect(states([2, long, 'n'], [3, long, 'n'], [4, long, 'm'])).toEqual([several, several, several]);
  expect(states([0, 'a', 'n'], [0, 'a', 'n'])).toEqual([
    ['usable', undefined],
    ['repeated', again],
  ]);
});

test('every id that occurs again is found among many that do not', () => {
  const numbers = fc.array(fc.nat({ max: 5_000 }), { minLength: 100, maxLength: 3_000, size: 'max' });
  let repetitions = 0;
  fc.assert(
    fc.property(numbers, (ids) => {
      const builder = createBatchBuilder({ idMapped: true });
      builder.addRows(ids.map((id, line) => ({ line, record: { id: `id ${id}` } })));
      const { states } = builder.build();
      const expected = ids.map((id, row) => (ids.indexOf(id) < row ? 'repeated' : 'usable'));
      expect([...states].map((state) => rowStates[state])).toEqual(expected);
      repetitions += expected.filter((state) => state === 'repeated').length;
    }),
    { numRuns: 20 },
  );
  expect(repetitions).toBeGreaterThan(100);
});

test('ids that were not said to be ids may occur again', () => {
  expect([...batchOf([{ id: 'a' }, { id: 'a', note: 'n' }], false).states].map((state) => rowStates[state])).toEqual(['usable', 'usable']);
});

test('rows stand in order by id, then by day, amount and currency, and then by their other fields, what has none first', () => {
  const parts = fc.record({
    id: fc.constantFrom('a', 'b'),
    date: fc.constantFrom('', '1969-12-31', '2026-04-01'),
    amount: fc.constantFrom('', '-1', '0', '2'),
    currency: fc.constantFrom('JPY', 'KRW'),
    note: fc.constantFrom('', 'x', 'y'),
    other: fc.constantFrom('', 'x'),
  });
  const rank = ({ id, date, amount, currency, note, other }: { [name: string]: string }): string =>
    [id, date, { '': 0, '-1': 1, '0': 2, '2': 3 }[amount as string], currency, note, other].join(' ');
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const batch = batchOf([one, other], false);
      const expected = rank(one) === rank(other) ? 0 : rank(one) < rank(other) ? -1 : 1;
      expect([Math.sign(compareRows(batch, 0, 1)), Math.sign(compareRows(batch, 1, 0))]).toEqual([expected, 0 - expected]);
    }),
    { numRuns: 300 },
  );
});
