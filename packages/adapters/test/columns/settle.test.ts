import { fromMinor, toMinor } from '@settler/contracts/money';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minorUnits } from '../../src/columns/settle.ts';

test('digits and how many of them are decimals are as many minor units as their text says, or none that are exact', () => {
  const digits = fc.oneof(
    fc.integer({ min: -99_999, max: 99_999 }).map((number) => number * 100),
    fc.maxSafeInteger(),
  );
  fc.assert(
    fc.property(digits, fc.nat(6), fc.nat(4), (number, decimals, exponent) => {
      const expected = toMinor(fromMinor(BigInt(number), decimals), exponent);
      const found = minorUnits(number, decimals, exponent);
      const isExact = expected !== null && Number.isSafeInteger(Number(expected));
      if (isExact) expect(found + 0).toBe(Number(expected));
      else expect(found).toBeNaN();
    }),
    { numRuns: 300 },
  );
});
