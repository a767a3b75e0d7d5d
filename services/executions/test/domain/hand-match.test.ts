import type { Outcome } from '@settler/contracts/executions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceOf, joinByHand, missingOn, renamingsOf, type Standing } from '../../src/domain/hand-match.ts';
import { sides } from '../../src/domain/side.ts';
import { worthOf } from '../../src/domain/stake.ts';

const record = (id: string, amount: string, more = {}) => ({ id, amount, currency: 'EUR', date: '2026-04-01', ...more });
const standing = (id: string, outcome: Outcome, source: readonly object[], target: readonly object[]): Standing => ({
  id,
  outcome,
  pass: outcome.startsWith('missing') ? null : 'one',
  source: source as Standing['source'],
  target: target as Standing['target'],
});
const s1 = record('s1', '10.00');
const t1 = record('t1', '9.70');
const t2 = record('t2', '9.80');
const ambiguous = standing('res_a', 'ambiguous', [s1], [t1, t2]);
const matched = standing('res_m', 'matched', [record('s3', '1.00')], [record('t3', '1.00')]);
const anonymous = standing('res_x', 'missing_in_source', [], [{ amount: '10.00', currency: 'EUR' }]);
const all = [ambiguous, matched, anonymous];

describe('a match by hand', () => {
  it('takes what is named, and leaves what else the results had', () => {
    expect(joinByHand(all, { source: ['s1'], target: ['t2'] })).toEqual({
      taken: { source: [s1], target: [t2] },
      displaced: [ambiguous],
      left: [{ side: 'target', record: t1 }],
    });
  });

  it('takes a record without an id by the result that it stands alone in', () => {
    expect(joinByHand(all, { source: ['s1'], target: ['res_x'] })).toMatchObject({ taken: { target: anonymous.target } });
  });

  it('says of each id where it stands and why it cannot be', () => {
    const faults = [
      { path: 'source[1]', message: 'names the record s1 again' },
      { path: 'source[2]', message: 't1 is a record of the target' },
      { path: 'target[0]', message: 'this execution has no record nobody in its target' },
      { path: 'target[1]', message: 'this execution has no record res_a in its target' },
    ];
    expect(joinByHand(all, { source: ['s1', 's1', 't1'], target: ['nobody', 'res_a'] })).toEqual({ faults });
  });

  it('takes nothing that is matched, and a record in place of its repetition', () => {
    expect(joinByHand(all, { source: ['s3'], target: ['t1'] })).toEqual({ refused: 'The source record s3 is matched already.' });
    const missing = standing('res_1', 'missing_in_target', [s1], []);
    const repeated = standing('res_2', 'duplicate', [s1], []);
    const target = standing('res_3', 'missing_in_source', [], [t1]);
    expect(joinByHand([repeated, missing, target], { source: ['s1'], target: ['t1'] })).toMatchObject({ displaced: [missing, target] });
    expect(joinByHand([repeated, target], { source: ['s1'], target: ['t1'] })).toHaveProperty('refused');
  });

  it('says by how much its sides differ, where that can be said', () => {
    const taken = { source: [record('s1', '10.00')], target: [record('t1', '9.70', { date: '2026-04-03' })] };
    expect(differenceOf(taken)).toEqual({ amount: '-0.30', days: 2 });
    expect(differenceOf({ source: taken.source, target: [t1, t2] })).toEqual({ amount: '9.50', days: null });
    expect(differenceOf({ source: taken.source, target: [record('t1', '9', { currency: 'JPY' })] }).amount).toBeNull();
  });
});

describe('an exchange', () => {
  const amount = fc.integer({ min: -3, max: 3 }).map((units) => `${units}.00`);
  const currency = fc.constantFrom('EUR', 'JPY');
  const results = fc
    .array(
      fc.record({
        outcome: fc.constantFrom<Outcome>('missing_in_target', 'missing_in_source', 'mismatched', 'ambiguous'),
        source: fc.array(fc.tuple(amount, currency), { minLength: 1, maxLength: 3 }),
        target: fc.array(fc.tuple(amount, currency), { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((found) =>
      found.map(({ outcome, ...records }, index) => {
        const of = (side: 'source' | 'target') =>
          outcome === missingOn(side === 'source' ? 'target' : 'source')
            ? []
            : records[side].map(([value, code], place) => record(`${side}${index}.${place}`, value, { currency: code }));
        return standing(`res_${index}`, outcome, of('source'), of('target'));
      }),
    );

  it('has every record once, before as after, and each is worth what it was', () => {
    fc.assert(
      fc.property(results, fc.infiniteStream(fc.boolean()), (before, chance) => {
        const some = (side: 'source' | 'target') => {
          const ids = before.flatMap((result) => result[side].map(({ id }) => String(id)));
          const chosen = ids.filter(() => chance.next().value);
          return chosen.length > 0 ? chosen : ids.slice(0, 1);
        };
        const wanted = { source: some('source'), target: some('target') };
        const joined = joinByHand(before, wanted);
        if (!('taken' in joined)) throw new Error(JSON.stringify(joined));
        const after = [
          standing('res_new', 'matched', joined.taken.source, joined.taken.target),
          ...joined.left.map(({ side, record: one }) =>
            standing('res_left', missingOn(side), side === 'source' ? [one] : [], side === 'target' ? [one] : []),
          ),
        ];
        const idsOf = (standings: readonly Standing[]) =>
          standings.flatMap((result) => sides.flatMap((side) => result[side].map(({ id }) => `${side} ${id}`))).sort();
        expect(idsOf(after)).toEqual(idsOf(joined.displaced));
        const sum = (standings: readonly Standing[], side: 'source' | 'target', code: string) =>
          standings
            .flatMap((result) => result[side].map(worthOf))
            .reduce((total, worth) => total + (worth.currency === code ? (worth.amountMinor ?? 0n) : 0n), 0n);
        for (const side of sides) for (const code of ['EUR', 'JPY']) expect(sum(after, side, code)).toBe(sum(joined.displaced, side, code));
        const renamed = renamingsOf(joined.displaced, after);
        expect(renamed.reduce((total, { count }) => total + count, 0)).toBe(idsOf(after).length);
        expect(renamingsOf(after, joined.displaced).reduce((total, { count }) => total + count, 0)).toBe(idsOf(after).length);
      }),
    );
  });

  it('is refused where a record would be lost, made up, or worth something else', () => {
    for (const after of [
      [],
      [standing('res_n', 'matched', [s1], [t1])],
      [standing('res_n', 'matched', [s1], [t1, { ...t2, amount: '9.81' }])],
    ])
      expect(() => renamingsOf([ambiguous], after)).toThrow('would lose or make up records');
  });
});
