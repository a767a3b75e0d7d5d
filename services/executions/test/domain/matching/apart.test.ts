import { describe, expect, test } from 'vitest';
import type { Separated } from '../../../src/domain/matching/apart.ts';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { contradicted } from '../../../src/domain/matching/contradicted.ts';
import { whyNot } from '../../../src/domain/matching/explain/why-not.ts';
import { reconcile } from '../../../src/domain/matching/reconcile.ts';
import { asOf, euro, pass, type Records, run } from './records.ts';

const key = { field: 'reference', type: 'exact' };
const near = { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } };
const byKey = pass([key, { ...near, verify: true }]);
const of = (source: readonly Fields[], target: readonly Fields[]): Separated => ({ source, target });
const matchedIn = (source: Records, target: Records, rules: unknown, apart: readonly Separated[], idMapped = true) =>
  run(source, target, rules, idMapped, [], apart).said.filter(([outcome]) => outcome === 'matched' || outcome === 'mismatched');

describe('records that were taken apart', () => {
  const [a, b] = [euro('a', '10.00', { reference: 'k' }), euro('b', '10.00', { reference: 'k' })];
  const [x, y] = [euro('x', '10.00', { reference: 'k' }), euro('y', '10.50', { reference: 'k' })];

  test('are matched with others, or with nobody, and are no difference either', () => {
    expect(matchedIn([a], [x], byKey, [])).toEqual([['matched', ['a'], ['x']]]);
    expect(matchedIn([a], [x], byKey, [of([a], [x])])).toEqual([]);
    expect(matchedIn([a], [x, y], byKey, [of([a], [x])])).toEqual([['matched', ['a'], ['y']]]);
    const differing = euro('x', '19.00', { reference: 'k' });
    expect(matchedIn([a], [differing], byKey, [])).toEqual([['mismatched', ['a'], ['x']]]);
    expect(matchedIn([a], [differing], byKey, [of([a], [differing])])).toEqual([]);
  });

  test('are free again, each for itself, where one says something else', () => {
    const apart = [of([a, b], [x])];
    expect(matchedIn([a], [{ ...x, date: '2026-04-02' }], byKey, apart)).toEqual([['matched', ['a'], ['x']]]);
    expect(matchedIn([{ ...a, note: 'new' }, b], [x], byKey, apart)).toEqual([['matched', ['a'], ['x']]]);
    expect(matchedIn([{ ...a, id: 'c' }, b], [x], byKey, apart)).toEqual([['matched', ['c'], ['x']]]);
  });

  test('are known whatever the order of their fields, as open items too', () => {
    const { id, ...rest }: Fields = { ...a, nested: { two: 2, one: [1, null] } };
    const stored = { ...Object.fromEntries(Object.entries(rest).toReversed()), nested: { one: [1, null], two: 2 }, id };
    expect(matchedIn([{ id, ...rest }], [x], byKey, [of([stored], [x])])).toEqual([]);
    expect(run([], [x], byKey, true, [a], [of([a], [x])]).summary).toMatchObject({ matched: 0, missingInTarget: 1, missingInSource: 1 });
  });

  test('without ids are all that say the same: nobody could tell which of them was meant', () => {
    const anonymous = (reference: string): Fields => ({ amount: '1.00', currency: 'EUR', reference });
    const [two, three] = [
      [anonymous('k'), anonymous('k')],
      [anonymous('k'), anonymous('k'), anonymous('j')],
    ];
    expect(run(two, three, byKey, false).summary.matched).toBe(2);
    expect(run(two, three, byKey, false, [], [of([anonymous('k')], [anonymous('k')])]).summary).toMatchObject({
      matched: 0,
      missingInTarget: 2,
      missingInSource: 3,
    });
  });

  test('are in no group by key, nor are those that would bring them together', () => {
    const many = (cardinality: string) => pass([key], { cardinality, sum: { tolerance: { absolute: '100' } } });
    const whole = [['matched', ['a', 'b'], ['x', 'y']]];
    expect(matchedIn([a, b], [x, y], many('many-to-many'), [])).toEqual(whole);
    expect(matchedIn([a, b], [x, y], many('many-to-many'), [of([a], [x])])).toEqual([]);
    expect(matchedIn([a, b], [x, y], many('many-to-many'), [of([a], [x, y])])).toEqual([['matched', ['b'], ['x', 'y']]]);
    expect(matchedIn([a, b], [x], many('many-to-one'), [of([a], [x])])).toEqual([['matched', ['b'], ['x']]]);
    expect(matchedIn([a, b], [x], many('many-to-one'), [of([a, b], [x])])).toEqual([]);
  });

  test('may differ again where they did before a person matched them, and match for no rule', () => {
    const differing = euro('x', '19.00', { reference: 'k' });
    const apart = [{ ...of([a, b], [differing, x]), mayDiffer: true }];
    expect(matchedIn([a], [differing], byKey, apart)).toEqual([['mismatched', ['a'], ['x']]]);
    expect(matchedIn([a], [x], byKey, apart)).toEqual([]);
    const sums = pass([key], { cardinality: 'many-to-one', sum: {} });
    expect(matchedIn([a, b], [differing], sums, apart)).toEqual([['mismatched', ['a', 'b'], ['x']]]);
    expect(matchedIn([a], [x], sums, apart)).toEqual([]);
    const search = pass([{ field: 'date', type: 'date' }], { cardinality: 'many-to-one', search: {} });
    expect(matchedIn([a], [x], search, apart)).toEqual([]);
  });

  test('are in no group that is searched for', () => {
    const rules = pass([{ field: 'date', type: 'date' }], { cardinality: 'many-to-one', search: { maxGroupSize: 3 } });
    const parts = [euro('p', '3.00'), euro('q', '4.00'), euro('r', '7.00')];
    const [p = {}, , r = {}] = parts;
    const total = euro('t', '7.00');
    expect(matchedIn(parts, [total], rules, [])).toEqual([]);
    expect(matchedIn(parts, [total], rules, [of([r], [total])])).toEqual([['matched', ['p', 'q'], ['t']]]);
    expect(matchedIn(parts, [total], rules, [of([p], [total])])).toEqual([['matched', ['r'], ['t']]]);
  });

  test('belong together where a person says so later', () => {
    const { source, target, rules, apart, now } = run([a], [x], byKey, true, [], [of([a], [x])]);
    expect(now.summary.matched).toBe(0);
    const given = [{ source: [0], target: [0] }];
    expect(reconcile({ source, target, rules, asOf, given, apart }).summary.matched).toBe(1);
  });

  test('are no match of the rules that would break one by hand', () => {
    const input = (apart: readonly Separated[]) => {
      const { source, target, rules, apart: rows } = run([a], [x, euro('z', '99.00')], byKey, true, [], apart);
      return { source, target, rules, asOf, given: [{ source: [0], target: [1] }], apart: rows };
    };
    expect(contradicted(input([]))).toEqual([true]);
    expect(contradicted(input([of([a], [x])]))).toEqual([false]);
  });

  test('are explained as what they are, and no change of the rules is told to bring them together', () => {
    const far = euro('x', '12.00', { reference: 'k', date: '2026-04-09' });
    const rules = pass([key, near]);
    const ask = (apart: readonly Separated[]) => {
      const { now, rules: parsed, apart: rows, source, target } = run([a, b], [far], rules, true, [], apart);
      return whyNot({ source, target, rules: parsed, asOf, now, apart: rows, isOver: () => false }, 'source', 0);
    };
    expect(ask([of([a], [far])])).toMatchObject([
      { failed: [{ type: 'amount' }], smallestChange: null, effect: null, effectReason: 'taken_apart' },
    ]);
    // What would be gained by the change is another record's, and not the one that was taken apart.
    expect(ask([of([b], [far])])).toMatchObject([{ smallestChange: [{ to: '2.00' }], effect: { gained: { records: 1 } } }]);
  });
});
