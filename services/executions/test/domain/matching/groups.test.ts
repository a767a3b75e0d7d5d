import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
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

  test('sums beyond what a double can hold are exact to the last unit', () => {
    const exact = (sources: readonly string[], targets: readonly string[], cardinality: string) =>
      run(
        sources.map((amount, index) => order(`s${index}`, amount, 'p')),
        targets.map((amount, index) => euro(`t${index}`, amount, { reference: 'p' })),
        pass(keyed, { cardinality }),
      ).results[0];
    const large = '90071992547409.91';
    expect(exact([large, '0.02'], [large, '0.01'], 'many-to-many')).toMatchObject({
      outcome: 'mismatched',
      delta: { amount: '-0.01' },
      conditions: [{ passed: true }, { source: '90071992547409.93', target: '90071992547409.92', passed: false }],
    });
    expect(exact([large, '0.02', '-0.02'], [large], 'many-to-one')).toMatchObject({ outcome: 'matched', delta: { amount: '0.00' } });
    expect(exact([large, '90071992547409.90'], [large, large], 'many-to-many')?.delta?.amount).toBe('0.01');
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
  test('records without amounts are grouped by the key alone, unless their sum is asked for', () => {
    const bare = (id: string, more: object) => ({ id, currency: 'EUR', ...more });
    const sources = [bare('a', { payoutId: 'p' }), bare('b', { payoutId: 'p' })];
    const target = [bare('x', { reference: 'p' })];
    const [alone] = run(sources, target, pass(keyed, { cardinality: 'many-to-one' })).results;
    expect(alone).toMatchObject({ outcome: 'matched', score: 1, delta: { amount: null }, reason: null });
    expect(alone?.conditions.at(-1)).toEqual({ field: 'amount', type: 'sum', source: null, target: null, score: 1, passed: true });
    const [asked] = run(sources, target, rules()).results;
    expect(asked).toMatchObject({ outcome: 'mismatched', category: 'amount_mismatch', reason: 'a record of the group has no amount' });
    expect(asked?.conditions.at(-1)).toMatchObject({ score: 0, passed: false });
    const one = run([order('a', '1.00', 'p'), ...sources.slice(1)], target, pass(keyed, { cardinality: 'many-to-one' }));
    expect(one.results[0]).toMatchObject({ outcome: 'mismatched', reason: 'a record of the group has no amount' });
    const [paid] = run(sources, [euro('x', '5.00', { reference: 'p' })], rules()).results;
    expect(paid).toMatchObject({ outcome: 'mismatched', delta: { amount: null }, reason: 'a record of the group has no amount' });
  });

  test('the score is the mean of the pairs, and no better than that of the sum', () => {
    const dated = pass([...keyed, { field: 'date', type: 'date', within: { after: 4 } }], {
      cardinality: 'many-to-one',
      sum: { tolerance: { absolute: '1' } },
    });
    const sources = [order('a', '10.00', 'p'), euro('b', '20.00', { payoutId: 'p', date: '2026-04-03' })];
    const scoreOf = (amount: string) => run(sources, [euro('p', amount, { date: '2026-04-03' })], dated).results[0]?.score;
    // Pairs of 1 and of 0.75 by their keys and dates.
    expect(scoreOf('30.00')).toBe(0.875);
    expect(scoreOf('30.10')).toBe(0.875);
    expect(scoreOf('29.50')).toBe(0.5);
    expect(scoreOf('31.00')).toBe(0);
    expect(scoreOf('40.00')).toBe(0.875);
  });

  test('limits below and above are of what the sources come to, in the digits of their currency', () => {
    const within = (tolerance: object, currency: string, orders: readonly string[], payout: string) =>
      run(
        orders.map((amount, index) => euro(`o${index}`, amount, { payoutId: 'p', currency })),
        [euro('p', payout, { currency })],
        rules({ sum: { tolerance } }),
      ).results[0]?.outcome;
    const limits = { below: { percent: '2' }, above: { absolute: '0.5' } };
    expect(within(limits, 'EUR', ['60.00', '40.00'], '98.00')).toBe('matched');
    expect(within(limits, 'EUR', ['60.00', '40.00'], '97.99')).toBe('mismatched');
    expect(within(limits, 'EUR', ['60.00', '40.00'], '100.50')).toBe('matched');
    expect(within(limits, 'EUR', ['60.00', '40.00'], '100.51')).toBe('mismatched');
    expect(within(limits, 'EUR', ['-60.00', '-40.00'], '-102.00')).toBe('matched');
    expect(within(limits, 'KWD', ['60.000', '40.000'], '100.500')).toBe('matched');
    expect(within(limits, 'JPY', ['60', '40'], '101')).toBe('mismatched');
  });

  test('what is to be verified and differs makes a difference of the whole group, whatever its sum', () => {
    const verified = pass([...keyed, { field: 'note', type: 'exact', verify: true }], { cardinality: 'many-to-one' });
    const sources = [euro('a', '10.00', { payoutId: 'p', note: 'n' }), euro('b', '20.00', { payoutId: 'p', note: 'm' })];
    expect(run(sources, [euro('p', '30.00', { note: 'n' })], verified).results[0]).toMatchObject({
      outcome: 'mismatched',
      category: 'field_mismatch',
      cardinality: 'many-to-one',
    });
    const charged = pass(keyed, { cardinality: 'many-to-one', sum: { fee: { percent: '10' } } });
    expect(run(sources, [euro('p', '26.00')], charged).results[0]).toMatchObject({
      category: 'fee_mismatch',
      delta: { amount: '-4.00', fromExpected: '-1.00' },
    });
    const late = pass([...keyed, { field: 'date', type: 'date', within: { after: 2 }, verify: true }], { cardinality: 'many-to-one' });
    const dated = sources.map((record) => ({ ...record, date: '2026-04-01' }));
    expect(run(dated, [euro('p', '30.00', { date: '2026-04-20' })], late).results[0]).toMatchObject({
      outcome: 'mismatched',
      category: 'date_mismatch',
    });
    expect(run(dated, [euro('p', '31.00', { date: '2026-04-20' })], late).results[0]).toMatchObject({ category: 'amount_mismatch' });
  });

  test('of each condition a group tells the pair that is furthest apart of those that it is made of', () => {
    const dated = pass([...keyed, { field: 'date', type: 'date', within: { before: 2, after: 2 } }], { cardinality: 'many-to-many' });
    const on = (id: string, day: number, more: object) => euro(id, '15.00', { date: `2026-04-0${day}`, ...more });
    // The first of both sides are six days apart, and belong together only through the others.
    const sources = [on('a', 1, { payoutId: 'p' }), on('b', 5, { payoutId: 'p' })];
    const targets = [on('x', 7, { reference: 'p' }), on('y', 3, { reference: 'p' })];
    const [result] = run(sources, targets, dated).results;
    expect(result).toMatchObject({ outcome: 'matched', source: [0, 1], target: [0, 1] });
    expect(result?.conditions[1]).toMatchObject({ source: '2026-04-01', target: '2026-04-03', delta: 2, score: 0, passed: true });
    const near = run([on('a', 1, { payoutId: 'p' }), on('b', 2, { payoutId: 'p' })], [on('x', 3, { reference: 'p' })], dated);
    expect(near.results[0]?.conditions[1]).toMatchObject({ source: '2026-04-01', delta: 2 });
    const noted = pass([...keyed, { field: 'note', type: 'exact', verify: true }], { cardinality: 'many-to-one' });
    const notes = ['n', 'm', 'n'].map((note, index) => euro(`o${index}`, '10.00', { payoutId: 'p', note }));
    expect(run(notes, [euro('p', '30.00', { note: 'n' })], noted).results[0]?.conditions[1]).toMatchObject({ source: 'm', passed: false });
  });

  test('of pairs that are equally far apart the first by id is told, whatever the order of the input', () => {
    const dated = pass([...keyed, { field: 'date', type: 'date', within: { before: 4, after: 4 } }], { cardinality: 'many-to-many' });
    const sources = [euro('b', '2.00', { payoutId: 'p', date: '2026-04-02' }), euro('a', '1.00', { payoutId: 'p', date: '2026-04-04' })];
    const targets = [
      euro('y', '2.00', { reference: 'p', date: '2026-04-04' }),
      euro('x', '1.00', { reference: 'p', date: '2026-04-02', note: 'n' }),
    ];
    for (const [ours, theirs] of [
      [sources, targets],
      [sources.toReversed(), targets.toReversed()],
    ] as const) {
      const [result] = run(ours, theirs, dated).results;
      expect(result?.conditions[0]).toMatchObject({ field: 'payoutId', passed: true });
      expect(result?.conditions[1]).toMatchObject({ source: '2026-04-04', target: '2026-04-02', delta: -2 });
    }
  });

  test('of a difference is told what no later pass took', () => {
    const later = { passes: [...rules().passes, { name: 'two', match: [{ field: 'note', type: 'exact' }] }] };
    const sources = [order('a', '10.00', 'p'), euro('b', '20.00', { payoutId: 'p', note: 'n' })];
    const { results, said } = run(sources, [euro('p', '31.00'), euro('x', '5.00', { note: 'n' })], later);
    expect(said).toEqual([
      ['mismatched', ['a'], ['p']],
      ['matched', ['b'], ['x']],
    ]);
    expect(results[0]).toMatchObject({ cardinality: 'one-to-one', delta: { amount: '21.00' } });
  });

  describe('what later passes have left of a group is judged anew', () => {
    const thenBy = (rule: { passes: readonly object[] }, match: readonly object[]) => ({
      passes: [...rule.passes, { name: 'then', match }],
    });
    const noted = [{ field: 'note', type: 'exact' }];

    test('and matched in its own pass where it fits by now', () => {
      const sources = [order('a', '10.00', 'p'), order('b', '20.00', 'p'), euro('c', '99.00', { payoutId: 'p', note: 'n' })];
      const { results, said } = run(sources, [euro('p', '30.04'), euro('x', '99.00', { note: 'n' })], thenBy(rules(), noted));
      expect(said).toEqual([
        ['matched', ['a', 'b'], ['p']],
        ['matched', ['c'], ['x']],
      ]);
      expect(results[0]).toMatchObject({ pass: 'one', score: 0.2, category: null, delta: { amount: '0.04' } });
    });

    test('also where the record that differed in what is to be verified is gone', () => {
      const verified = pass([...keyed, { field: 'kind', type: 'exact', verify: true }], { cardinality: 'many-to-one' });
      const sources = [euro('a', '10.00', { payoutId: 'p', kind: 'k' }), euro('b', '20.00', { payoutId: 'p', kind: 'l', note: 'n' })];
      const { results, said } = run(
        sources,
        [euro('p', '10.00', { kind: 'k' }), euro('x', '5.00', { note: 'n' })],
        thenBy(verified, noted),
      );
      expect(said).toEqual([
        ['matched', ['a'], ['p']],
        ['matched', ['b'], ['x']],
      ]);
      expect(results[0]).toMatchObject({ score: 1, conditions: [{ passed: true }, { passed: true }, { passed: true }] });
    });

    test('as several groups where only what is gone held them together', () => {
      const dated = pass([...keyed, { field: 'date', type: 'date', within: { before: 1, after: 1 } }], { cardinality: 'many-to-many' });
      const on = (id: string, amount: string, day: number, more: object) => euro(id, amount, { date: `2026-04-0${day}`, ...more });
      const sources = [on('a', '10.00', 1, { payoutId: 'p' }), on('b', '20.00', 3, { payoutId: 'p' })];
      const targets = [
        on('x', '10.00', 1, { reference: 'p' }),
        on('y', '7.00', 2, { reference: 'p', order: 'z' }),
        on('z', '21.00', 4, { reference: 'p' }),
      ];
      const byOrder = thenBy(dated, [{ source: 'reference', target: 'order', type: 'exact' }]);
      const { results, said } = run([...sources, euro('z', '7.00')], targets, byOrder);
      expect(said).toEqual([
        ['mismatched', ['b'], ['z']],
        ['matched', ['z'], ['y']],
        ['matched', ['a'], ['x']],
      ]);
      expect(results[0]).toMatchObject({ category: 'amount_mismatch', delta: { amount: '1.00' } });
    });

    test('before anything is fixed as a difference', () => {
      const before = {
        name: 'zero',
        match: [
          { field: 'reference', type: 'exact' },
          { field: 'amount', type: 'amount', verify: true },
        ],
      };
      const sources = [
        euro('a', '10.00', { payoutId: 'p', reference: 'q' }),
        order('b', '20.00', 'p'),
        euro('c', '99.00', { payoutId: 'p', note: 'n' }),
      ];
      const targets = [euro('p', '30.00'), euro('q', '11.00'), euro('x', '99.00', { note: 'n' })];
      const all = thenBy(rules(), noted);
      expect(run(sources, targets, { passes: [before, ...all.passes] }).said).toEqual([
        ['missing_in_source', [], ['q']],
        ['matched', ['a', 'b'], ['p']],
        ['matched', ['c'], ['x']],
      ]);
    });

    test('and of what an earlier difference has left, too', () => {
      const before = {
        name: 'zero',
        match: [
          { field: 'reference', type: 'exact' },
          { field: 'amount', type: 'amount', verify: true },
        ],
      };
      const sources = [order('a', '10.00', 'p'), order('b', '20.00', 'p'), euro('c', '99.00', { payoutId: 'p', reference: 'q' })];
      const { said } = run(sources, [euro('p', '30.00'), euro('q', '98.00')], { passes: [before, ...rules().passes] });
      expect(said).toEqual([
        ['mismatched', ['c'], ['q']],
        ['matched', ['a', 'b'], ['p']],
      ]);
    });
  });

  test('several records on the side of the one are asked about by the name of that side', () => {
    const reasonOf = (cardinality: string, count: number) =>
      run(
        Array.from({ length: count }, (_, index) => order(`o${index}`, '10.00', 'p')),
        Array.from({ length: 3 - count }, (_, index) => euro(`t${index}`, '10.00', { reference: 'p' })),
        pass(keyed, { cardinality }),
      ).results[0]?.reason;
    expect(reasonOf('one-to-many', 2)).toBe('several source records share the key');
    expect(reasonOf('many-to-one', 1)).toBe('several target records share the key');
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

  test('records that claim each other through several hands are one question', () => {
    const orders = [on('a', '10.00', 1), on('b', '20.00', 2), on('c', '41.00', 3), on('x', '7.00', 1)];
    const payouts = [on('p', '30.00', 4), on('q', '61.00', 4), on('r', '7.00', 4)];
    const { results, said } = run(orders, payouts, rules());
    expect(said).toEqual([
      ['ambiguous', ['a', 'b', 'c'], ['p', 'q']],
      ['matched', ['x'], ['r']],
    ]);
    expect(results[0]?.reason).toBe('several groups of records fit equally well');
  });

  test('what is taken may leave a single answer to another record', () => {
    const orders = [on('a', '10.00', 1), on('b', '20.00', 1), on('c', '30.00', 6)];
    const payouts = [on('p', '30.00', 6), on('q', '30.00', 11)];
    const { said, results } = run(orders, payouts, rules());
    expect(said).toEqual([
      ['matched', ['a', 'b'], ['p']],
      ['matched', ['c'], ['q']],
    ]);
    expect(results.map(({ score, cardinality }) => [score, cardinality])).toEqual([
      [1, 'many-to-one'],
      [1, 'one-to-one'],
    ]);
  });

  test('the only run of consecutive records is taken, by date and then by id, whatever the order of the input', () => {
    const orders = [on('c', '30.00', 2), on('e', '40.00', 3), on('b', '20.00', 2), on('d', '5.00', 3), on('a', '10.00', 1)];
    expect(run(orders, [on('p', '50.00', 4)], rules()).said).toContainEqual(['matched', ['b', 'c'], ['p']]);
    expect(run(orders.toReversed(), [on('p', '50.00', 4)], rules()).said).toContainEqual(['matched', ['b', 'c'], ['p']]);
    // Without a date nobody knows what it comes after.
    const { date: _, ...undated } = on('f', '7.00', 1);
    const anyDay = pass([{ field: 'kind', type: 'exact' }], { cardinality: 'many-to-one', search: {} });
    const kind = { kind: 'k' };
    const some = [undated, on('b', '40.00', 2), on('a', '10.00', 1), on('c', '37.00', 3)].map((one) => ({ ...one, ...kind }));
    expect(run(some, [{ ...on('p', '47.00', 4), ...kind }], anyDay).results.map(({ outcome }) => outcome)).toContain('ambiguous');
  });

  test('a tolerance lies around the sum of the many, and a fee is taken from each source, from whichever side they are looked for', () => {
    const outcome = (cardinality: string, many: readonly string[], one: string, sum: object) => {
      const all = many.map((amount, index) => on(`m${index}`, amount, 1));
      const alone = [on('p', one, 1)];
      const own = rules({ cardinality, sum });
      return (cardinality === 'many-to-one' ? run(all, alone, own) : run(alone, all, own)).results[0]?.outcome;
    };
    const below = { tolerance: { below: { absolute: '0.10' } } };
    expect(outcome('many-to-one', ['10.00', '20.00'], '29.90', below)).toBe('matched');
    expect(outcome('many-to-one', ['10.00', '20.00'], '29.89', below)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['10.00', '20.00'], '30.01', below)).toBe('missing_in_target');
    expect(outcome('one-to-many', ['10.00', '19.90'], '30.00', below)).toBe('matched');
    expect(outcome('one-to-many', ['10.00', '19.89'], '30.00', below)).toBe('missing_in_target');
    expect(outcome('one-to-many', ['10.00', '20.01'], '30.00', below)).toBe('missing_in_target');
    const above = { tolerance: { above: { absolute: '0.10' } } };
    expect(outcome('many-to-one', ['10.00', '20.00'], '30.10', above)).toBe('matched');
    expect(outcome('many-to-one', ['10.00', '20.00'], '29.99', above)).toBe('missing_in_target');
    expect(outcome('one-to-many', ['10.00', '20.10'], '30.00', above)).toBe('matched');
    expect(outcome('one-to-many', ['10.00', '19.99'], '30.00', above)).toBe('missing_in_target');
    // A share is of what the sources come to, on whichever side they are.
    const share = { tolerance: { percent: '10' } };
    expect(outcome('one-to-many', ['10.00', '17.00'], '30.00', share)).toBe('matched');
    expect(outcome('one-to-many', ['10.00', '16.99'], '30.00', share)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['40.00', '50.90'], '100.00', share)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['40.00', '50.91'], '100.00', share)).toBe('matched');
    expect(outcome('many-to-one', ['50.00', '61.11'], '100.00', share)).toBe('matched');
    expect(outcome('many-to-one', ['50.00', '61.12'], '100.00', share)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['-50.00', '-61.11'], '-100.00', share)).toBe('matched');
    expect(outcome('many-to-one', ['-50.00', '-61.12'], '-100.00', share)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['10.00', '20.00'], '1.00', { tolerance: { percent: '100' } })).toBe('ambiguous');
    expect(outcome('many-to-one', ['10.00', '20.00'], '-1.00', { tolerance: { percent: '100' } })).toBe('missing_in_target');
    const feeAndShare = { tolerance: { percent: '1' }, fee: { percent: '10', fixed: '1.00' } };
    // 100.00 leave 88.00, of which the target may lie 1.00 away.
    expect(outcome('many-to-one', ['40.00', '60.00'], '87.00', feeAndShare)).toBe('matched');
    expect(outcome('many-to-one', ['40.00', '60.00'], '86.99', feeAndShare)).toBe('missing_in_target');
    expect(outcome('many-to-one', ['40.00', '60.00'], '89.00', feeAndShare)).toBe('matched');
    expect(outcome('many-to-one', ['40.00', '60.00'], '89.01', feeAndShare)).toBe('missing_in_target');
    const fee = { fee: { fixed: '0.30' } };
    expect(outcome('many-to-one', ['10.00', '20.00'], '29.40', fee)).toBe('matched');
    expect(outcome('one-to-many', ['10.00', '19.70'], '30.00', fee)).toBe('matched');
    expect(outcome('one-to-many', ['10.00', '20.00'], '30.00', fee)).toBe('missing_in_target');
  });

  test('a subset fits where the rules say so, wherever the tolerance lies and whatever it is a share of', () => {
    const decimal = (most: number) => fc.nat(most).map((hundredths) => (hundredths / 100).toFixed(2));
    const limit = fc.oneof(
      decimal(300).map((absolute) => ({ absolute })),
      decimal(6_000).map((percent) => ({ percent })),
      fc.nat(3_000).map((bps) => ({ bps: String(bps) })),
      fc.tuple(decimal(200), decimal(2_000)).map(([absolute, percent]) => ({ absolute, percent })),
    );
    const cents = fc.integer({ min: -300, max: 1_500 });
    const millionths = (text: string) => BigInt(Math.round(Number(text) * 1e6));
    /** Whole ten-thousandths of a millionth of a cent, so that a share is not rounded. */
    const isWithin = (off: bigint, given: bigint, { absolute = '0', percent = '0', bps = '0' }: Record<string, string | undefined>) => {
      const distance = (off < 0n ? -off : off) * 10n ** 10n;
      const magnitude = given < 0n ? -given : given;
      const bounds = [millionths(absolute) * 10n ** 6n, magnitude * millionths(percent) * 100n, magnitude * millionths(bps)];
      return bounds.some((bound) => distance <= bound);
    };
    let found = 0;
    fc.assert(
      fc.property(fc.array(cents, { minLength: 1, maxLength: 6 }), cents, limit, limit, (many, one, below, above) => {
        const sources = many.map((units, index) => on(`m${index}`, (units / 100).toFixed(2), 1));
        const rule = rules({ sum: { tolerance: { below, above } }, search: { maxGroupSize: 6 } });
        const { results } = run(sources, [on('p', (one / 100).toFixed(2), 2)], rule);
        const subsets = Array.from({ length: 2 ** many.length - 1 }, (_, bits) =>
          many.flatMap((_item, index) => (((bits + 1) >> index) & 1 ? [index] : [])),
        );
        const fitting = subsets.filter((rows) => {
          const given = BigInt(rows.reduce((sum, row) => sum + (many[row] as number), 0));
          const off = BigInt(one) - given;
          return isWithin(off, given, off < 0n ? below : above);
        });
        const runs = fitting.filter((rows) => (rows.at(-1) as number) - (rows[0] as number) === rows.length - 1);
        const certain = runs.length === 1 ? runs : fitting;
        const taken = results.filter(({ outcome }) => outcome === 'matched').map(({ source }) => source.toSorted((a, b) => a - b));
        expect(taken).toEqual(certain.length === 1 ? certain : []);
        expect(results.some(({ outcome }) => outcome === 'ambiguous')).toBe(certain.length > 1);
        found += taken.length;
      }),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(40);
  });

  test('the score is that of the sum', () => {
    const tolerant = rules({ sum: { tolerance: { absolute: '1.00' } } });
    expect(run([on('a', '10.00', 1), on('b', '20.00', 1)], [on('p', '30.25', 1)], tolerant).results[0]?.score).toBe(0.75);
  });

  test('a group is no larger than the rules allow, and nothing without an amount is in one', () => {
    const orders = [1, 2, 4, 8, 16, 32].map((euros) => on(`o${euros}`, `${euros}.00`, 1));
    const matched = (payout: Fields, more = {}) =>
      run([...orders, { id: 'none', currency: 'EUR', date: '2026-04-01' }], [payout], rules(more)).summary.matched;
    expect(matched(on('p', '62.00', 2))).toBe(1);
    expect(matched(on('p', '63.00', 2))).toBe(0);
    expect(matched(on('p', '63.00', 2), { search: { maxGroupSize: 6 } })).toBe(1);
    expect(matched({ id: 'p', currency: 'EUR', date: '2026-04-02' })).toBe(0);
  });

  test('a search that cannot be finished is a question that says so', () => {
    const amount = (index: number) => ((100_000_000 + ((Math.imul(index + 1, 2_654_435_761) >>> 0) % 900_000_000)) / 100).toFixed(2);
    const orders = Array.from({ length: 60 }, (_, index) => on(`o${index}`, amount(index), 1));
    const { results } = run(orders, [on('p', '41234567.89', 2)], rules({ search: { maxGroupSize: 12 } }));
    expect(results[0]).toMatchObject({ outcome: 'ambiguous', reason: 'budget', source: [], target: [0] });
    expect(results).toHaveLength(61);
  });
});
