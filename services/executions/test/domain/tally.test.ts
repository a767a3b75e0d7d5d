import { expect, test } from 'vitest';
import { currencyCode } from '../../src/domain/matching/columns/currency.ts';
import { createTally } from '../../src/domain/tally.ts';

const rows = [
  { currency: 'EUR', amount: '12.34', digits: 1234, scale: 2 },
  { currency: 'JPY', amount: '500', digits: 500, scale: 0 },
  { currency: 'EUR', amount: '-0.5', digits: -5, scale: 1 },
  { currency: 'JPY', amount: '0.5', digits: 5, scale: 1 },
  { currency: 'KWD', amount: '1.2340', digits: 12_340, scale: 4 },
  { currency: 'EUR', amount: '900719925474099.2', digits: 2 ** 53, scale: 1 },
  { currency: 'EUR', digits: Number.NaN, scale: 0 },
  { currency: '', amount: '3', digits: 3, scale: 0 },
];

const chunkOf = (currencies: readonly string[] | undefined) => ({
  rows: rows.length,
  lines: new Uint32Array(rows.length),
  texts: new Map(),
  amount: { digits: Float64Array.from(rows, ({ digits }) => digits), scale: Uint8Array.from(rows, ({ scale }) => scale) },
  currency: currencies && Int32Array.from(currencies, currencyCode),
  invalid: [],
});

test('rows and columns are counted alike, by currency, and what a currency cannot hold exactly is no money', () => {
  const [byRow, byColumn] = [createTally('source'), createTally('source')];
  for (const { currency, amount } of rows) byRow.add({ record: { currency, amount } });
  byColumn.addChunk(chunkOf(rows.map(({ currency }) => currency)));
  byColumn.addChunk({ ...chunkOf([]), rows: 0 });
  const said = [
    { side: 'source', currency: 'EUR', count: 4, amountMinor: '1184' },
    { side: 'source', currency: 'JPY', count: 2, amountMinor: '500' },
    { side: 'source', currency: 'KWD', count: 1, amountMinor: '1234' },
    { side: 'source', currency: '', count: 1, amountMinor: '0' },
  ];
  expect(byRow.totals()).toEqual(said);
  expect(byColumn.totals()).toEqual(said);
});

test('rows without a column of currencies are counted, and their amounts are of no money', () => {
  const tally = createTally('target');
  tally.addChunk(chunkOf(undefined));
  expect(tally.totals()).toEqual([{ side: 'target', currency: '', count: rows.length, amountMinor: '0' }]);
});
