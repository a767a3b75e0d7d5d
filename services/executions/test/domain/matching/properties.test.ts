/** What holds for any records and any rules. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fields, recordAt } from '../../../src/domain/matching/batch.ts';
import { pass, type Records, run } from './records.ts';

const record = fc.record({
  id: fc.nat(40).map((number) => `r${number}`),
  amount: fc.oneof(
    fc.integer({ min: -800, max: 800 }).map((cents) => (cents / 100).toFixed(2)),
    fc.constantFrom('1.005', '9999999999999.99', '90071992547409.92', 'NaN', '1e400', ''),
    // What a source need not say is no fault of a record.
    fc.constant(undefined),
  ),
  currency: fc.constantFrom('EUR', 'EUR', 'USD', 'JPY', 'euro', ''),
  date: fc.constantFrom('2026-04-01', '2026-04-02', '2026-04-05', '2026-02-30', '', undefined),
  reference: fc.constantFrom('k1', 'K1 ', 'k2', 'k3', '', '\ud800', 'ü'),
  name: fc.constantFrom('Martha', 'Marhta', 'Kim', ''),
  rate: fc.constantFrom('1.1', '0.9', ''),
});
const side = fc.array(record, { maxLength: 22 });
/** Records of which most can be used and many are alike. */
const likelySide = fc
  .array(
    fc.record({
      amount: fc.constantFrom('1.00', '1.05', '2.00', '3.00'),
      currency: fc.constant('EUR'),
      date: fc.constantFrom('2026-04-01', '2026-04-02'),
      reference: fc.constantFrom('k1', 'k2', 'k3', 'k4'),
      name: fc.constantFrom('Martha', 'Kim'),
      rate: fc.constant('1.1'),
    }),
    { minLength: 3, maxLength: 10 },
  )
  .map((records) => records.map((item, index) => ({ id: `r${index}`, ...item })));

const key = { field: 'reference', type: 'exact', normalize: ['trim', 'lowercase'] };
const near = { field: 'amount', type: 'amount', tolerance: { absolute: '0.50', percent: '5' } };
const soon = { field: 'date', type: 'date', within: { before: 1, after: 3 } };
const alike = { field: 'name', type: 'fuzzy', threshold: 0.8 };
const conditions: readonly (readonly object[])[] = [
  [key],
  [key, near],
  [near, soon],
  [near, soon, alike],
  [key, { ...near, verify: true }, { ...soon, verify: true }],
  [{ type: 'oneOf', conditions: [key, { ...near, tolerance: { absolute: '0' } }] }, alike],
  [
    { field: 'reference', type: 'regex', pattern: 'k([0-9])' },
    { field: 'amount', type: 'amount', fee: { percent: '2.9', fixed: '0.10' }, verify: true },
  ],
  [soon, { field: 'amount', type: 'amount', fx: { field: 'rate' }, tolerance: { absolute: '0.20' } }],
];
const onePass = fc.oneof(
  fc.record({ match: fc.constantFrom(...conditions), minScore: fc.constantFrom(0, 0.6) }),
  fc.record({
    match: fc.constantFrom([key, soon], [key, { ...soon, verify: true }], [key, alike]),
    cardinality: fc.constantFrom('many-to-one', 'one-to-many', 'many-to-many'),
    sum: fc.constantFrom({ tolerance: { absolute: '0.10' } }, { tolerance: { absolute: '1' }, fee: { percent: '1' } }),
    minScore: fc.constantFrom(0, 0.6),
  }),
  fc.record({
    match: fc.constant([soon]),
    cardinality: fc.constantFrom('many-to-one', 'one-to-many'),
    sum: fc.constantFrom(
      undefined,
      { tolerance: { percent: '10' } },
      { tolerance: { bps: '300' }, fee: { percent: '2.9', fixed: '0.10' } },
    ),
    search: fc.constant({ maxGroupSize: 4 }),
  }),
);
const anyRules = fc.record(
  {
    passes: fc
      .array(onePass, { minLength: 1, maxLength: 3 })
      .map((passes) => passes.map((item, index) => ({ name: `p${index}`, ...item }))),
    conflictResolution: fc.constantFrom('best', 'first-wins', 'last-wins', 'manual-review'),
    minMargin: fc.constantFrom(0, 0.2),
    duplicates: fc.constantFrom({ by: ['reference', 'amount'], action: 'flag' }, { by: ['amount'], action: 'ignore' }),
  },
  { requiredKeys: ['passes'] },
);

const shuffled = <Item>(items: readonly Item[], seed: number): Item[] =>
  items
    .map((item, index) => [((index + 1) * 7_919 * (seed | 1)) % 1_009, item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);

/** Amounts by side and outcome, in words that can be compared: what the certificate adds up. */
const sums = ({ results, source, target }: ReturnType<typeof run>) => {
  const total = (rows: readonly number[], amounts: Float64Array) =>
    rows.reduce((sum, row) => sum + (Number.isNaN(amounts[row] as number) ? 0n : BigInt(amounts[row] as number)), 0n);
  const all = (length: number) => Array.from({ length }, (_, row) => row);
  return {
    given: [total(all(source.length), source.amounts), total(all(target.length), target.amounts)],
    told: [
      results.reduce((sum, result) => sum + total(result.source, source.amounts), 0n),
      results.reduce((sum, result) => sum + total(result.target, target.amounts), 0n),
    ],
  };
};

describe('for any records and rules', () => {
  test.each([true, false])('every record is in exactly one result, and every cent is accounted for (ids: %s)', (idMapped) => {
    fc.assert(
      fc.property(side, side, anyRules, (source, target, rules) => {
        const done = run(source, target, rules, idMapped);
        expect(done.results.flatMap((result) => result.source).sort((a, b) => a - b)).toEqual(source.map((_, index) => index));
        expect(done.results.flatMap((result) => result.target).sort((a, b) => a - b)).toEqual(target.map((_, index) => index));
        const { given, told } = sums(done);
        expect(told).toEqual(given);
      }),
      { numRuns: 100 },
    );
  });

  test.each([true, false])('the order of the input changes nothing that is said (ids: %s)', (idMapped) => {
    const whole = ({ results, said, summary }: ReturnType<typeof run>) => ({
      summary,
      results: results.map(({ source: _source, target: _target, line: _line, runnerUp: _runnerUp, ...result }, index) => ({
        ...result,
        said: said[index],
      })),
    });
    fc.assert(
      fc.property(side, side, anyRules, fc.integer(), (source, target, rules, seed) => {
        expect(whole(run(shuffled(source, seed), shuffled(target, seed + 1), rules, idMapped))).toEqual(
          whole(run(source, target, rules, idMapped)),
        );
      }),
      { numRuns: 100 },
    );
  });

  test.each([true, false])('what was matched and is taken apart is never brought together again (ids: %s)', (idMapped) => {
    const bound = ({ results }: ReturnType<typeof run>) =>
      results.filter(({ outcome }) => outcome === 'matched' || outcome === 'mismatched');
    let undone = 0;
    let runs = 0;
    fc.assert(
      fc.property(likelySide, likelySide, anyRules, fc.nat(), fc.integer(), (source, target, rules, chosen, seed) => {
        runs += 1;
        const before = run(source, target, rules, idMapped);
        const strangers = [{ source: [{ id: 'nobody' }], target }];
        expect(run(source, target, rules, idMapped, [], strangers).results).toEqual(before.results);
        const apart = bound(before)
          .filter((_, index) => index % 2 === chosen % 2)
          .map((result) => ({
            source: result.source.map((row) => recordAt(before.source, row)),
            target: result.target.map((row) => recordAt(before.target, row)),
          }));
        undone += apart.length;
        const after = run(source, target, rules, idMapped, [], apart);
        const meets = (rows: (typeof after.apart)[number]) =>
          bound(after).filter(
            (one) => one.source.some((row) => rows.source.includes(row)) && one.target.some((row) => rows.target.includes(row)),
          );
        expect(after.apart.flatMap(meets)).toEqual([]);
        expect(sums(after).told).toEqual(sums(before).told);
        const again = run(shuffled(source, seed), shuffled(target, seed + 1), rules, idMapped, [], apart.toReversed());
        expect([again.said, again.summary]).toEqual([after.said, after.summary]);
      }),
      { numRuns: 100 },
    );
    expect(undone).toBeGreaterThan(runs / 4);
  });

  test('every condition of a match has passed, and one of a difference has not', () => {
    /** Of groups that mostly fit, or do once a pass between has taken of them. */
    const groupPass = fc.oneof(
      fc.record({
        match: fc.constantFrom([key], [key, soon], [key, { ...soon, verify: true }]),
        cardinality: fc.constantFrom('many-to-one', 'one-to-many', 'many-to-many'),
        sum: fc.constantFrom({ tolerance: { absolute: '1.00' } }, { tolerance: { percent: '50' }, fee: { percent: '2.9' } }),
      }),
      fc.record({
        match: fc.constant([soon]),
        cardinality: fc.constantFrom('many-to-one', 'one-to-many'),
        sum: fc.constantFrom({ tolerance: { percent: '10' } }, { tolerance: { bps: '300' }, fee: { percent: '2.9', fixed: '0.10' } }),
        search: fc.constant({ maxGroupSize: 4 }),
      }),
      fc.record({ match: fc.constantFrom([near, alike], [key, near]) }),
    );
    const groupRules = fc
      .array(groupPass, { minLength: 2, maxLength: 4 })
      .map((passes) => ({ passes: passes.map((item, index) => ({ name: `p${index}`, ...item })) }));
    /** Of each key one target of what its sources come to, or nearly so, and some others. */
    const settled = fc
      .tuple(likelySide, fc.array(fc.constantFrom(0, 0, 3, 100), { minLength: 4, maxLength: 4 }), likelySide)
      .map(([sources, off, others]) => {
        const targets = off.map((cents, index) => {
          const reference = `k${index + 1}`;
          const own = sources.filter((record) => record.reference === reference);
          const amount = own.reduce<number>((sum, record) => sum + Math.round(Number(record.amount) * 100), cents);
          return { id: `t${index}`, amount: (amount / 100).toFixed(2), currency: 'EUR', date: '2026-04-02', reference, name: 'Kim' };
        });
        return [sources, [...targets, ...others.slice(0, 2)]] as const;
      });
    const seen = { pairs: 0, groups: 0, differences: 0 };
    fc.assert(
      fc.property(fc.oneof(fc.tuple(side, side), settled), fc.oneof(anyRules, groupRules), ([source, target], rules) => {
        for (const { outcome, conditions, source: ours, target: theirs } of run(source, target, rules).results) {
          if (outcome !== 'matched' && outcome !== 'mismatched') continue;
          expect([outcome, conditions.every(({ passed }) => passed)], JSON.stringify(conditions)).toEqual([outcome, outcome === 'matched']);
          seen[outcome === 'mismatched' ? 'differences' : ours.length + theirs.length > 2 ? 'groups' : 'pairs'] += 1;
        }
      }),
      { numRuns: 400 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(30);
  });

  test('a wider tolerance loses no match where nobody competes', () => {
    const rules = (absolute: string) =>
      pass([
        { field: 'id', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute } },
      ]);
    const matches = (source: Records, target: Records, absolute: string) => run(source, target, rules(absolute)).summary.matched;
    fc.assert(
      fc.property(side, side, fc.nat(300), fc.nat(300), (source, target, cents, more) => {
        const [narrow, wide] = [(cents / 100).toFixed(2), ((cents + more) / 100).toFixed(2)];
        expect(matches(source, target, wide)).toBeGreaterThanOrEqual(matches(source, target, narrow));
      }),
    );
  });

  test('with the sides swapped and the rules mirrored, what is certain is mirrored too', () => {
    const mirrored = fc
      .record({ before: fc.nat(3), after: fc.nat(3), below: fc.nat(100), above: fc.nat(100), verify: fc.boolean() })
      .map((given) => {
        const rules = (before: number, after: number, below: number, above: number) =>
          pass([
            { field: 'date', type: 'date', within: { before, after } },
            {
              field: 'amount',
              type: 'amount',
              tolerance: { below: { absolute: (below / 100).toFixed(2) }, above: { absolute: (above / 100).toFixed(2) } },
              verify: given.verify,
            },
          ]);
        return [
          rules(given.before, given.after, given.below, given.above),
          rules(given.after, given.before, given.above, given.below),
        ] as const;
      });
    /** A tie is settled from the side of the source, so it may be settled otherwise; what has a margin may not. */
    const certain = ({ results, said }: ReturnType<typeof run>, isSwapped: boolean) =>
      results
        .flatMap((result, index) =>
          (result.margin ?? 1) > 0 && result.source.length + result.target.length === 2
            ? [said[index] as [string, unknown[], unknown[]]]
            : [],
        )
        .map(([outcome, one, other]) => `${outcome} ${isSwapped ? `${other} ${one}` : `${one} ${other}`}`)
        .sort();
    const named = (prefix: string) => (item: Fields) => ({ ...item, id: `${prefix}${item['id']}` });
    fc.assert(
      fc.property(side, side, mirrored, (source, target, [rules, mirror]) => {
        const [ours, theirs] = [source.map(named('s')), target.map(named('t'))];
        const [one, other] = [run(ours, theirs, rules), run(theirs, ours, mirror)];
        expect(certain(other, true)).toEqual(certain(one, false));
        expect(other.summary.matched).toBe(one.summary.matched);
      }),
      { numRuns: 100 },
    );
  });
});
