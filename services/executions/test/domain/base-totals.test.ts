import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseTotals, type ExchangeRate, halfEven } from '../../src/domain/base-totals.ts';
import type { ReportLine } from '../../src/domain/execution.ts';

/** With 0, 2, 3 and 4 digits. */
const currency = fc.constantFrom('JPY', 'EUR', 'USD', 'KWD', 'CLF');
const minor = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const rate = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 16n }), fc.integer({ min: 0, max: 12 }))
  .map(([units, digits]) => ({ text: fromMinor(units, digits), units, scale: 10n ** BigInt(digits) }));

const line = (code: string, amount: string, more: Partial<ReportLine> = {}): ReportLine => ({
  ...{ outcome: 'matched', side: 'source', pass: null, count: 1 },
  ...{ currency: code, amount },
  ...more,
});
const quoted = (base: string, quote: string, value: string): ExchangeRate => ({
  base,
  quote,
  date: '2026-04-01',
  rate: value,
  source: null,
});
const unitOf = (code: string): bigint => 10n ** BigInt(exponentOf(code));
const amountOf = (code: string, units: bigint): string => fromMinor(units, exponentOf(code));

/** The nearest of all integers, found without dividing in another way than the code does. */
const expectNearest = (result: bigint, numerator: bigint, denominator: bigint): void => {
  const error = 2n * (result * denominator - numerator);
  const distance = error < 0n ? -error : error;
  expect(distance <= denominator).toBe(true);
  if (distance === denominator) expect(result % 2n).toBe(0n);
};

describe('rounding', () => {
  test('takes what is nearest, and the even one of two', () => {
    const halves = [-5n, -3n, -1n, 1n, 3n, 5n].map((numerator) => halfEven({ numerator, denominator: 2n }));
    expect(halves).toEqual([-2n, -2n, 0n, 0n, 2n, 2n]);
    const denominators = fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: 10n ** 30n }));
    fc.assert(
      fc.property(fc.oneof(minor, fc.bigInt({ min: -100n, max: 100n })), denominators, (numerator, denominator) =>
        expectNearest(halfEven({ numerator, denominator }), numerator, denominator),
      ),
    );
  });
});

describe('totals in a base currency', () => {
  test('are what whole numbers say, by a rate in either direction', () => {
    fc.assert(
      fc.property(currency, currency, minor, rate, fc.boolean(), (from, to, units, { text, units: rateUnits, scale }, inverted) => {
        fc.pre(from !== to);
        const known = inverted ? quoted(to, from, text) : quoted(from, to, text);
        const { totals, rates } = baseTotals(to, [line(from, amountOf(from, units))], [known]);
        expect(rates).toEqual([{ ...known, inverted }]);
        const result = toMinor(totals[0]?.amount ?? '', exponentOf(to));
        const [up, down] = inverted ? [scale, rateUnits] : [rateUnits, scale];
        expectNearest(result as bigint, units * up * unitOf(to), down * unitOf(from));
      }),
    );
  });

  test('leave the same currency as it is', () => {
    fc.assert(
      fc.property(currency, fc.array(minor, { minLength: 1, maxLength: 9 }), (code, all) => {
        const lines = all.map((units) => line(code, amountOf(code, units)));
        const whole = all.reduce((one, other) => one + other);
        expect(baseTotals(code, lines, [])).toEqual({
          currency: code,
          totals: [{ outcome: 'matched', side: 'source', count: all.length, amount: amountOf(code, whole) }],
          rates: [],
          missing: [],
        });
      }),
    );
  });

  test('are rounded once, over passes and currencies', () => {
    const lines = [line('JPY', '1', { pass: 'one' }), line('JPY', '1', { pass: 'two' }), line('KWD', '0.001'), line('EUR', '0.01')];
    const known = [quoted('JPY', 'EUR', '0.004'), quoted('KWD', 'EUR', '3.1')];
    // 0.008 + 0.0031 + 0.01 = 0.0211; each rounded by itself would be 0.01.
    expect(baseTotals('EUR', lines, known).totals).toEqual([{ outcome: 'matched', side: 'source', count: 4, amount: '0.02' }]);
  });

  test('keep nobody waiting, of every currency that a code can name over several passes', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const codes = letters.flatMap((one) => letters.flatMap((two) => letters.map((three) => one + two + three)));
    const foreign = codes.filter((code) => code !== 'EUR');
    const lines = ['one', 'two', 'three', 'four'].flatMap((pass) => foreign.map((code) => line(code, amountOf(code, 100n), { pass })));
    // As many denominators as there are currencies, and none divides another.
    const known = foreign.map((code, index) => quoted('EUR', code, `1.0${100_000_000_000 + index}`));
    const startedAt = performance.now();
    const { totals } = baseTotals('EUR', lines, known);
    // A hundredth of what adding them one after the other takes.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(totals).toMatchObject([{ count: 4 * foreign.length, amount: expect.stringMatching(/^[0-9]+\.[0-9]{2}$/) }]);
  });

  test('have nothing of a currency without a rate, and no total where that was all', () => {
    const lines = [
      line('EUR', '5.00'),
      line('USD', '7.00', { count: 3 }),
      line('GBP', '1.00', { outcome: 'invalid' }),
      line('', '0.00', { outcome: 'invalid', count: 2 }),
    ];
    expect(baseTotals('EUR', lines, [quoted('GBP', 'USD', '1.25'), quoted('USD', 'GBP', '0.80')])).toEqual({
      currency: 'EUR',
      totals: [{ outcome: 'matched', side: 'source', count: 1, amount: '5.00' }],
      rates: [],
      missing: ['GBP', 'USD'],
    });
  });

  test('take the direct rate before the inverse of the other', () => {
    const known = [quoted('EUR', 'USD', '1.25'), quoted('USD', 'EUR', '0.9')];
    expect(baseTotals('EUR', [line('USD', '10.00')], known)).toMatchObject({
      totals: [{ amount: '9.00' }],
      rates: [{ base: 'USD', quote: 'EUR', rate: '0.9', inverted: false }],
    });
  });
});
