import { currencyCode } from '@settler/contracts/currency-codes';
import { expect, test } from 'vitest';
import { createTally } from '../../src/domain/tally.ts';

const rows = [
  { currency: 'EUR', amount: '12.34', units: 1234 },
  { currency: 'JPY', amount: '500', units: 500 },
  { currency: 'EUR', amount: '-0.5', units: -50 },
  { currency: 'JPY', amount: '0.5', units: Number.NaN },
  { currency: 'KWD', amount: '1.2340', units: 1234 },
  { currency: 'EUR', amount: '900719925474099.2', units: Number.NaN },
  { currency: 'EUR', units: Number.NaN },
  { currency: '', amount: '3', units: Number.NaN },
];

const chunkOf = (currencies: readonly string[] | undefined) => ({
  rows: rows.length,
  lines: new Uint32Array(rows.length),
  texts: new Map(),
  amount: { units: Float64Array.from(rows, ({ units }) => units), unfit: [] },
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
