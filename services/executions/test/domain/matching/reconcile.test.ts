import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { TooManyCandidates } from '../../../src/domain/matching/passes/candidates.ts';
import { reconcile } from '../../../src/domain/matching/reconcile.ts';
import { asOf, euro, pass, run } from './records.ts';

const byReference = [
  { field: 'reference', type: 'exact' },
  { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
];

describe('conditions', () => {
  test('exact and amount: equal within the tolerance, and never a cent more', () => {
    const { said } = run(
      [euro('a', '10.00'), euro('b', '10.00'), euro('c', '10.00')],
      [euro('a', '10.01'), euro('b', '10.02'), euro('c', '9.99')],
      pass(byReference),
    );
    expect(said).toEqual([
      ['missing_in_target', ['b'], []],
      ['missing_in_source', [], ['b']],
      ['matched', ['a'], ['a']],
      ['matched', ['c'], ['c']],
    ]);
  });

  test('percent and basis points are of the source, bounds are not rounded, and the larger limit counts', () => {
    const match = (tolerance: unknown) =>
      pass([
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance },
      ]);
    const outcome = (amount: string, tolerance: unknown) => run([euro('a', '99.99')], [euro('a', amount)], match(tolerance)).said[0]?.[0];
    expect(outcome('100.98', { percent: '1' })).toBe('matched');
    expect(outcome('100.99', { percent: '1' })).toBe('missing_in_target');
    expect(outcome('100.98', { bps: '100' })).toBe('matched');
    expect(outcome('101.99', { percent: '1', absolute: '2' })).toBe('matched');
    expect(outcome('99.98', { below: { absolute: '0.01' } })).toBe('matched');
    expect(outcome('100.00', { below: { absolute: '0.01' } })).toBe('missing_in_target');
  });

  test('dates: before and after, both ends included', () => {
    const match = pass([
      { field: 'reference', type: 'exact' },
      { field: 'date', type: 'date', within: { before: 1, after: 2 } },
    ]);
    const outcome = (date: string) => run([euro('a', '1.00')], [euro('a', '1.00', { date })], match).said[0]?.[0];
    expect(['2026-03-30', '2026-03-31', '2026-04-03', '2026-04-04'].map(outcome)).toEqual([
      'missing_in_target',
      'matched',
      'matched',
      'missing_in_target',
    ]);
  });

  test('transforms make two spellings one, and what is empty afterwards equals nothing', () => {
    const normalize = ['trim', 'lowercase', { stripPrefix: 'ord-' }, 'stripLeadingZeros', 'alphanumeric'];
    const rules = pass([{ field: 'reference', type: 'exact', normalize }]);
    const { said } = run(
      [euro('a', '1.00', { reference: ' ORD-0012/x' }), euro('b', '1.00', { reference: '--' })],
      [euro('c', '1.00', { reference: '12x' }), euro('d', '1.00', { reference: '..' })],
      rules,
    );
    expect(said).toEqual([
      ['missing_in_target', ['b'], []],
      ['missing_in_source', [], ['d']],
      ['matched', ['a'], ['c']],
    ]);
  });

  test('different fields, nested fields and different currencies', () => {
    const rules = pass([{ source: 'reference', target: 'metadata.order', type: 'exact' }]);
    expect(run([euro('a', '1.00')], [euro('x', '1.00', { metadata: { order: 'a' } })], rules).said).toEqual([['matched', ['a'], ['x']]]);
    expect(run([euro('a', '1.00')], [euro('x', '1.00', { currency: 'USD', metadata: { order: 'a' } })], rules).said[0]?.[0]).toBe(
      'missing_in_target',
    );
  });

  test('different currencies are no difference of a pair but no pair, and what is of none may meet any', () => {
    const verified = pass([
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount', verify: true },
    ]);
    const dollars = euro('x', '1.00', { reference: 'a', currency: 'USD' });
    expect(run([euro('a', '1.00')], [dollars], verified).said).toEqual([
      ['missing_in_target', ['a'], []],
      ['missing_in_source', [], ['x']],
    ]);
    const bare = { id: 'b', reference: 'a' };
    const found = (source: Fields, target: Fields) => run([source], [target], pass([{ field: 'reference', type: 'exact' }])).said;
    expect(found(euro('a', '1.00'), bare)).toEqual([['matched', ['a'], ['b']]]);
    expect(found(bare, dollars)).toEqual([['matched', ['b'], ['x']]]);
  });

  test('a verify condition that fails makes a mismatch, unless a later pass finds the true counterpart', () => {
    const verified = [
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount', verify: true },
      { field: 'date', type: 'date', verify: true },
    ];
    const off = run([euro('a', '10.00')], [euro('a', '11.00', { date: '2026-04-02' })], pass(verified));
    expect(off.results[0]).toMatchObject({
      outcome: 'mismatched',
      category: 'amount_mismatch',
      delta: { amount: '1.00', days: 1 },
      score: 0.333333,
    });
    const later = {
      passes: [
        { name: 'one', match: verified },
        { name: 'two', match: [{ field: 'note', type: 'exact' }] },
      ],
    };
    const { said } = run([euro('a', '10.00', { note: 'n' })], [euro('a', '11.00'), euro('b', '10.00', { note: 'n' })], later);
    expect(said).toEqual([
      ['missing_in_source', [], ['a']],
      ['matched', ['a'], ['b']],
    ]);
  });
});

describe('assignment', () => {
  const near = pass([{ field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } }]);

  test('the best total wins over the best single pair', () => {
    const { said } = run([euro('a', '10.00'), euro('b', '10.60')], [euro('x', '10.50'), euro('y', '10.90')], near);
    expect(said).toEqual([
      ['matched', ['a'], ['x']],
      ['matched', ['b'], ['y']],
    ]);
  });

  test('an exact tie is a question for a person under manual-review, and taken by the smallest ids otherwise', () => {
    const source = [euro('a', '10.00')];
    const target = [euro('x', '10.00'), euro('y', '10.00')];
    expect(run(source, target, { ...near, conflictResolution: 'manual-review' }).said).toEqual([['ambiguous', ['a'], ['x', 'y']]]);
    expect(run(source, target, near).said).toContainEqual(['matched', ['a'], ['x']]);
    const dated = [euro('x', '10.00', { date: '2026-04-03' }), euro('y', '10.00', { date: '2026-04-02' })];
    expect(run(source, dated, { ...near, conflictResolution: 'first-wins' }).said).toContainEqual(['matched', ['a'], ['y']]);
    expect(run(source, dated, { ...near, conflictResolution: 'last-wins' }).said).toContainEqual(['matched', ['a'], ['x']]);
  });

  test('who has no date wins no tie by date, the first nor the last', () => {
    const undated = { id: 'w', amount: '10.00', currency: 'EUR' };
    const target = [undated, euro('x', '10.00', { date: '2026-04-03' })];
    for (const conflictResolution of ['first-wins', 'last-wins'])
      expect(run([euro('a', '10.00')], target, { ...near, conflictResolution }).said, conflictResolution).toContainEqual([
        'matched',
        ['a'],
        ['x'],
      ]);
    expect(run([euro('a', '10.00')], target, near).said).toContainEqual(['matched', ['a'], ['w']]);
  });

  test('a margin says what forbidding the pair would cost and who comes next; below the least it is remarked on, or a question', () => {
    const [source, target] = [
      [euro('a', '10.00'), euro('b', '50.00')],
      [euro('x', '10.10'), euro('y', '10.20'), euro('z', '50.00')],
    ];
    const { results } = run(source, target, near);
    expect(results.slice(1)).toMatchObject([
      { score: 0.9, margin: 0.1, runnerUp: { source: 0, target: 1, score: 0.8 }, reason: null },
      { score: 1, margin: 1, reason: null },
    ]);
    expect(results[2]?.runnerUp).toBeUndefined();
    const outcomes = (more: object) => run(source, target, { ...near, ...more }).results.map(({ outcome, reason }) => [outcome, reason]);
    expect(outcomes({ minMargin: 0.1 })[1]).toEqual(['matched', null]);
    expect(outcomes({ minMargin: 0.2 })[1]).toEqual(['matched', 'the margin 0.1 is below 0.2']);
    expect(outcomes({ minMargin: 0.1, conflictResolution: 'manual-review' })[1]).toEqual(['matched', null]);
    expect(outcomes({ minMargin: 0.2, conflictResolution: 'manual-review' })).toEqual([
      ['ambiguous', 'several records fit equally well, or nearly so'],
      ['matched', null],
    ]);
    // Nobody else could have been meant, however little the pair scores.
    const own = { ...near, minMargin: 0.2, conflictResolution: 'manual-review' };
    expect(run([euro('a', '10.00')], [euro('x', '10.95')], own).said).toEqual([['matched', ['a'], ['x']]]);
  });

  test('each group of doubtful records is a question of its own, without those that are settled', () => {
    const own = { ...near, conflictResolution: 'manual-review' };
    const source = [euro('a', '10.00'), euro('b', '20.00'), euro('c', '20.90')];
    const target = [euro('v', '10.00'), euro('w', '10.00'), euro('x', '19.50'), euro('y', '20.50'), euro('z', '20.90')];
    expect(run(source, target, own).said).toEqual([
      ['ambiguous', ['a'], ['v', 'w']],
      ['ambiguous', ['b'], ['x', 'y']],
      ['matched', ['c'], ['z']],
    ]);
  });

  test('a score is the mean of the conditions by their weights, and a pair below the least is none', () => {
    const weighted = (more: object) =>
      pass(
        [
          { field: 'reference', type: 'exact', weight: 3 },
          { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' }, weight: 2 },
          { field: 'note', type: 'fuzzy', threshold: 0.5, similarity: 'levenshtein' },
          { field: 'date', type: 'date', within: { after: 2 }, verify: true, weight: 4 },
        ],
        more,
      );
    const found = (date: string, more = {}) =>
      run([euro('a', '10.00', { note: 'abcd' })], [euro('x', '10.50', { reference: 'a', note: 'abxx', date })], weighted(more)).results[0];
    expect(found('2026-04-02')).toMatchObject({ outcome: 'matched', score: 0.65 });
    expect(found('2026-04-02', { minScore: 0.65 })).toMatchObject({ outcome: 'matched' });
    expect(found('2026-04-02', { minScore: 0.650001 })).toMatchObject({ outcome: 'missing_in_target' });
    // What differs differs, whatever it scores.
    expect(found('2026-04-09', { minScore: 0.9 })).toMatchObject({ outcome: 'mismatched', score: 0.45, category: 'date_mismatch' });
  });

  test('a pair that two alternatives find is one candidate', () => {
    const either = {
      type: 'oneOf',
      conditions: [
        { field: 'reference', type: 'exact' },
        { field: 'note', type: 'exact' },
      ],
    };
    const { results, said } = run([euro('a', '1.00', { note: 'n' })], [euro('x', '1.00', { reference: 'a', note: 'n' })], pass([either]));
    expect(said).toEqual([['matched', ['a'], ['x']]]);
    expect(results[0]).toMatchObject({ score: 1, margin: 1 });
    expect(results[0]?.runnerUp).toBeUndefined();
  });
});

describe('records', () => {
  const rules = pass(byReference);

  test('what cannot be read, has digits its currency lacks, or has no currency is invalid with line and reason', () => {
    const { results } = run(
      [
        { line: 7, invalid: { field: 'amount', reason: 'the amount "NaN" is not a number' } },
        euro('a', '1.005'),
        euro('b', '5.5', { currency: 'JPY' }),
        { id: 'c', amount: '1.00' },
        euro('', '1.00'),
      ],
      [],
      rules,
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'invalid'));
    expect(results.map(({ line, reason }) => `${line}: ${reason}`).sort()).toEqual([
      '3: the amount 1.005 has more digits than EUR has',
      '4: the amount 5.5 has more digits than JPY has',
      '5: the amount has no currency',
      '6: the id is empty',
      '7: the amount "NaN" is not a number',
    ]);
  });

  test('an id again with equal content is a duplicate, with other content nobody knows which is true', () => {
    expect(run([euro('a', '1.00'), euro('a', '1.00')], [euro('a', '1.00')], rules).said).toEqual([
      ['duplicate', ['a'], []],
      ['matched', ['a'], ['a']],
    ]);
    expect(run([euro('a', '1.00'), euro('a', '2.00')], [euro('a', '1.00')], rules).said.map(([outcome]) => outcome)).toEqual([
      'missing_in_source',
      'invalid',
      'invalid',
    ]);
  });

  test('without ids two identical rows are two records', () => {
    const row = { amount: '1.00', currency: 'EUR', reference: 'r' };
    const { summary } = run([row, row], [row, row, row], rules, false);
    expect(summary).toMatchObject({ matched: 2, missingInSource: 1, duplicates: 0 });
  });

  test('duplicates: what says the same and is left without a counterpart is a duplicate and not missing', () => {
    const flagged = { ...rules, duplicates: { by: ['reference', 'amount'], action: 'flag' } };
    const twice = [euro('a', '1.00', { reference: 'r' }), euro('b', '1.00', { reference: 'r' })];
    expect(run(twice, [euro('x', '1.00', { reference: 'r' })], flagged).summary).toMatchObject({
      matched: 1,
      duplicates: 1,
      missingInTarget: 0,
    });
    expect(run(twice, [], flagged).summary).toMatchObject({ duplicates: 1, missingInTarget: 1 });
    expect(run(twice, [], rules).summary).toMatchObject({ duplicates: 0, missingInTarget: 2 });
    const { results } = run(twice, [], flagged);
    expect(results[1]).toMatchObject({ outcome: 'duplicate', source: [1], reason: 'says the same as another record in reference, amount' });
    // Nothing says the same as what says otherwise in one of the fields, is of another currency, or cannot be used.
    const others = [
      euro('a', '1.00', { reference: 'r' }),
      euro('b', '1.00', { reference: 's' }),
      euro('c', '1.00', { reference: 'r', currency: 'USD' }),
      { line: 9, invalid: { reason: 'no' }, partial: euro('d', '1.00', { reference: 'r' }) },
      { id: 'e', reference: 'r' },
    ];
    expect(run(others, [], flagged).summary).toMatchObject({ duplicates: 0, missingInTarget: 4, invalid: 1 });
  });

  test('duplicates: what lacks one of the fields says nothing that another could say too', () => {
    const flagged = { ...rules, duplicates: { by: ['reference', 'description'], action: 'flag' } };
    const alike = { reference: 'r', description: 'd' };
    const lacking = [euro('a', '1.00', { reference: 'r' }), euro('b', '1.00', { reference: 'r' }), euro('c', '1.00', { description: 'd' })];
    expect(run([...lacking, euro('d', '1.00', { reference: 's', description: '' })], [], flagged).summary).toMatchObject({
      duplicates: 0,
      missingInTarget: 4,
    });
    expect(run([...lacking, euro('d', '1.00', alike), euro('e', '1.00', alike)], [], flagged).summary).toMatchObject({
      duplicates: 1,
      missingInTarget: 4,
    });
  });

  test('progress is told after each pass, and what it throws stops the run', () => {
    const {
      source,
      target,
      rules: parsed,
    } = run([euro('a', '1.00')], [], { passes: ['one', 'two'].map((name) => ({ name, match: byReference })) });
    const told: number[][] = [];
    reconcile({ source, target, rules: parsed, asOf, onProgress: (...progress) => told.push(progress) });
    expect(told).toEqual([
      [1, 2],
      [2, 2],
    ]);
    const onProgress = () => {
      throw new Error('enough');
    };
    expect(() => reconcile({ source, target, rules: parsed, asOf, onProgress })).toThrow('enough');
  });

  test('a pass that leaves too many candidates fails with the block that exploded', () => {
    const same = Array.from({ length: 300 }, (_, index) => euro(String(index), '5.00'));
    const open = pass([{ field: 'amount', type: 'amount', tolerance: { absolute: '1' } }]);
    expect(() => run(same, same, open)).toThrow(TooManyCandidates);
    expect(() => run(same, same, open)).toThrow(/the pass "one".*300 source and 300 target.*Add an exact condition/);
  });

  test('as many candidates as fifty for each record are held, and the block that has more is named by what it shares', () => {
    const rows = (count: number, reference: string) =>
      Array.from({ length: count }, (_, index) => euro(`${reference}${index}`, '5.00', { reference, note: 'n' }));
    const keyed = pass([
      { field: 'reference', type: 'exact' },
      { field: 'note', type: 'exact' },
    ]);
    expect(run(rows(50, 'k'), rows(50, 'k'), keyed).summary.matched).toBe(50);
    const [source, target] = [
      [...rows(20, 'small'), ...rows(80, 'large')],
      [...rows(20, 'small'), ...rows(90, 'large')],
    ];
    const refusal = (() => {
      try {
        return run(source, target, keyed);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(TooManyCandidates);
    expect(refusal).toMatchObject({ code: 'too_many_candidates', pass: 'one', block: { key: 'large · n', sources: 80, targets: 90 } });
    const long = 'x'.repeat(300);
    expect(() => run(rows(80, long), rows(80, long), keyed)).toThrow(`block (${'x'.repeat(200)})`);
  });
});

describe('for any input', () => {
  const record = fc.record({
    id: fc.nat(30).map(String),
    amount: fc.oneof(
      fc.integer({ min: -500, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
      fc.constantFrom('1.005', '9999999999999.99'),
    ),
    currency: fc.constantFrom('EUR', 'USD', 'JPY'),
    date: fc.constantFrom('2026-04-01', '2026-04-02', '2026-04-05'),
    reference: fc.constantFrom('r1', 'R1 ', 'r2', ''),
  });
  const side = fc.array(record, { maxLength: 25 });
  const anyRules = fc.constantFrom(
    pass(byReference),
    {
      passes: [
        { name: 'one', match: [...byReference.slice(0, 1), { field: 'amount', type: 'amount', verify: true }] },
        {
          name: 'two',
          match: [
            { field: 'amount', type: 'amount', tolerance: { percent: '10' } },
            { field: 'date', type: 'date', within: { after: 2 } },
          ],
        },
      ],
    },
    { ...pass([{ field: 'date', type: 'date', within: { after: 3 } }]), conflictResolution: 'manual-review', minMargin: 0.2 },
    {
      ...pass([{ field: 'reference', type: 'exact', normalize: ['trim', 'lowercase'] }]),
      conflictResolution: 'last-wins',
      duplicates: { by: ['reference', 'amount'], action: 'flag' },
    },
  );

  test('every record ends in exactly one result, and the order of the input changes nothing', () => {
    fc.assert(
      fc.property(side, side, anyRules, fc.integer(), (source, target, rules, seed) => {
        const first = run(source, target, rules);
        expect(first.results.flatMap((result) => result.source).sort((a, b) => a - b)).toEqual(source.map((_, index) => index));
        expect(first.results.flatMap((result) => result.target).sort((a, b) => a - b)).toEqual(target.map((_, index) => index));
        const shuffled = <Item>(items: readonly Item[]) =>
          items
            .map((item, index) => [((index + 1) * 7919 * (seed | 1)) % 1009, item] as const)
            .sort(([one], [other]) => one - other)
            .map(([, item]) => item);
        const again = run(shuffled(source), shuffled(target), rules);
        expect(again.summary).toEqual(first.summary);
        expect(again.said).toEqual(first.said);
      }),
      { numRuns: 300 },
    );
  });

  test('money sums exactly at a quadrillion minor units', () => {
    const { summary } = run([euro('a', '10000000000000.01'), euro('b', '10000000000000.02')], [], pass(byReference));
    expect(summary.source).toEqual({ records: 2, amount: '20000000000000.03' });
  });
});
