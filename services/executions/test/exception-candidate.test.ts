import { expect, test } from 'vitest';
import { weigh } from '../src/infrastructure/postgres/exceptions/exception-candidate.ts';

const pair = (source: string, target: string, delta: { amount: string; fromExpected?: string }) => ({
  ...{ outcome: 'mismatched' as const, line: null, position: 0, occurrence: null, delta },
  source: [{ id: 'a', amount: source, currency: 'EUR' }],
  target: [{ id: 'b', amount: target, currency: 'EUR' }],
});

test('a wrong fee weighs as much as what was kept beside what was agreed, and not as the fee', () => {
  const urgent = (delta: { amount: string; fromExpected?: string }) =>
    weigh(pair('1000000.00', '971000.00', delta), 'fee_mismatch', undefined).severity;
  expect(urgent({ amount: '-29000.05', fromExpected: '-0.05' })).toBe('low');
  expect(urgent({ amount: '0.00', fromExpected: '29000.00' })).toBe('critical');
  // Of results from before that was told.
  expect(urgent({ amount: '-29000.05' })).toBe('critical');
});
