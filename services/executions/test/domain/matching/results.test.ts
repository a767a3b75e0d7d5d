import { rules as rulesSchema } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { dayOf } from '../../../src/domain/matching/day.ts';
import { type Given, reconcile } from '../../../src/domain/matching/reconcile.ts';
import { createCollector } from '../../../src/domain/matching/results/collector.ts';
import { matchRateOf } from '../../../src/domain/matching/results/summary.ts';
import { asOf, batchOf, euro, pass, run } from './records.ts';

const byReference = pass([{ field: 'reference', type: 'exact' }]);

describe('the order of results', () => {
  test('is by what needs a person: differences and questions first, what is settled last', () => {
    const rules = {
      passes: [
        {
          name: 'by reference',
          match: [
            { field: 'reference', type: 'exact' },
            { field: 'amount', type: 'amount', verify: true },
          ],
        },
        { name: 'by note', match: [{ field: 'note', type: 'exact' }] },
      ],
      conflictResolution: 'manual-review',
      duplicates: { by: ['note'], action: 'flag' },
    };
    const source = [
      euro('matched', '1.00', { reference: 'a' }),
      euro('invalid', '1.001'),
      euro('missing', '1.00', { note: 'd' }),
      euro('repeats', '1.00', { note: 'd' }),
      euro('unclear', '1.00', { note: 'n' }),
      euro('differs', '1.00', { reference: 'b' }),
    ];
    const target = [
      euro('t1', '1.00', { reference: 'a' }),
      euro('t2', '1.10', { reference: 'b' }),
      euro('t3', '1.00', { note: 'n' }),
      euro('t4', '1.00', { note: 'n' }),
      euro('alone', '1.00', { note: 'z' }),
    ];
    expect(run(source, target, rules).said).toEqual([
      ['mismatched', ['differs'], ['t2']],
      ['ambiguous', ['unclear'], ['t3', 't4']],
      ['missing_in_target', ['missing'], []],
      ['missing_in_source', [], ['alone']],
      ['duplicate', ['repeats'], []],
      ['invalid', ['invalid'], []],
      ['matched', ['matched'], ['t1']],
    ]);
  });

  test('is, within an outcome, by side, then by day, then by amount, what has none first, and then by id', () => {
    const record = fc.record({
      id: fc.nat(60),
      isInvalid: fc.boolean(),
      date: fc.constantFrom(undefined, '0100-01-01', '1969-12-31', '1970-01-01', '2026-04-01', '9999-12-31'),
    });
    const close = fc.constantFrom(undefined, -3, -1, 0, 1, 2);
    const far = fc.oneof(
      close,
      fc.constantFrom(-(2 ** 49), -(2 ** 49) - 1, -(2 ** 32), 2 ** 32 - 4, 2 ** 32, 2 ** 32 + 1, 2 ** 49, 2 ** 49 + 1),
    );
    const sides = fc
      .constantFrom(close, far)
      .chain((units) => fc.array(fc.tuple(record, units), { maxLength: 20 }))
      .map((records) => {
        const all = [...new Map(records.map(([one, units]) => [one.id, { ...one, id: `r${one.id + 10}`, units }])).values()];
        return [all.filter((_, index) => index % 2 === 0), all.filter((_, index) => index % 2 === 1)] as const;
      });
    type Known = Parameters<Parameters<typeof sides.map>[0]>[0][0][number];
    const rowOf = ({ id, isInvalid, date, units }: Known) => {
      const fields: Fields = {
        id,
        reference: id,
        ...(date === undefined ? {} : { date }),
        ...(units === undefined ? {} : { amount: String(units), currency: 'JPY' }),
      };
      return isInvalid ? { line: 1, invalid: { reason: 'it is' }, partial: fields } : fields;
    };
    const day = ({ date }: Known): number => (date === undefined ? -1e9 : (dayOf(date) as number));
    const amount = ({ units }: Known): number => units ?? Number.NEGATIVE_INFINITY;
    fc.assert(
      fc.property(sides, ([source, target]) => {
        const expected = [
          ...source.map((one) => ({ one, need: one.isInvalid ? 2 : 0 })),
          ...target.map((one) => ({ one, need: one.isInvalid ? 3 : 1 })),
        ].sort(
          ({ one: a, need }, { one: b, need: needOfB }) =>
            need - needOfB || day(a) - day(b) || (amount(a) === amount(b) ? 0 : amount(a) < amount(b) ? -1 : 1) || (a.id < b.id ? -1 : 1),
        );
        const { said } = run(source.map(rowOf), target.map(rowOf), byReference);
        expect(said.flatMap(([, ours, theirs]) => [...(ours as string[]), ...(theirs as string[])])).toEqual(
          expected.map(({ one }) => one.id),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is, where the first records say the same, by their counterparts, and then by how many there are', () => {
    const same = { amount: '1.00', currency: 'EUR', reference: 'r' };
    const batches = {
      source: batchOf(
        Array.from({ length: 6 }, () => same),
        false,
      ),
      target: batchOf(
        ['b', 'a', 'c', 'c', 'c'].map((note) => ({ ...same, note })),
        false,
      ),
    };
    const given: Given[] = [
      { source: [0], target: [0] },
      { source: [1], target: [1] },
      { source: [2], target: [2, 3] },
      { source: [3], target: [4] },
      { source: [4, 5], target: [] },
    ];
    const { at } = reconcile({ ...batches, rules: rulesSchema.parse(byReference), asOf, given });
    expect(given.map((_, place) => at(place).source)).toEqual([[1], [0], [3], [2], [4, 5]]);
  });

  test('of records that say the same is that of the input', () => {
    const same = { amount: '1.00', currency: 'EUR', reference: 'r' };
    const lines = [5, 2, 9, 3, 8].map((line) => ({ line, record: same }));
    expect(run(lines, [], byReference, false).results.map(({ line }) => line)).toEqual([5, 2, 9, 3, 8]);
  });
});

describe('a result', () => {
  const rules = {
    passes: [
      {
        name: 'one',
        match: [
          { field: 'reference', type: 'exact' },
          { field: 'amount', type: 'amount', tolerance: { absolute: '3.00' }, verify: true },
          { field: 'date', type: 'date', within: { after: 2 }, verify: true },
          { field: 'note', type: 'exact', verify: true },
        ],
      },
      { name: 'two', match: [{ field: 'other', type: 'exact' }] },
    ],
  };
  const nothing = { pass: null, cardinality: null, score: null, margin: null, delta: null, category: null, reason: null, line: null };
  const pairOf = (source: Fields, target: Fields, own: unknown = rules) =>
    run([euro('a', '10.00', { note: 'n', ...source })], [euro('a', '10.00', { note: 'n', ...target })], own).results[0];

  test('of a pair says by which pass, how well, and each condition with both values', () => {
    const result = pairOf({}, { amount: '11.00', date: '2026-04-02' });
    expect(result).toEqual({
      ...nothing,
      outcome: 'matched',
      pass: 'one',
      cardinality: 'one-to-one',
      score: 0.791667,
      margin: 0.791667,
      delta: { amount: '1.00', days: 1 },
      conditions: [
        { field: 'reference', type: 'exact', source: 'a', target: 'a', score: 1, passed: true },
        { field: 'amount', type: 'amount', source: '10.00', target: '11.00', delta: '1.00', score: 0.666667, passed: true },
        { field: 'date', type: 'date', source: '2026-04-01', target: '2026-04-02', delta: 1, score: 0.5, passed: true },
        { field: 'note', type: 'exact', source: 'n', target: 'n', score: 1, passed: true },
      ],
      source: [0],
      target: [0],
    });
    expect([result?.dueOn, result?.runnerUp, result?.given]).toEqual([undefined, undefined, undefined]);
  });

  test('of a single record says where it stood, and nothing that only a pair has', () => {
    const { results } = run([euro('a', '1.00'), euro('b', '1.005')], [{ line: 7, record: euro('c', '1.00') }], rules);
    const alone = { ...nothing, conditions: [], source: [], target: [] };
    expect(results).toEqual([
      { ...alone, outcome: 'missing_in_target', line: 2, source: [0] },
      { ...alone, outcome: 'missing_in_source', line: 7, target: [0] },
      { ...alone, outcome: 'invalid', line: 3, source: [1], reason: 'the amount 1.005 has more digits than EUR has' },
    ]);
  });

  test('of a match by hand says which it is, and how many met how many', () => {
    const batches = { source: batchOf([euro('a', '1.00')]), target: batchOf([euro('x', '1.00'), euro('y', '2.00')]) };
    const given = [{ source: [0], target: [1, 0] }];
    expect(reconcile({ ...batches, rules: rulesSchema.parse(rules), asOf, given }).at(0)).toEqual({
      ...nothing,
      outcome: 'matched',
      cardinality: 'one-to-many',
      conditions: [],
      source: [0],
      target: [0, 1],
      given: 0,
    });
  });

  test.each([
    [{}, { amount: '20.00', date: '2026-04-30', note: 'm' }, 'amount_mismatch'],
    [{}, { date: '2026-04-30', note: 'm' }, 'date_mismatch'],
    [{}, { note: 'm' }, 'field_mismatch'],
    [{ date: undefined }, {}, 'date_mismatch'],
  ] as const)('of a pair that differs as %j and %j do is called by what counts most: %s', (source, target, category) => {
    expect(pairOf(source, target)).toMatchObject({ outcome: 'mismatched', category });
  });

  test('of a pair without an amount or a date says no difference in it', () => {
    expect(pairOf({ amount: undefined, date: undefined }, {})).toMatchObject({
      outcome: 'mismatched',
      category: 'amount_mismatch',
      delta: { amount: null, days: null },
    });
  });

  test('is a matter of the fee as soon as an amount with a fee fails', () => {
    const amounts = [
      { field: 'reference', type: 'exact' },
      { field: 'gross', type: 'amount', verify: true },
      { field: 'amount', type: 'amount', fee: { fixed: '0.30' }, verify: true },
    ];
    const categoryOf = (source: Fields, target: Fields) => pairOf(source, target, pass(amounts))?.category;
    expect(categoryOf({ gross: '1.00' }, { gross: '2.00' })).toBe('fee_mismatch');
    expect(categoryOf({ gross: '1.00' }, { gross: '2.00', amount: '9.70' })).toBe('amount_mismatch');
    expect(categoryOf({ gross: '1.00' }, { gross: '1.00' })).toBe('fee_mismatch');
  });

  test('has every record once', () => {
    const { alone, pair, isOpen } = createCollector(batchOf([euro('a', '1.00')]), batchOf([euro('x', '1.00')]));
    alone('missing_in_source', 'target', 0);
    expect(() => pair({ outcome: 'matched', pass: 0, source: 0, target: 0, score: 1, margin: 1 })).toThrow(
      'the target record in row 0 would be in two results',
    );
    expect(isOpen('target', 0)).toBe(false);
  });
});

describe('the summary', () => {
  const of = (source: readonly Fields[], target: readonly Fields[], rules: unknown = byReference) => run(source, target, rules).summary;

  test('counts results and money by currency, and says one amount for all only where there is one currency', () => {
    const yen = { currency: 'JPY' };
    const source = [euro('a', '1.00'), euro('b', '2.50'), euro('c', '700', yen), { id: 'd', reference: 'd' }, { id: 'e', reference: 'e' }];
    const target = [euro('c', '700', yen), euro('a', '1.00'), euro('d', '-4.00'), euro('z', '5', yen), { id: 'y', reference: 'y' }];
    const none = { matched: 0, mismatched: 0, missingInTarget: 0, missingInSource: 0, duplicates: 0, ambiguous: 0, invalid: 0 };
    expect(of(source, target)).toEqual({
      ...none,
      source: { records: 5, amount: null },
      target: { records: 5, amount: null },
      matched: 3,
      missingInTarget: 2,
      missingInSource: 2,
      matchRate: 0.6,
      byCurrency: {
        EUR: { ...none, source: { records: 2, amount: '3.50' }, target: { records: 2, amount: '-3.00' }, matched: 2, missingInTarget: 1 },
        JPY: { ...none, source: { records: 1, amount: '700' }, target: { records: 2, amount: '705' }, matched: 1, missingInSource: 1 },
      },
    });
    expect(Object.keys(of(source, target).byCurrency)).toEqual(['EUR', 'JPY']);
    expect(of([euro('a', '1.00')], []).byCurrency).toMatchObject({ EUR: { target: { records: 0, amount: '0.00' } } });
    expect(of([euro('a', '1.00'), { id: 'd' }], [])).toMatchObject({ source: { records: 2, amount: '1.00' }, target: { amount: null } });
  });

  test('the match rate is of source records, those in groups too, to four digits', () => {
    const grouped = pass([{ source: 'payout', target: 'reference', type: 'exact' }], { cardinality: 'many-to-one' });
    const order = (id: string, payout: string) => euro(id, '1.00', { payout });
    expect(of(['a', 'b'].map((id) => order(id, 'p')).concat(order('c', 'q')), [euro('p', '2.00')], grouped).matchRate).toBe(0.6667);
    // A group that does not fit, and a group on the side of the target, are not records of the source that matched.
    expect(
      of(
        ['a', 'b'].map((id) => order(id, 'p')),
        [euro('p', '3.00')],
        grouped,
      ),
    ).toMatchObject({ mismatched: 1, matchRate: 0 });
    const parts = pass([{ field: 'reference', type: 'exact' }], { cardinality: 'one-to-many' });
    const halves = ['x', 'y'].map((id) => euro(id, '1.00', { reference: 'o' }));
    expect(of([euro('o', '2.00'), euro('p', '2.00')], halves, parts)).toMatchObject({ matched: 1, matchRate: 0.5 });
    expect(of([], halves).matchRate).toBe(0);
  });
});

describe('a pair of two currencies', () => {
  const rulesWith = (fx: object) =>
    pass([
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount', fx, verify: true },
    ]);
  const toldOf = (source: Fields, target: Fields, fx: object = { field: 'rate' }) => {
    const [result] = run([{ ...source, reference: 'a' }], [{ ...target, reference: 'a' }], rulesWith(fx)).results;
    const { delta, reason, category, outcome, conditions } = result ?? {};
    return { outcome, category, reason, delta: delta?.amount, ...conditions?.[1] };
  };
  const dollars = (amount: string) => euro('t', amount, { currency: 'USD' });

  test('tells the rate, what the source is by it, and by how much the target differs, in its own currency', () => {
    expect(toldOf(euro('s', '100.00', { rate: '1.0835' }), dollars('108.00'))).toMatchObject({
      ...{ outcome: 'mismatched', category: 'amount_mismatch', reason: null },
      ...{ source: '100.00', target: '108.00', rate: '1.0835', converted: '108.35', delta: '-0.35' },
    });
    expect(toldOf(euro('s', '10.01'), euro('t', '1627', { currency: 'JPY' }), { table: { 'EUR/JPY': '162.5' } })).toMatchObject({
      ...{ outcome: 'matched', rate: '162.5', converted: '1627', delta: '0' },
    });
    expect(toldOf(euro('s', '1.00'), euro('t', '1.50'), { table: { 'EUR/USD': '2' } })).toMatchObject({ converted: '1.00', delta: '0.50' });
  });

  test.each([
    [{ rate: 'abc' }, undefined, 'rate is no rate: "abc"'],
    [{ rate: '0.000' }, undefined, 'rate is no rate: "0.000"'],
    [{}, undefined, 'the source has no rate for EUR/USD'],
    [{}, { table: { 'USD/EUR': '0.9' } }, 'the rules have no rate for EUR/USD'],
    [{ rate: '999999999999' }, undefined, 'at 999999999999 the amount is too large to be exact'],
  ])('says why two amounts that look alike are not held against each other: %j', (more, fx, reason) => {
    const told = toldOf(euro('s', '99999.00', more), dollars('99999.00'), fx);
    expect(told).toMatchObject({ outcome: 'mismatched', category: 'amount_mismatch', reason, passed: false });
    expect(told).not.toHaveProperty('converted');
  });
});

describe('a match rate', () => {
  test.each([
    [0, 0, 0],
    [0, 30_000, 0],
    [1, 30_000, 0.0001],
    [1, 3, 0.3333],
    [2, 3, 0.6667],
    [29_999, 30_000, 0.9999],
    [999_999, 1_000_000, 0.9999],
    [30_000, 30_000, 1],
  ])('of %i in %i is %d, and all or nothing only where it is that', (matched, records, rate) => {
    expect(matchRateOf(matched, records)).toBe(rate);
  });
});
