import { describe, expect, test } from 'vitest';
import { compareDecimals, decimal, exponentOf, fromMinor, toMinor, total } from '../src/money.ts';

describe('money', () => {
  test.each([
    ['12.34', 2, 1234n],
    ['-0.01', 2, -1n],
    ['5', 2, 500n],
    ['5.1', 2, 510n],
    ['1.200', 2, 120n],
    ['100', 0, 100n],
    ['1.234', 3, 1234n],
    ['9999999999999999.99', 2, 999999999999999999n],
  ])('%s with %i digits is %s minor units', (text, exponent, units) => {
    expect(toMinor(text, exponent)).toBe(units);
  });

  test.each(['', 'abc', '1e3', 'NaN', '1,000.00', '.5', '5.', '--1', ' 1'])('%j is no amount', (text) => {
    expect(toMinor(text, 2)).toBeNull();
  });

  test('digits beyond the currency’s own are refused unless they are zero', () => {
    expect(toMinor('1.001', 2)).toBeNull();
    expect(toMinor('100.5', exponentOf('JPY'))).toBeNull();
    expect(toMinor('100.0', exponentOf('JPY'))).toBe(100n);
  });

  test.each([
    [1234n, 2, '12.34'],
    [-1n, 2, '-0.01'],
    [0n, 2, '0.00'],
    [100n, 0, '100'],
    [-5n, 3, '-0.005'],
  ])('%s minor units with %i digits are written %s', (units, exponent, text) => {
    expect(fromMinor(units, exponent)).toBe(text);
  });

  test.each([
    ['9.99', '10', -1],
    ['-0.5', '0.4', -1],
    ['10', '10.000', 0],
    ['10.05', '10.5', -1],
    ['99.996', '99.995', 1],
    ['-2', '-10', 1],
  ])('%s beside %s', (one, other, sign) => {
    expect([compareDecimals(one, other), compareDecimals(other, one)]).toEqual([sign, sign === 0 ? 0 : -sign]);
  });

  test.each(['1e400', '01', '1.', '1.1234567', 'Infinity', '0x10', '1 '])('the wire refuses %j', (text) => {
    expect(decimal.safeParse(text).success).toBe(false);
  });

  test('sums may have more digits than amounts', () => {
    const sum = fromMinor(BigInt(Number.MAX_SAFE_INTEGER) * 1_000_000n, 0);
    expect(decimal.safeParse(sum).success).toBe(false);
    expect([sum, `-${sum}.99`, '0.00'].map((text) => total.parse(text))).toEqual([sum, `-${sum}.99`, '0.00']);
    for (const none of ['1e3', '', '.5', '01', '1'.repeat(37)]) expect(total.safeParse(none).success).toBe(false);
  });
});
