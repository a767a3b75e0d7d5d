import { describe, expect, it } from 'vitest';
import { severityOf } from '../../src/domain/exceptions.ts';

describe('how urgent an exception is', () => {
  it.each([
    ['missing_in_target', 49_99n, 2, 'low'],
    ['missing_in_target', -50_00n, 2, 'medium'],
    ['amount_mismatch', 1_000_00n, 2, 'high'],
    ['duplicate', 10_000_00n, 2, 'critical'],
    ['invalid_record', 1n, 2, 'medium'],
    ['date_mismatch', 10_000_00n, 2, 'high'],
    ['field_mismatch', 1_00n, 2, 'low'],
    ['missing_in_source', null, 2, 'high'],
  ] as const)('%s of %s, with %s digits, is %s', (category, stake, exponent, severity) => {
    expect(severityOf(category, stake, exponent)).toBe(severity);
  });

  it('takes a hundred yen for what a euro is to others, and a dinar for a dinar', () => {
    expect(severityOf('missing_in_target', 10_000n, 0)).toBe('medium');
    expect(severityOf('missing_in_target', 1_000_000n, 0)).toBe('critical');
    expect(severityOf('missing_in_target', 10_000_000n, 3)).toBe('critical');
  });
});
