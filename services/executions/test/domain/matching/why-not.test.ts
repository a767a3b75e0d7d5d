import { rules as rulesSchema } from '@settler/contracts/rules';
import { describe, expect, test } from 'vitest';
import { effectOf } from '../../../src/domain/matching/explain/effect.ts';
import { smallestChange } from '../../../src/domain/matching/explain/smallest-change.ts';
import { whyNot } from '../../../src/domain/matching/explain/why-not.ts';
import { asOf, euro, pass, type Records, run } from './records.ts';

const rules = pass([
  { field: 'reference', type: 'exact' },
  { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
  { field: 'date', type: 'date', within: { after: 2 } },
]);
const ask = (
  source: Records,
  target: Records,
  row: number,
  isOver = () => false,
  own: unknown = rules,
  side: 'source' | 'target' = 'source',
) => {
  const { now, rules: parsed, ...batches } = run(source, target, own);
  return whyNot({ source: batches.source, target: batches.target, rules: parsed, asOf, now, isOver }, side, row);
};

describe('why a record has no counterpart', () => {
  test('the nearest comes first, with what failed, by how much, and what would have to give', () => {
    const [first, second] = ask(
      [euro('a', '10.00')],
      [euro('x', '99.00', { reference: 'z' }), euro('b', '10.50', { reference: 'a', date: '2026-04-03' })],
      0,
    );
    expect(first).toMatchObject({
      row: 1,
      pass: 'one',
      takenBy: null,
      failed: [{ type: 'amount', source: '10.00', target: '10.50', delta: '0.50' }],
      smallestChange: [{ path: 'passes[0].match[1].tolerance.absolute', from: '0.01', to: '0.50' }],
      effect: { gained: { records: 1, amounts: { EUR: '10.00' } }, lost: { records: 0 }, moved: { records: 0 } },
    });
    expect(second?.failed).toHaveLength(2);
    expect(second?.smallestChange).toBeNull();
  });

  test('records of another currency are near where a rate brings them together, and nowhere else', () => {
    const dollars = euro('x', '10.90', { reference: 'a', currency: 'USD' });
    const near = (fx: object) => {
      const amount = { field: 'amount', type: 'amount', ...fx };
      return ask([euro('a', '10.00')], [dollars], 0, undefined, pass([{ field: 'reference', type: 'exact' }, amount]));
    };
    expect(near({ fx: { table: { 'EUR/USD': '1.0835' } } })).toMatchObject([
      { row: 0, failed: [{ type: 'amount', source: '10.00', target: '10.90' }] },
    ]);
    expect(near({})).toEqual([]);
  });

  test('the price of a change is what else it would gain, lose and move', () => {
    const source = [euro('a', '10.00'), euro('b', '20.00'), euro('c', '30.00')];
    const target = [
      euro('x', '10.00', { reference: 'a', date: '2026-04-05' }),
      euro('y', '20.00', { reference: 'b', date: '2026-04-04' }),
      euro('z', '30.00', { reference: 'c' }),
    ];
    const [first] = ask(source, target, 0);
    expect(first?.smallestChange).toEqual([{ path: 'passes[0].match[2].within.after', from: 2, to: 4 }]);
    expect(first?.effect?.gained).toEqual({ records: 2, amounts: { EUR: '30.00' } });
  });

  test('texts that differ agree after a transform, or nothing is proposed', () => {
    const [spelled] = ask([euro('a', '10.00', { reference: 'ORD 7' })], [euro('x', '10.00', { reference: 'ord-7' })], 0);
    expect(spelled?.smallestChange?.[0]?.path).toBe('passes[0].match[0].normalize');
    expect(spelled?.effect?.gained.records).toBe(1);
    const [other] = ask([euro('a', '10.00', { reference: 'ORD 7' })], [euro('x', '10.00', { reference: 'ord-8' })], 0);
    expect(other?.smallestChange).toBeNull();
  });

  test('a look-alike is let in by a lower threshold, and by none where the texts are strangers', () => {
    const alike = pass([
      { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
      { field: 'reference', type: 'fuzzy', similarity: 'levenshtein', threshold: 0.9 },
    ]);
    const target = [euro('x', '10.00', { reference: 'harbour cafe' }), euro('y', '10.00', { reference: 'zzz' })];
    const candidates = ask([euro('a', '10.00', { reference: 'harbor coffee' })], target, 0, () => false, alike);
    expect(candidates.map(({ smallestChange }) => smallestChange)).toEqual([
      [{ path: 'passes[0].match[1].threshold', from: 0.9, to: 0.69 }],
      null,
    ]);
    expect(candidates[0]?.effect?.gained.records).toBe(1);
  });

  test('a candidate that is taken says by which result', () => {
    const source = [euro('a', '10.00'), euro('b', '10.00', { reference: 'a' })];
    const target = [euro('x', '10.00', { reference: 'a' })];
    const { now, rules: parsed, ...batches } = run(source, target, rules);
    const [first] = whyNot({ ...batches, rules: parsed, asOf, now, isOver: () => false }, 'source', 1);
    expect(first).toMatchObject({ failed: [], smallestChange: null });
    expect(now.at(first?.takenBy ?? -1)).toMatchObject({ outcome: 'matched', source: [0] });
  });

  test('without time left there is no effect, and it says so', () => {
    const [first] = ask([euro('a', '10.00')], [euro('a', '10.50')], 0, () => true);
    expect(first).toMatchObject({ effect: null, effectReason: 'budget' });
  });

  test('the price is not told where the time runs out, where the change would leave too many pairs, and where it is not known why', () => {
    const [source, target] = [[euro('a', '10.00')], [euro('a', '10.50')]];
    let asked = 0;
    const onceMore = (answer: () => boolean) => () => {
      asked += 1;
      return asked > 1 && answer();
    };
    expect(
      ask(
        source,
        target,
        0,
        onceMore(() => true),
      )[0],
    ).toMatchObject({ effect: null, effectReason: 'budget' });
    asked = 0;
    const isBroken = onceMore(() => {
      throw new Error('the clock is broken');
    });
    expect(() => ask(source, target, 0, isBroken)).toThrow('the clock is broken');
    const everywhere = (from: number) => Array.from({ length: 300 }, (_, index) => euro(`${from + index}`, `${from + index}.00`));
    const open = pass([
      { field: 'date', type: 'date' },
      { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
    ]);
    expect(ask(everywhere(1_000), everywhere(5_000), 0, () => false, open)[0]).toMatchObject({ effect: null, effectReason: 'budget' });
  });
});

describe('the smallest change', () => {
  const changeFor = (condition: object, source: object, target: object) => {
    const own = pass([{ field: 'id', type: 'exact' }, condition]);
    return ask([euro('a', '10.00', { ...source })], [euro('a', '10.00', { ...target })], 0, () => false, own)[0];
  };
  const amount = { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } };
  const date = { field: 'date', type: 'date' };
  const businessDays = { ...date, within: { unit: 'business-days' } };

  // 2026-04-10 is a Friday.
  test.each([
    [amount, { amount: '10.00' }, { amount: '9.50' }, 'tolerance.absolute', '0.01', '0.50'],
    [{ field: 'weight', type: 'number', tolerance: { percent: '1' } }, { weight: '10' }, { weight: '8' }, 'tolerance.absolute', null, '2'],
    [date, { date: '2026-04-10' }, { date: '2026-04-13' }, 'within.after', 0, 3],
    [date, { date: '2026-04-10' }, { date: '2026-04-07' }, 'within.before', 0, 3],
    [businessDays, { date: '2026-04-10' }, { date: '2026-04-13' }, 'within.after', 0, 1],
    [businessDays, { date: '2026-04-13' }, { date: '2026-04-10' }, 'within.before', 0, 1],
  ] as const)('widens %j just as far as %j and %j need', (condition, source, target, path, from, to) => {
    const told = changeFor(condition, source, target);
    expect(told?.smallestChange).toEqual([{ path: `passes[0].match[1].${path}`, from, to }]);
    expect(told?.effect?.gained.records).toBe(1);
  });

  test.each([
    [{ ...amount, fee: { fixed: '0.10' } }, { amount: '10.00' }, { amount: '9.00' }],
    [{ ...amount, fx: { table: {} } }, { amount: '10.00' }, { amount: '9.00' }],
    [amount, { amount: '10.00' }, { amount: undefined }],
    [date, { date: undefined }, { date: '2026-04-13' }],
    [date, { date: '2026-04-13' }, { date: undefined }],
    [{ field: 'note', type: 'exact' }, { note: 'n' }, {}],
    [{ field: 'note', type: 'exact' }, {}, { note: 'n' }],
    [{ field: 'note', type: 'exact' }, { note: '--' }, { note: '..' }],
    [{ field: 'note', type: 'fuzzy', threshold: 0.9 }, { note: 'n' }, {}],
    [{ field: 'note', type: 'fuzzy', threshold: 0.9 }, {}, { note: 'n' }],
    [{ field: 'note', type: 'regex', pattern: '([0-9])' }, { note: '1' }, { note: '2' }],
    [{ type: 'oneOf', conditions: [amount, date] }, { amount: '10.00', date: undefined }, { amount: '9.00' }],
  ] as const)('of %j there is none that would be right for %j and %j', (condition, source, target) => {
    const told = changeFor(condition, source, target);
    expect(told).toMatchObject({ failed: [{ passed: false }], smallestChange: null, effect: null });
    expect(told).not.toHaveProperty('effectReason');
  });

  test.each([
    [' ab', 'ab', ['trim']],
    [' Ab', 'ab', ['trim', 'lowercase']],
    ['A  b', 'a b', ['trim', 'lowercase', 'collapseSpaces']],
    ['Áb', 'ab', ['trim', 'lowercase', 'stripAccents']],
    ['Á-b', 'ab', ['lowercase', 'stripAccents', 'alphanumeric']],
    ['00Á-b', 'ab', ['lowercase', 'stripAccents', 'alphanumeric', 'stripLeadingZeros']],
  ])('brings %j and %j together by the most harmless transforms that do, after those there are', (source, target, added) => {
    const plain = changeFor({ field: 'note', type: 'exact' }, { note: source }, { note: target });
    expect(plain?.smallestChange).toEqual([{ path: 'passes[0].match[1].normalize', from: null, to: { source: added, target: added } }]);
    expect(plain?.effect?.gained.records).toBe(1);
    const before = { source: [{ stripPrefix: 'no ' }], target: [{ stripSuffix: '!' }] };
    const further = changeFor({ field: 'note', type: 'exact', normalize: before }, { note: `no ${source}` }, { note: `${target}!` });
    // What it differs in is what the condition compares, which is told as it is after its own transforms.
    expect(further?.smallestChange).toEqual([
      {
        path: 'passes[0].match[1].normalize',
        from: before,
        to: { source: [...before.source, ...added], target: [...before.target, ...added] },
      },
    ]);
  });

  test('is of every condition that fails, of one pass alone, or none at all', () => {
    const own = {
      passes: [
        { name: 'strict', match: [{ field: 'note', type: 'exact' }] },
        { name: 'loose', match: [{ field: 'reference', type: 'exact' }, amount, date] },
      ],
    };
    const source = [euro('a', '10.00', { reference: 'r' })];
    const [first] = ask(source, [euro('x', '10.50', { reference: 'r', date: '2026-04-03' })], 0, () => false, own);
    expect(first).toMatchObject({
      pass: 'loose',
      smallestChange: [
        { path: 'passes[1].match[1].tolerance.absolute', from: '0.01', to: '0.50' },
        { path: 'passes[1].match[2].within.after', from: 0, to: 2 },
      ],
      effect: { gained: { records: 1 } },
    });
  });

  test('leaves the other passes and the least score as they are', () => {
    const { passes } = pass([{ field: 'id', type: 'exact' }, amount], { minScore: 0.5 });
    const [parsed, wider] = ['0.01', '0.50'].map((absolute) =>
      rulesSchema.parse({
        passes: [
          { name: 'other', match: passes[0]?.match },
          {
            ...passes[0],
            match: [
              { field: 'id', type: 'exact' },
              { ...amount, tolerance: { absolute } },
            ],
          },
        ],
      }),
    );
    const verdicts = [
      { source: 'a', target: 'a' },
      { source: '10.00', target: '10.50', delta: '0.50' },
    ];
    expect(parsed && smallestChange(parsed, { pass: 1, failed: [1], verdicts, weights: [1, 1], score: 0.5 })?.rules).toEqual(wider);
  });

  test('is of the least score as well where the pair does not reach it with what is widened', () => {
    const own = pass([{ field: 'reference', type: 'exact', weight: 3 }, amount], { minScore: 0.8 });
    const [first] = ask([euro('a', '10.00', { reference: 'r' })], [euro('x', '10.50', { reference: 'r' })], 0, () => false, own);
    expect(first).toMatchObject({
      smallestChange: [
        { path: 'passes[0].match[1].tolerance.absolute', from: '0.01', to: '0.50' },
        { path: 'passes[0].minScore', from: 0.8, to: 0.75 },
      ],
      effect: { gained: { records: 1 } },
    });
  });

  test.each([
    ['9.50', 'below', '0.01'],
    ['12.00', 'above', null],
  ] as const)('is of the limit that counts for a target of %s', (target, side, from) => {
    const tolerance = { absolute: '5.00', below: { absolute: '0.01' }, above: { percent: '1' } };
    const told = changeFor({ field: 'amount', type: 'amount', tolerance }, { amount: '10.00' }, { amount: target });
    const to = side === 'below' ? '0.50' : '2.00';
    expect(told?.smallestChange).toEqual([{ path: `passes[0].match[1].tolerance.${side}.absolute`, from, to }]);
    expect(told?.effect?.gained.records).toBe(1);
  });

  test('is none where the rules would take it no more', () => {
    expect(changeFor(date, { date: '2006-04-12' }, { date: '2026-04-02' })?.smallestChange).toBeNull();
  });

  test('is none where a pair reaches the least score, and another one was better', () => {
    const own = pass([{ field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } }], { minScore: 0.5 });
    const [first] = ask([euro('a', '10.00'), euro('b', '10.50')], [euro('x', '10.50')], 0, () => true, own);
    expect(first).toMatchObject({ failed: [], smallestChange: null });
  });

  test('is of the least score where all conditions hold', () => {
    const own = pass([{ field: 'amount', type: 'amount', tolerance: { absolute: '0.03' } }], { minScore: 0.9 });
    expect(ask([euro('a', '10.00')], [euro('x', '10.01')], 0, () => false, own)).toMatchObject([
      { failed: [], smallestChange: [{ path: 'passes[0].minScore', from: 0.9, to: 0.6666 }], effect: { gained: { records: 1 } } },
    ]);
  });
});

describe('who comes nearest', () => {
  const near = pass([
    { field: 'reference', type: 'exact', weight: 3 },
    { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } },
    { field: 'date', type: 'date', within: { after: 2 } },
  ]);
  const other = { reference: 'q' };
  const rows = (source: Records, target: Records, own: unknown = near) => ask(source, target, 0, () => true, own).map(({ row }) => row);

  test('is who fails the fewest conditions, then who agrees most by weight, then who has the smallest id', () => {
    const target = [
      euro('f', '99.00', { date: '2026-04-30', ...other }),
      euro('e', '10.00', { date: '2026-04-30', ...other }),
      euro('d', '10.00', other),
      euro('c', '10.50', other),
      euro('b', '10.50', other),
      euro('g', '99.00', { reference: 'a' }),
    ];
    expect(rows([euro('a', '10.00')], target)).toEqual([5, 2, 4, 3, 1]);
  });

  test('are five, and the nearest of all, however many there are and wherever they stand', () => {
    const far = Array.from({ length: 16_390 }, (_, index) =>
      euro(`f${index}`, '10.90', { ...other, date: index % 3 === 0 ? '2026-04-30' : '2026-04-02' }),
    );
    for (const [place, row] of [8_191, 8_192, 16_383, 16_384, 16_389].entries())
      far[row] = euro(`n${place}`, `10.${place + 10}`, { ...other });
    expect(rows([euro('a', '10.00')], far)).toEqual([8_191, 8_192, 16_383, 16_384, 16_389]);
  });

  test('is of the same currency, or of none', () => {
    const target = [euro('b', '10.00', { ...other, currency: 'USD' }), { id: 'c', reference: 'a' }, euro('d', '10.00', other)];
    expect(rows([euro('a', '10.00')], target)).toEqual([2, 1]);
    expect(rows([{ id: 'a', reference: 'a', date: '2026-04-01' }], target)).toEqual([1, 0, 2]);
  });

  test('is nobody that cannot be used, or that agrees in nothing', () => {
    const target = [
      euro('b', '10.005', other),
      euro('c', '10.00', other),
      euro('c', '10.00', other),
      euro('d', '99.00', { ...other, date: '2026-04-30' }),
    ];
    expect(rows([euro('a', '10.00')], target)).toEqual([1]);
  });

  test('is told of once, by the pass that comes closest', () => {
    const own = {
      passes: [
        {
          name: 'one',
          match: [
            { field: 'reference', type: 'exact' },
            { field: 'date', type: 'date' },
            { field: 'note', type: 'exact' },
          ],
        },
        {
          name: 'two',
          match: [
            { field: 'reference', type: 'exact' },
            { field: 'note', type: 'exact' },
          ],
        },
        {
          name: 'three',
          match: [
            { field: 'reference', type: 'exact' },
            { field: 'note', type: 'exact' },
          ],
        },
      ],
    };
    const [source, target] = [
      [euro('z', '1.00'), euro('a', '10.00', { note: 'n' })],
      [euro('y', '1.00'), euro('x', '10.00', { reference: 'a', note: 'm', date: '2026-04-09' })],
    ];
    expect(ask(source, target, 1, () => true, own).map((one) => [one.row, one.pass])).toEqual([
      [1, 'two'],
      [0, 'one'],
    ]);
  });

  test('from the side of the target says which record of the source it is, and what has it', () => {
    const source = [euro('z', '1.00'), euro('c', '10.00', { reference: 'a' }), euro('b', '10.00', { reference: 'a' })];
    const target = [euro('x', '10.00', { reference: 'a' }), euro('y', '10.00', { reference: 'a', date: '2026-04-09' })];
    const { now } = run(source, target, rules);
    const [first, second] = ask(source, target, 1, () => true, rules, 'target');
    expect(first).toMatchObject({ row: 2, failed: [{ type: 'date', source: '2026-04-01', target: '2026-04-09', delta: 8 }] });
    expect(now.at(first?.takenBy ?? -1)).toMatchObject({ outcome: 'matched', source: [2], target: [0] });
    expect(second).toMatchObject({ row: 1, takenBy: null });
  });

  test('are five of all passes together', () => {
    const match = (name: string, field: string) => ({
      name,
      match: [
        { field, type: 'exact' },
        { field: 'none', type: 'exact' },
      ],
    });
    const target = Array.from({ length: 8 }, (_, index) => euro(`t${index}`, '1.00', index % 2 === 0 ? { reference: 'a' } : { note: 'n' }));
    const own = { passes: [match('one', 'reference'), match('two', 'note')] };
    expect(rows([euro('a', '1.00', { note: 'n' })], target, own)).toEqual([0, 1, 2, 3, 4]);
  });
});

test('a change gains what is matched by it alone, loses what is not matched any more, and moves what has another counterpart', () => {
  const verified = [
    { field: 'before', type: 'exact' },
    { field: 'amount', type: 'amount', verify: true },
  ];
  const source = [
    euro('kept', '1.00', { before: 'k', after: 'k' }),
    euro('gained', '2.00', { after: 'g' }),
    { id: 'yen', amount: '3', currency: 'JPY', after: 'j' },
    { id: 'without', after: 'w' },
    euro('differed', '5.00', { before: 'd', after: 'd' }),
    euro('lost', '6.00', { before: 'l' }),
    euro('moved', '7.00', { before: 'm', after: 'v' }),
    euro('neither', '8.00'),
  ];
  const target = [
    euro('k', '1.00', { before: 'k', after: 'k' }),
    euro('g', '2.00', { after: 'g' }),
    { id: 'j', amount: '3', currency: 'JPY', after: 'j' },
    { id: 'w', after: 'w' },
    euro('d', '5.50', { before: 'd', after: 'd' }),
    euro('l', '6.00', { before: 'l' }),
    euro('m', '7.00', { before: 'm' }),
    euro('v', '7.00', { after: 'v' }),
  ];
  const [before, after] = [run(source, target, pass(verified)), run(source, target, pass([{ field: 'after', type: 'exact' }]))];
  expect(effectOf(before.now.results, after.now.results, before.source)).toEqual({
    gained: { records: 4, amounts: { EUR: '7.00', JPY: '3' } },
    lost: { records: 1, amounts: { EUR: '6.00' } },
    moved: { records: 1, amounts: { EUR: '7.00' } },
  });
});

test('of a group every record is gained', () => {
  const source = [euro('a', '1.00', { payout: 'p' }), euro('b', '2.00', { payout: 'p' })];
  const group = pass([{ source: 'payout', target: 'reference', type: 'exact' }], { cardinality: 'many-to-one' });
  const [before, after] = [rules, group].map((own) => run(source, [euro('p', '3.00')], own).now.results);
  expect(before && after && effectOf(before, after, run(source, [], rules).source).gained).toEqual({
    records: 2,
    amounts: { EUR: '3.00' },
  });
});
