import { describe, expect, test } from 'vitest';
import { euro, pass, run } from './records.ts';

const keyed = [{ source: 'payoutId', target: 'reference', type: 'exact' }];
const order = (id: string, amount: string, payoutId: string) => euro(id, amount, { payoutId });

describe('groups by key', () => {
  const rules = (more = {}) => pass(keyed, { cardinality: 'many-to-one', sum: { tolerance: { absolute: '0.05' } }, ...more });

  test('many orders and the payout that covers them are one result', () => {
    const { results, said } = run(
      [order('a', '10.00', 'p'), order('b', '20.00', 'p'), order('c', '5.00', 'q')],
      [euro('p', '30.04'), euro('q', '5.00')],
      rules(),
    );
    expect(said).toEqual([
      ['matched', ['c'], ['q']],
      ['matched', ['a', 'b'], ['p']],
    ]);
    expect(results[1]).toMatchObject({ cardinality: 'many-to-one', delta: { amount: '0.04' } });
    expect(results[1]?.conditions).toContainEqual({
      field: 'amount',
      type: 'sum',
      source: '30.00',
      target: '30.04',
      delta: '0.04',
      score: 0.2,
      passed: true,
    });
  });

  test('a fee is taken from each record, not from their sum', () => {
    const withFee = rules({ sum: { tolerance: { absolute: '0' }, fee: { percent: '1', fixed: '0.10' } } });
    // 0.0449 and 0.0449 are rounded one by one to 0.04.
    const sources = [order('a', '4.49', 'p'), order('b', '4.49', 'p')];
    expect(run(sources, [euro('p', '8.70')], withFee).said).toEqual([['matched', ['a', 'b'], ['p']]]);
    const [off] = run(sources, [euro('p', '8.69')], withFee).results;
    expect(off).toMatchObject({ outcome: 'mismatched', category: 'fee_mismatch', source: expect.any(Array) });
  });

  test('a sum that does not fit is one difference, unless a later pass finds better', () => {
    const sources = [order('a', '10.00', 'p'), order('b', '20.00', 'p')];
    expect(run(sources, [euro('p', '31.00')], rules()).said).toEqual([['mismatched', ['a', 'b'], ['p']]]);
    const later = { passes: [...rules().passes, { name: 'two', match: [{ field: 'amount', type: 'amount' }] }] };
    expect(run(sources, [euro('p', '20.00')], later).said).toEqual([
      ['missing_in_target', ['a'], []],
      ['matched', ['b'], ['p']],
    ]);
  });

  test('the mirror image: one order paid in several parts', () => {
    const parts = pass([{ source: 'reference', target: 'order', type: 'exact' }], { cardinality: 'one-to-many' });
    const { results, said } = run([euro('o', '30.00')], [euro('x', '10.00', { order: 'o' }), euro('y', '20.00', { order: 'o' })], parts);
    expect(said).toEqual([['matched', ['o'], ['x', 'y']]]);
    expect(results[0]?.cardinality).toBe('one-to-many');
  });

  test('many to many compares what both sides come to; several on the side of the one are a question', () => {
    const both = [order('a', '10.00', 'p'), order('b', '20.00', 'p')];
    const halves = [euro('x', '15.00', { reference: 'p' }), euro('y', '15.00', { reference: 'p' })];
    expect(run(both, halves, pass(keyed, { cardinality: 'many-to-many' })).said).toEqual([['matched', ['a', 'b'], ['x', 'y']]]);
    expect(run(both, halves, rules()).said).toEqual([['ambiguous', ['a', 'b'], ['x', 'y']]]);
  });
});

describe('groups by search', () => {
  const rules = (more = {}) =>
    pass(
      [
        { field: 'currency', type: 'exact' },
        { field: 'date', type: 'date', within: { after: 5 } },
      ],
      { cardinality: 'many-to-one', search: { maxGroupSize: 5 }, ...more },
    );
  const on = (id: string, amount: string, day: number) => euro(id, amount, { date: `2026-04-${String(day).padStart(2, '0')}` });

  test('the one subset that fits is taken', () => {
    const orders = [on('a', '10.00', 1), on('b', '21.00', 1), on('c', '32.00', 2), on('d', '43.00', 2)];
    expect(run(orders, [on('p', '53.00', 3)], rules()).said).toEqual([
      ['missing_in_target', ['a'], []],
      ['missing_in_target', ['d'], []],
      ['matched', ['b', 'c'], ['p']],
    ]);
  });

  test('two subsets that fit are a question and never a guess', () => {
    const orders = [on('a', '10.00', 1), on('b', '99.00', 1), on('c', '20.00', 2), on('d', '98.00', 2), on('e', '10.00', 3)];
    const { results } = run(orders, [on('p', '30.00', 4)], rules());
    expect(results.filter(({ outcome }) => outcome === 'ambiguous')).toHaveLength(1);
    expect(results.some(({ outcome }) => outcome === 'matched')).toBe(false);
  });

  test('records that two others lay claim to go to neither', () => {
    const orders = [on('a', '10.00', 1), on('b', '20.00', 2)];
    const { said } = run(orders, [on('p', '30.00', 3), on('q', '30.00', 3)], rules());
    expect(said).toEqual([['ambiguous', ['a', 'b'], ['p', 'q']]]);
  });
});
