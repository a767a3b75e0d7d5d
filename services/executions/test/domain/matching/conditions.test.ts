import { describe, expect, test } from 'vitest';
import { euro, pass, run } from './records.ts';

const reference = { field: 'reference', type: 'exact' };
const outcomeOf = (source: Parameters<typeof euro>, target: Parameters<typeof euro>, match: readonly unknown[]): string =>
  String(run([euro(...source)], [euro(...target)], pass(match)).said[0]?.[0]);

describe('amounts', () => {
  test('a fee contract says what should arrive, and a wrong fee is told from a wrong amount', () => {
    const fee = { percent: '2.9', fixed: '0.30' };
    const match = [reference, { field: 'amount', type: 'amount', fee, verify: true }];
    // 2.9 % of 100.00 is 2.90, and of 10.50 it is 0.3045, rounded to 0.30.
    expect(outcomeOf(['a', '100.00'], ['a', '96.80'], match)).toBe('matched');
    expect(outcomeOf(['a', '10.50'], ['a', '9.90'], match)).toBe('matched');
    const [wrong] = run([euro('a', '100.00')], [euro('a', '96.79')], pass(match)).results;
    expect(wrong).toMatchObject({ outcome: 'mismatched', category: 'fee_mismatch', delta: { amount: '-3.21' } });
  });

  test('rounding of a fee goes away from zero, on both sides of it', () => {
    const match = [reference, { field: 'amount', type: 'amount', fee: { percent: '50' } }];
    // Half of 0.05 is 0.025: three cents are kept, two arrive.
    expect(outcomeOf(['a', '0.05'], ['a', '0.02'], match)).toBe('matched');
    expect(outcomeOf(['a', '-0.05'], ['a', '-0.02'], match)).toBe('matched');
  });

  test('a rate brings two currencies together, from a field or from a table', () => {
    const dollars = { currency: 'USD' };
    const byField = [reference, { field: 'amount', type: 'amount', fx: { field: 'rate' } }];
    const inYen = [reference, { field: 'amount', type: 'amount', fx: { table: { 'EUR/JPY': '162.5' } } }];
    expect(outcomeOf(['a', '100.00', { rate: '1.0835' }], ['a', '108.35', dollars], byField)).toBe('matched');
    expect(outcomeOf(['a', '100.00', { rate: '1.0835' }], ['a', '108.36', dollars], byField)).toBe('missing_in_target');
    expect(outcomeOf(['a', '100.00'], ['a', '108.35', dollars], byField)).toBe('missing_in_target');
    expect(outcomeOf(['a', '10.01'], ['a', '1627', { currency: 'JPY' }], inYen)).toBe('matched');
    expect(outcomeOf(['a', '100.00'], ['a', '100.00', dollars], [reference, { field: 'amount', type: 'amount' }])).toBe(
      'missing_in_target',
    );
  });

  test('what lies below and what lies above may have limits of their own', () => {
    const match = [reference, { field: 'amount', type: 'amount', tolerance: { below: { percent: '2' }, above: { absolute: '0' } } }];
    expect(outcomeOf(['a', '50.00'], ['a', '49.00'], match)).toBe('matched');
    expect(outcomeOf(['a', '50.00'], ['a', '48.99'], match)).toBe('missing_in_target');
    expect(outcomeOf(['a', '50.00'], ['a', '50.01'], match)).toBe('missing_in_target');
  });

  test('a currency has the digits that ISO 4217 gives it: none, two, three or four', () => {
    const match = [reference, { field: 'amount', type: 'amount' }];
    for (const [currency, one, same] of [
      ['JPY', '12', '12.0'],
      ['EUR', '1.5', '1.50'],
      ['KWD', '1.234', '1.2340'],
      ['CLF', '1.2345', '1.2345'],
    ] as const) {
      expect(outcomeOf(['a', one, { currency }], ['a', same, { currency }], match), currency).toBe('matched');
    }
    expect(outcomeOf(['a', '1.2345', { currency: 'KWD' }], ['b', '1', {}], match)).toBe('missing_in_source');
  });
});

describe('dates', () => {
  // 2026-04-03 is Good Friday, 2026-04-06 Easter Monday.
  const within = (more: object) => [reference, { field: 'date', type: 'date', within: { after: 1, unit: 'business-days', ...more } }];

  test('business days leave out weekends, and the holidays of a calendar', () => {
    const friday = { date: '2026-04-10' };
    expect(outcomeOf(['a', '1.00', friday], ['a', '1.00', { date: '2026-04-13' }], within({}))).toBe('matched');
    expect(outcomeOf(['a', '1.00', friday], ['a', '1.00', { date: '2026-04-14' }], within({}))).toBe('missing_in_target');
    const thursday = { date: '2026-04-02' };
    expect(outcomeOf(['a', '1.00', thursday], ['a', '1.00', { date: '2026-04-07' }], within({}))).toBe('missing_in_target');
    expect(outcomeOf(['a', '1.00', thursday], ['a', '1.00', { date: '2026-04-07' }], within({ calendar: 'TARGET' }))).toBe('matched');
    const own = { holidays: ['2026-04-13'] };
    expect(outcomeOf(['a', '1.00', friday], ['a', '1.00', { date: '2026-04-14' }], within({ calendar: own }))).toBe('matched');
  });

  test('a counterpart that may still come is open and not missing for good', () => {
    const rules = { ...pass([reference]), openItems: { expectWithin: { after: 3, unit: 'business-days' } } };
    const { results } = run([euro('a', '1.00', { date: '2026-04-28' }), euro('b', '1.00', { date: '2026-04-27' })], [], rules);
    // The run is on Friday, 1 May: three business days after Tuesday it is not too late, after Monday it is.
    expect(results.map(({ outcome, dueOn }) => [outcome, dueOn])).toEqual([
      ['missing_in_target', undefined],
      ['missing_in_target', '2026-05-03'],
    ]);
  });
});

describe('other fields', () => {
  const amount = { field: 'amount', type: 'amount' };

  test('numbers are compared within their tolerance, both ends included', () => {
    const match = [reference, { field: 'weight', type: 'number', tolerance: { absolute: '0.1' } }];
    expect(outcomeOf(['a', '1.00', { weight: '0.2' }], ['a', '1.00', { weight: '0.3' }], match)).toBe('matched');
    expect(outcomeOf(['a', '1.00', { weight: '0.2' }], ['a', '1.00', { weight: '0.31' }], match)).toBe('missing_in_target');
    expect(outcomeOf(['a', '1.00', { weight: '0.2' }], ['a', '1.00', { weight: 'heavy' }], match)).toBe('missing_in_target');
  });

  test('look-alikes count from their threshold on', () => {
    const match = [amount, { field: 'counterparty', type: 'fuzzy', threshold: 0.88, normalize: ['lowercase'] }];
    expect(outcomeOf(['a', '1.00', { counterparty: 'Martha' }], ['b', '1.00', { counterparty: 'MARHTA' }], match)).toBe('matched');
    expect(outcomeOf(['a', '1.00', { counterparty: 'Martha' }], ['b', '1.00', { counterparty: 'Arthur' }], match)).toBe(
      'missing_in_target',
    );
  });

  test('a pattern captures what is compared, and no capture never matches', () => {
    const match = [{ source: 'reference', target: 'description', type: 'regex', pattern: '(?i)INV-?([0-9]+)' }];
    const said = (target: string) => outcomeOf(['a', '1.00', { reference: 'INV-0042' }], ['b', '1.00', { description: target }], match);
    expect(said('payment inv0042 thanks')).toBe('matched');
    expect(said('payment inv0043')).toBe('missing_in_target');
    expect(said('payment')).toBe('missing_in_target');
  });

  test('of alternatives the best counts, also where they have to find the counterpart', () => {
    const match = [
      {
        type: 'oneOf',
        conditions: [
          { field: 'reference', type: 'exact' },
          { source: 'reference', target: 'description', type: 'exact' },
        ],
      },
    ];
    const source = [euro('a', '1.00', { reference: 'r1' }), euro('b', '1.00', { reference: 'r2' }), euro('c', '1.00', { reference: 'r3' })];
    const target = [euro('x', '1.00', { reference: 'r1', description: 'r1' }), euro('y', '1.00', { reference: 'q', description: 'r2' })];
    expect(run(source, target, pass(match)).said).toEqual([
      ['missing_in_target', ['c'], []],
      ['matched', ['a'], ['x']],
      ['matched', ['b'], ['y']],
    ]);
  });

  test('replacing by a pattern, and the other transforms, work on what is not ASCII too', () => {
    const normalize = [{ regexReplace: { pattern: '[^0-9a-zé]+', with: '' } }, 'stripAccents'];
    const match = [{ field: 'reference', type: 'exact', normalize: ['lowercase', ...normalize] }];
    expect(outcomeOf(['a', '1.00', { reference: 'Café-12' }], ['b', '1.00', { reference: 'CAFE 12' }], match)).toBe('matched');
  });
});
