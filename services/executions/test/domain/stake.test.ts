import { describe, expect, it } from 'vitest';
import { type Fields, shownStake, stakesOf } from '../../src/domain/stake.ts';

const euro = (amount: string | null): Fields => ({ amount, currency: 'EUR' });

describe('what a list shows at stake', () => {
  it.each<[string, Fields[], Fields[], string | null, bigint | null]>([
    ['one record', [euro('10.5')], [], 'EUR', 1_050n],
    ['a group by all of its records', [euro('1.00'), euro('90.00')], [euro('80.00')], 'EUR', 9_100n],
    ['the other side where that is more', [euro('90.00')], [euro('60.00'), euro('40.00')], 'EUR', 10_000n],
    ['refunds by their size, with their sign', [euro('-30.00')], [euro('-40.00'), euro('5.00')], 'EUR', -3_500n],
    ['the currency of the first alone', [euro('1.00')], [{ amount: '500', currency: 'JPY' }], 'EUR', 100n],
    ['a currency without smaller units', [{ amount: '500', currency: 'JPY' }], [], 'JPY', 500n],
    ['records without currencies', [{ amount: '2.50' }], [{ amount: '2.00' }], null, 250n],
    ['a side that has no amounts by the other', [euro('7.00')], [{ currency: 'EUR' }], 'EUR', 700n],
    ['what nobody can read as unknown', [euro('7.00')], [euro('seven')], 'EUR', null],
    ['nothing of records without amounts', [euro(null)], [{}], 'EUR', null],
    ['nothing of nothing', [], [], null, null],
  ])('is %s', (_what, source, target, currency, amountMinor) => {
    expect(shownStake({ source, target })).toEqual({ currency, amountMinor });
  });
});

describe('what a person settles', () => {
  const euros = (...amounts: readonly string[]): Fields[] => amounts.map((amount) => ({ amount, currency: 'EUR' }));
  it.each<[Fields[], Fields[], (bigint | null)[]]>([
    [euros('5000.00', '-4500.00'), euros('600.00'), [950_000n, 60_000n]],
    [euros('1000.00'), euros('-5000.00', '5000.00'), [100_000n, 1_000_000n]],
    [euros('-7.00', '-3.00', '0.00'), [], [-1_000n]],
    [euros('7.00', 'abc'), euros('1.00'), [null, 100n]],
  ])('is each of its records, whatever the others are: %j with %j', (source, target, stakes) => {
    expect(stakesOf({ source, target }).map(({ amountMinor }) => amountMinor)).toEqual(stakes);
  });
});
