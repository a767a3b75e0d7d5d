import { rules as rulesSchema } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import { dayOf } from '../../../src/domain/matching/day.ts';
import { type Given, reconcile } from '../../../src/domain/matching/reconcile.ts';
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
    const far = fc.oneof(close, fc.constantFrom(-(2 ** 49), -(2 ** 32), 2 ** 32 - 4, 2 ** 32, 2 ** 32 + 1, 2 ** 49, 2 ** 49 + 1));
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
