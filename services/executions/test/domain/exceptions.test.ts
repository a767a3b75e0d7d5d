import { describe, expect, it } from 'vitest';
import { severityOf } from '../../src/domain/exceptions.ts';

const of = (amountMinor: bigint | null, currency = 'EUR') => ({ amountMinor, currency });

describe('how urgent an exception is', () => {
  it.each([
    ['missing_in_target', 49_99n, 'low'],
    ['missing_in_target', -50_00n, 'medium'],
    ['amount_mismatch', 1_000_00n, 'high'],
    ['duplicate', 10_000_00n, 'critical'],
    ['invalid_record', 1n, 'medium'],
    ['date_mismatch', 10_000_00n, 'high'],
    ['field_mismatch', 1_00n, 'low'],
    ['missing_in_source', null, 'high'],
  ] as const)('%s of %s cents is %s', (category, cents, severity) => {
    expect(severityOf(category, of(cents), undefined)).toBe(severity);
  });

  it('takes a hundred yen for what a euro is to others, and a dinar for a dinar', () => {
    expect(severityOf('missing_in_target', of(10_000n, 'JPY'), undefined)).toBe('medium');
    expect(severityOf('missing_in_target', of(1_000_000n, 'JPY'), undefined)).toBe('critical');
    expect(severityOf('missing_in_target', of(10_000_000n, 'BHD'), undefined)).toBe('critical');
  });

  it('is what the rules say from an amount on, of the currencies that they name', () => {
    const rules = { from: { EUR: { medium: '5.00', critical: '99.995' }, JPY: { high: '7000.5' } } };
    expect([4_99n, 5_00n, 99_99n, 100_00n, -100_00n].map((cents) => severityOf('duplicate', of(cents), rules))).toEqual([
      'low',
      'medium',
      'medium',
      'critical',
      'critical',
    ]);
    expect([7_000n, 7_001n].map((yen) => severityOf('duplicate', of(yen, 'JPY'), rules))).toEqual(['low', 'high']);
    expect(severityOf('duplicate', of(60_00n, 'USD'), rules)).toBe('medium');
    // What is wrong still counts: the money of this one is there.
    expect(severityOf('date_mismatch', of(100_00n), rules)).toBe('high');
    expect(severityOf('duplicate', of(null), rules)).toBe('high');
  });

  it('is what the rules say of its category, whatever it is worth', () => {
    const rules = { categories: { invalid_record: 'low', missing_in_source: 'critical' }, from: { EUR: { high: '0' } } } as const;
    expect(severityOf('invalid_record', of(null), rules)).toBe('low');
    expect(severityOf('missing_in_source', of(1n), rules)).toBe('critical');
    expect(severityOf('missing_in_target', of(0n), rules)).toBe('high');
  });
});
