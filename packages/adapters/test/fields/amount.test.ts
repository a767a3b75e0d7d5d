import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inCurrency, readAmount, readCurrency, readDebitCredit } from '../../src/fields/amount.ts';

const unreadable = { reason: expect.any(String) };

describe('an amount', () => {
  it.each([
    ['12.34', undefined, '12.34'],
    [' 12.34 ', undefined, '12.34'],
    ['-12.34', undefined, '-12.34'],
    ['+12.34', undefined, '12.34'],
    ['\u221212.34', undefined, '-12.34'],
    ['12.34-', undefined, '-12.34'],
    ['(12.34)', undefined, '-12.34'],
    ['0', undefined, '0'],
    ['-0.00', undefined, '0.00'],
    ['007.50', undefined, '7.50'],
    ['.5', undefined, '0.5'],
    ['1,234.56', undefined, '1234.56'],
    ['1,234,567', undefined, '1234567'],
    ['12.340000000', undefined, '12.340000'],
    ['1,234', '.', '1234'],
    ['12,34,567.00', '.', '1234567.00'],
    ['1.234,56', ',', '1234.56'],
    ['-1.234.567,8', ',', '-1234567.8'],
    ['1.234', ',', '1234'],
    ['12,5', ',', '12.5'],
    ['1 234,56', ',', '1234.56'],
    ['1\u00a0234,56', ',', '1234.56'],
    ['1\u202f234,56', ',', '1234.56'],
    ["1'234.50", '.', '1234.50'],
    ['999999999999999999.999999', undefined, '999999999999999999.999999'],
  ] as const)('%j with decimal %j is %s', (cell, decimal, amount) => {
    expect(readAmount(cell, decimal)).toBe(amount);
  });

  it.each([
    ['NaN', undefined],
    ['Infinity', undefined],
    ['1e400', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['1_000', undefined],
    ['1.234,56', undefined],
    ['1.234,56', '.'],
    ['1,234.56', ','],
    ['12.5', ','],
    ['1,50', undefined],
    ['1,50', '.'],
    ['1,23,4', '.'],
    ['1,234 567', '.'],
    ['12,34.567,8', ','],
    ['0.123', ','],
    ['-0.250', ','],
    ['0.123.456', ','],
    ['0 123,45', ','],
    ['0,123', '.'],
    ['0,123', undefined],
    ['0,123,456', undefined],
    ['01,23,456.00', '.'],
    ['--5', undefined],
    ['-(5)', undefined],
    ['(-5)', undefined],
    ['5-3', undefined],
    ['-5-', undefined],
    ['-', undefined],
    ['.', undefined],
    ['12.', undefined],
    ['()', undefined],
    ['€12.00', undefined],
    ['12.00 EUR', undefined],
    ['١٢', undefined],
    ['1000000000000000000', undefined],
    ['0.0000001', undefined],
  ] as const)('%j with decimal %j cannot be read', (cell, decimal) => {
    expect(readAmount(cell, decimal)).toEqual(unreadable);
  });

  it('is refused where it can be read two ways and nobody said which', () => {
    expect(readAmount('1,234')).toEqual({ reason: expect.stringContaining('two ways') });
  });

  it('names the value it refuses, shortened', () => {
    expect(readAmount('1.234,56')).toEqual({ reason: '"1.234,56" is not a number written with decimal point' });
    const long = readAmount('x'.repeat(10_000));
    expect(typeof long === 'string' ? long : long.reason.length).toBeLessThan(120);
  });

  it('reads back every number, however it was grouped', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n });
    const fraction = fc.integer({ min: 0, max: 99 }).map((cents) => String(cents).padStart(2, '0'));
    fc.assert(
      fc.property(digits, fraction, fc.boolean(), fc.constantFrom('.' as const, ',' as const), (whole, cents, negative, decimal) => {
        const grouped = String(whole).replace(/\B(?=([0-9]{3})+$)/g, decimal === '.' ? ',' : '.');
        const isZero = whole === 0n && cents === '00';
        expect(readAmount(`${negative ? '-' : ''}${grouped}${decimal}${cents}`, decimal)).toBe(
          `${negative && !isZero ? '-' : ''}${whole}.${cents}`,
        );
      }),
    );
  });
});

describe('an amount in its currency', () => {
  it.each([
    ['12.5', 'EUR', '12.50'],
    ['12', 'EUR', '12.00'],
    ['12.340', 'EUR', '12.34'],
    ['1000.00', 'JPY', '1000'],
    ['1.2', 'BHD', '1.200'],
  ])('%s %s is written %s', (amount, currency, written) => {
    expect(inCurrency(amount, currency)).toBe(written);
  });

  it('has no other digits than zeros beyond its decimals', () => {
    expect(inCurrency('12.345', 'EUR')).toEqual({ reason: '12.345 has more decimals than EUR has' });
    expect(inCurrency('0.5', 'JPY')).toEqual(unreadable);
  });
});

describe('a currency', () => {
  it('is kept upper', () => {
    expect(readCurrency(' eur ')).toBe('EUR');
    expect(readCurrency('USD')).toBe('USD');
    expect(readCurrency('dem')).toBe('DEM');
  });

  it.each(['EU', 'EURO', '€', '978', 'eu r', 'ſek', 'ZZZ', 'btc'])('%j is none', (cell) => {
    expect(readCurrency(cell)).toEqual(unreadable);
  });
});

describe('a debit and a credit column', () => {
  it.each([
    ['5,00', '', '-5.00'],
    ['', '5,00', '5.00'],
    ['0,00', '5,00', '5.00'],
    ['5,00', '0,00', '-5.00'],
    ['0,00', '0,00', '0.00'],
    ['0,00', '', '0.00'],
    ['', '0', '0'],
  ])('%j out and %j in is %s', (debit, credit, amount) => {
    expect(readDebitCredit(debit, credit, ',')).toBe(amount);
  });

  it('are refused with both filled, with a sign, or with what is no number', () => {
    expect(readDebitCredit('5', '5')).toEqual({ reason: 'has both a debit (5) and a credit (5)' });
    expect(readDebitCredit('-5', '')).toEqual(unreadable);
    expect(readDebitCredit('', '-5')).toEqual(unreadable);
    expect(readDebitCredit('five', '')).toEqual(unreadable);
    expect(readDebitCredit('', 'five')).toEqual(unreadable);
  });
});
