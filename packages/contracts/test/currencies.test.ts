import { describe, expect, test } from 'vitest';
import { currentCurrencies, isCurrency, isListed, withdrawnCurrencies } from '../src/currencies.ts';
import { currencyCode, noCurrency } from '../src/currency-codes.ts';
import { currency, exponentOf } from '../src/money.ts';
import { rules } from '../src/rules.ts';

const listed = [...currentCurrencies, ...withdrawnCurrencies];
const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const allCodes = letters.flatMap((one) => letters.flatMap((two) => letters.map((three) => one + two + three)));

describe('currencies', () => {
  test('are those of ISO 4217, each once, and all of those that Node knows', () => {
    expect(new Set(listed).size).toBe(listed.length);
    for (const codes of [currentCurrencies, withdrawnCurrencies]) expect(codes).toEqual([...codes].sort());
    // Where a newer Node knows of one that is not there, it is to be added.
    expect(Intl.supportedValuesOf('currency').filter((code) => !isCurrency(code))).toEqual([]);
    expect(allCodes.filter((code) => exponentOf(code) !== 2 && !isCurrency(code))).toEqual([]);
  });

  test('are found among all codes, as texts and as numbers', () => {
    expect(allCodes.filter(isCurrency)).toEqual(listed.toSorted());
    expect(allCodes.filter((code) => isListed(currencyCode(code)))).toEqual(listed.toSorted());
    expect(isListed(noCurrency)).toBe(false);
  });

  test.each(['ZZZ', 'BTC', 'AAA', 'eur', 'EURO', 'EU', '', 'EUR\n', '978'])('are not %j, and whoever names it is told so', (code) => {
    expect(isCurrency(code)).toBe(false);
    const messages = currency.safeParse(code).error?.issues.map(({ message }) => message);
    expect(messages).toEqual(['must be an ISO 4217 currency code such as "EUR"']);
  });

  test.each(['EUR', 'DEM', 'HRK', 'CLF', 'XAU', 'XTS'])('are %s', (code) => {
    expect(currency.parse(code)).toBe(code);
  });

  test('that rules name have to be some', () => {
    const faultsOf = (settings: object) =>
      rules
        .safeParse({ matching: [{ field: 'reference', type: 'exact' }], ...settings })
        .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    const told = 'must be an ISO 4217 currency code such as "EUR"';
    expect(faultsOf({ approval: { above: { ZZZ: '1', EUR: '1' } } })).toEqual([`approval.above.ZZZ ${told}`]);
    expect(faultsOf({ severity: { from: { BTC: { high: '1' } } } })).toEqual([`severity.from.BTC ${told}`]);
    const matching = [
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount', fx: { table: { 'EUR/ZZZ': '1' } } },
    ];
    expect(faultsOf({ matching })).toEqual(['matching.1.fx.table.EUR/ZZZ must be two ISO 4217 currency codes such as "EUR/USD"']);
  });
});
