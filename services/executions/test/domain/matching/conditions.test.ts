import { rules } from '@settler/contracts/rules';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/domain/matching/conditions/compile.ts';
import { candidatesOf } from '../../../src/domain/matching/passes/candidates.ts';
import { batchOf, euro, pass, type Records, run } from './records.ts';

const reference = { field: 'reference', type: 'exact' };
const outcomeOf = (source: Parameters<typeof euro>, target: Parameters<typeof euro>, match: readonly unknown[]): string =>
  String(run([euro(...source)], [euro(...target)], pass(match)).said[0]?.[0]);

/** What a condition alone says of every pair, source by source, and the pairs it finds by itself. */
const judged = (condition: object, source: Records, target: Records) => {
  const batches = [batchOf(source), batchOf(target)] as const;
  const [, parsed] = rules.parse(pass([reference, condition])).passes[0]?.match ?? [];
  if (parsed === undefined) throw new Error('a pass of two conditions has a second one');
  const judge = compileCondition(parsed, ...batches);
  const pairs = source.flatMap((_, s) => target.map((__, t) => [s, t] as const));
  // The columns may hold more pairs than are asked about: of those nothing may be said.
  const [last = [0, 0]] = pairs.slice(-1);
  const [sources, targets] = [0, 1].map((side) => Int32Array.from([...pairs, last], (pair) => pair[side] as number)) as [
    Int32Array,
    Int32Array,
  ];
  const scores = new Float64Array(pairs.length + 1).fill(-1);
  judge.judge(sources, targets, pairs.length, scores);
  expect(scores[pairs.length]).toBe(-1);
  const found = (): number[][] => {
    const all: number[][] = [];
    const rows = { source: Uint32Array.from(source.keys()), target: Uint32Array.from(target.keys()) };
    candidatesOf('one', [judge], ...batches, rows).visit((ours, theirs, count) => {
      for (let index = 0; index < count; index += 1) all.push([ours[index] as number, theirs[index] as number]);
    });
    return all.sort(([one = 0, first = 0], [other = 0, second = 0]) => one - other || first - second);
  };
  return {
    judge,
    scores: [...scores.subarray(0, pairs.length)],
    told: pairs.map(([s, t]) => judge.tell(s, t)),
    accepted: pairs.filter((_, index) => !Number.isNaN(scores[index])),
    found,
  };
};
const none = Number.NaN;

describe('amounts', () => {
  const near = { field: 'amount', type: 'amount', tolerance: { absolute: '0.10' } };
  const amounts = (...all: readonly string[]) => all.map((amount, index) => euro(`r${index}`, amount));

  test('the score falls from 1 to 0 at the bound, and beyond it there is none', () => {
    const { scores } = judged(near, amounts('1.00'), amounts('1.00', '1.05', '0.95', '1.10', '0.90', '1.11', '0.89'));
    expect(scores).toEqual([1, 0.5, 0.5, 0, 0, none, none]);
  });

  test('a share of no amount is none: what has none fits nothing, with a date or without, and keeps nobody else from fitting', () => {
    const dated = (date: string | undefined, ...all: readonly (string | undefined)[]) =>
      all.map((amount, index) => ({ id: `r${index}`, currency: 'EUR', ...(amount && { amount }), ...(date && { date }) }));
    const condition = { ...near, tolerance: { percent: '5' } };
    const soon = { field: 'date', type: 'date', within: { before: 1, after: 1 } };
    for (const ours of ['2026-04-01', undefined]) {
      for (const theirs of ['2026-04-01', undefined]) {
        const [source, target] = [dated(ours, '1.00', undefined), dated(theirs, undefined, '1.05')];
        const { accepted, found } = judged(condition, source, target);
        expect([accepted, found()]).toEqual([[[0, 1]], [[0, 1]]]);
        const isDated = ours !== undefined && theirs !== undefined;
        expect(run(source, target, pass([condition, soon])).summary.matched).toBe(isDated ? 1 : 0);
        expect(run(source, [], pass([condition, soon])).summary.missingInTarget).toBe(2);
      }
    }
  });

  test.each([
    { percent: '5', bps: '1000' },
    { percent: '10', bps: '500' },
    { percent: '5', absolute: '0.10' },
  ])('the score is measured by the larger of several limits (%j)', (tolerance) => {
    expect(judged({ ...near, tolerance }, amounts('1.00'), amounts('1.05')).scores).toEqual([0.5]);
  });

  test('what is missing, or in another currency, has neither a score nor a difference', () => {
    const source = [euro('a', '1.00'), { id: 'b', currency: 'EUR' }];
    const target = [euro('x', '1.00', { currency: 'USD' }), { id: 'y', currency: 'EUR' }, euro('z', '1.07')];
    const { scores, told } = judged(near, source, target);
    expect(scores.map(Number.isNaN)).toEqual([true, true, false, true, true, true]);
    expect(told).toEqual([
      { source: '1.00', target: '1.00' },
      { source: '1.00', target: null },
      { source: '1.00', target: '1.07', delta: '0.07' },
      { source: null, target: '1.00' },
      { source: null, target: null },
      { source: null, target: '1.07' },
    ]);
  });

  test('it finds exactly what it accepts, with a fee and with limits that differ', () => {
    const tolerance = { below: { absolute: '0.10' }, above: { percent: '10', bps: '500' } };
    const fee = { percent: '10', fixed: '0.05' };
    const source = amounts('1.00', '-1.00', '20.00');
    const target = amounts('1.10', '0.95', '0.85', '0.75', '0.74', '-0.95', '-1.05', '-0.85', '18.00', '19.95', '19.96');
    const { accepted, found } = judged({ ...near, tolerance, fee }, source, target);
    expect(accepted).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 5],
      [1, 6],
      [1, 7],
      [2, 8],
      [2, 9],
    ]);
    expect(found()).toEqual(accepted);
  });

  test('fields beside the amount are read in the digits of the currency, and both may be transformed', () => {
    const source = [{ id: 'a', currency: 'JPY', gross: '12' }, euro('b', '1.00', { gross: '-1.05' }), euro('c', '1.00', { gross: 'much' })];
    const target = [euro('x', '12', { currency: 'JPY' }), euro('y', '1.00')];
    const { scores, told } = judged({ ...near, field: undefined, source: 'gross', target: 'amount', normalize: ['abs'] }, source, target);
    expect(scores).toEqual([1, none, none, 0.5, none, none]);
    expect(told[0]).toEqual({ source: '12', target: '12', delta: '0' });
    expect(told[3]).toEqual({ source: '1.05', target: '1.00', delta: '-0.05' });
    expect(judged({ ...near, normalize: ['abs'] }, amounts('-1.00'), amounts('1.00')).scores).toEqual([1]);
  });

  test('the fee is taken from what arrives after the change of currency, and the tolerance is a share of that', () => {
    const fx = { table: { 'EUR/USD': '2' } };
    const dollars = ['1.90', '2.00', '2.10', '2.11', '1.80', '1.79', '1.91'].map((amount) => euro(amount, amount, { currency: 'USD' }));
    const withFee = { ...near, fee: { fixed: '0.10' }, tolerance: { above: { percent: '10' }, below: { percent: '5' } }, fx };
    const { scores, judge } = judged(withFee, amounts('1.00'), dollars);
    expect(scores.map((score) => Math.round(score * 1e6) / 1e6)).toEqual([1, 0.5, 0, none, 0, none, 0.95]);
    // No band can hold amounts of several currencies.
    expect(judge.finder).toBeUndefined();
  });

  test('without a rate, an amount or a currency nothing is converted', () => {
    const source = [euro('a', '1.00', { rate: '2' }), { id: 'b', currency: 'EUR', rate: '2' }, euro('c', '1.00')];
    const target = [euro('x', '2.00', { currency: 'USD' }), { id: 'y', currency: 'USD' }];
    const byField = { ...near, tolerance: { percent: '10' }, fee: { percent: '0' }, fx: { field: 'rate' } };
    expect(judged(byField, source, target).scores).toEqual([1, none, none, none, none, none]);
    const zero = [{ id: 'a', amount: '0', rate: '2' }];
    expect(judged(byField, zero, amounts('0')).scores).toEqual([none]);
    expect(judged(byField, [euro('a', '0', { rate: '2' })], zero).scores).toEqual([none]);
  });

  test('what is of no currency is converted from none and into none', () => {
    const byField = { ...near, field: 'gross', fx: { field: 'rate' } };
    const rows = ['EUR', ''].map((currency, index) => ({ id: `r${index}`, currency, gross: '1.00', rate: '1' }));
    expect(judged(byField, rows, rows).scores).toEqual([1, none, none, none]);
  });

  test('half a minor unit of the target is rounded away from zero, whichever currency has more digits', () => {
    const fx = { table: { 'JPY/EUR': '0.006125', 'EUR/JPY': '125', 'EUR/USD': '1.5', 'EUR/GBP': '1.005' } };
    const rounded = (amount: string, from: string, to: string, ...candidates: readonly string[]) =>
      judged(
        { field: 'amount', type: 'amount', fx },
        [euro('a', amount, { currency: from })],
        candidates.map((one) => euro(one, one, { currency: to })),
      ).accepted.map(([, t = 0]) => candidates[t]);
    expect(rounded('1000', 'JPY', 'EUR', '6.12', '6.13')).toEqual(['6.13']);
    expect(rounded('-1000', 'JPY', 'EUR', '-6.12', '-6.13')).toEqual(['-6.13']);
    expect(rounded('0.02', 'EUR', 'JPY', '2', '3')).toEqual(['3']);
    // 100 cents by 1.005 are 100.49999999999999 in doubles.
    expect(rounded('1.00', 'EUR', 'GBP', '1.00', '1.01')).toEqual(['1.01']);
    expect(rounded('0.01', 'EUR', 'USD', '0.01', '0.02')).toEqual(['0.02']);
    // Beyond 2^40 a double might no longer tell which side of a half it is on.
    expect(rounded('60000000000.01', 'EUR', 'USD', '90000000000.01', '90000000000.02')).toEqual(['90000000000.02']);
  });

  test('of several limits the larger counts, to the last whole unit inside it', () => {
    const bounds = (tolerance: object, amount: string, ...distances: readonly number[]) => {
      const cents = Math.round(Number(amount) * 100);
      const target = distances.map((distance) => euro(String(distance), ((cents + distance) / 100).toFixed(2)));
      return judged({ ...near, tolerance }, [euro('a', amount)], target).accepted.map(([, t = 0]) => distances[t]);
    };
    expect(bounds({ absolute: '0.10', percent: '5', bps: '700' }, '1.00', 5, 7, 8, 10, 11)).toEqual([5, 7, 8, 10]);
    expect(bounds({ absolute: '0.10', percent: '5', bps: '700' }, '2.00', 10, 14, 15)).toEqual([10, 14]);
    expect(bounds({ bps: '500', percent: '7' }, '2.00', 10, 14, 15)).toEqual([10, 14]);
    expect(bounds({ percent: '0.5' }, '1.99', 0, 1)).toEqual([0]);
    expect(bounds({ absolute: '0.019' }, '1.00', 1, 2)).toEqual([1]);
    // 29 % of 100 cents, which doubles make 28.999999999999996.
    expect(bounds({ percent: '29' }, '1.00', 29, 30)).toEqual([29]);
    // 999999999.99999999999 cents, which doubles make 1000000000.0000001.
    expect(bounds({ percent: '10.000000001' }, '99999999.99', 999_999_999, 1_000_000_000)).toEqual([999_999_999]);
  });

  test('a table needs a rate for each pair of currencies, and none for the same currency', () => {
    const byTable = { ...near, fx: { table: { 'EUR/JPY': '162.5', 'JPY/KWD': '0.002', 'KWD/EUR': '3' } } };
    const source = [euro('a', '2.00'), euro('b', '1000', { currency: 'JPY' }), euro('c', '2.345', { currency: 'KWD' })];
    const target = [euro('x', '2.00'), euro('y', '325', { currency: 'JPY' }), euro('z', '2.000', { currency: 'KWD' }), euro('q', '7.04')];
    expect(judged(byTable, source, target).scores.map(Number.isNaN)).toEqual(
      [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1].map((isAccepted) => isAccepted === 0),
    );
  });

  test('a rate is a plain positive decimal, and nothing around it', () => {
    const rates = ['1', '1.0', '000000000001.000000000000', '1.', '.1', '-1', '+1', ' 1', '1x', 'x1', '1e0', '1.x', '1x0'];
    const source = rates.map((rate, index) => euro(`r${index}`, '1.00', { rate }));
    const { accepted } = judged({ ...near, fx: { field: 'rate' } }, source, amounts('1.00'));
    expect(accepted.map(([s]) => rates[s])).toEqual(['1', '1.0', '000000000001.000000000000']);
    const tooLong = ['0000000000001', '1.0000000000000'].map((rate, index) => euro(`r${index}`, '1.00', { rate }));
    expect(judged({ ...near, fx: { field: 'rate' } }, tooLong, amounts('1.00')).accepted).toEqual([]);
  });

  test('a fee contract says what should arrive, and a wrong fee is told from a wrong amount', () => {
    const fee = { percent: '2.9', fixed: '0.30' };
    const match = [reference, { field: 'amount', type: 'amount', fee, verify: true }];
    // 2.9 % of 100.00 is 2.90, and of 10.50 it is 0.3045, rounded to 0.30.
    expect(outcomeOf(['a', '100.00'], ['a', '96.80'], match)).toBe('matched');
    expect(outcomeOf(['a', '10.50'], ['a', '9.90'], match)).toBe('matched');
    const [wrong] = run([euro('a', '100.00')], [euro('a', '96.79')], pass(match)).results;
    expect(wrong).toMatchObject({ outcome: 'mismatched', category: 'fee_mismatch', delta: { amount: '-3.21' } });
  });

  test('where one of several was to hold and none does, all of them have failed', () => {
    const amount = { field: 'amount', type: 'amount' };
    const found = (...conditions: object[]) =>
      run(
        [euro('a', '2000.00', { note: 'n' })],
        [euro('a', '900.00', { net: '880.00', note: 'm' })],
        pass([reference, { type: 'oneOf', conditions, verify: true }]),
      ).results[0];
    const net = { source: 'amount', target: 'net', type: 'amount' };
    expect(found(amount, net)).toMatchObject({ outcome: 'mismatched', category: 'amount_mismatch', delta: { amount: '-1100.00' } });
    expect(found({ field: 'note', type: 'exact' }, { ...net, fee: { percent: '3' } })).toMatchObject({
      category: 'fee_mismatch',
      delta: { amount: null },
    });
    expect(found({ field: 'note', type: 'exact' }, { field: 'id', type: 'regex', pattern: '(x)' })).toMatchObject({
      category: 'field_mismatch',
    });
  });

  test('a rate in one of several alternatives brings two currencies together', () => {
    const amount = { field: 'amount', type: 'amount' };
    const match = [reference, { type: 'oneOf', conditions: [amount, { ...amount, fx: { table: { 'EUR/USD': '2' } } }] }];
    expect(outcomeOf(['a', '1.00'], ['a', '2.00', { currency: 'USD' }], match)).toBe('matched');
    expect(outcomeOf(['a', '1.00'], ['a', '1.00', { currency: 'USD' }], match)).toBe('missing_in_target');
    expect(outcomeOf(['a', '1.00'], ['a', '1.00'], match)).toBe('matched');
  });

  test('a difference beyond what a double can hold is exact', () => {
    const match = [reference, { field: 'amount', type: 'amount', verify: true }];
    const [far] = run([euro('a', '-90071992547409.91')], [euro('a', '90071992547409.90')], pass(match)).results;
    expect(far?.delta?.amount).toBe('180143985094819.81');
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

  const days = (...all: readonly (string | undefined)[]) =>
    all.map((date, index) => ({ id: `r${index}`, ...(date === undefined ? {} : { date }) }));
  const soon = { field: 'date', type: 'date', within: { before: 2, after: 4 } };

  test('the score falls from 1 to 0 at either end of the window, and it finds exactly what it accepts', () => {
    const target = days('2026-04-10', '2026-04-09', '2026-04-08', '2026-04-07', '2026-04-11', '2026-04-14', '2026-04-15');
    const { scores, accepted, found } = judged(soon, days('2026-04-10'), target);
    expect(scores).toEqual([1, 0.5, 0, none, 0.75, 0, none]);
    expect(found()).toEqual(accepted);
  });

  test.each(['days', 'business-days'])('an absent date is near nothing, not even near another absent one (%s)', (unit) => {
    const condition = { ...soon, within: { ...soon.within, unit } };
    const { scores, told } = judged(condition, days('2026-04-10', undefined), days('2026-04-11', undefined));
    expect(scores.map(Number.isNaN)).toEqual([false, true, true, true]);
    expect(told).toEqual([
      { source: '2026-04-10', target: '2026-04-11', delta: 1 },
      { source: '2026-04-10', target: null },
      { source: null, target: '2026-04-11' },
      { source: null, target: null },
    ]);
  });

  test('fields beside the date count by the day they begin with, and both may be transformed', () => {
    const paid = ['2026-04-10', '2026-04-10T23:59:59Z', '2026-04-10 08:00 CET', 'on 2026-04-10', '2026-04-101', '2026-02-30', ''];
    const source = paid.map((paidOn, index) => ({ id: `r${index}`, paidOn }));
    const beside = { ...soon, field: undefined, source: 'paidOn', target: 'date' };
    expect(judged(beside, source, days('2026-04-10')).scores).toEqual([1, 1, 1, none, none, none, none]);
    const nextYear = [{ regexReplace: { pattern: '^2026', with: '2027' } }];
    expect(judged({ ...soon, normalize: { source: nextYear } }, days('2026-04-10'), days('2027-04-10')).scores).toEqual([1]);
  });

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
    const inDays = { ...pass([reference]), openItems: { expectWithin: { after: 3 } } };
    const dueOn = (date: string | undefined) => run([], [euro('a', '1.00', { date })], inDays).results[0]?.dueOn;
    expect(['2026-04-27', '2026-04-28', undefined].map(dueOn)).toEqual([undefined, '2026-05-01', undefined]);
  });
});

describe('other fields', () => {
  const amount = { field: 'amount', type: 'amount' };

  test.each([
    ['reference', { field: 'reference' }],
    ['currency', { field: 'currency' }],
    ['date', { field: 'date' }],
    ['currency', { field: 'currency', normalize: ['lowercase'] }],
    ['date', { source: 'date', target: 'paidOn' }],
    ['paidOn', { source: 'paidOn', target: 'date' }],
  ] as const)('exact: %s agrees where both say the same, and absent equals nothing (%j)', (name, fields) => {
    const values = { reference: ['k', 'l'], currency: ['EUR', 'USD'], date: ['2026-04-01', '2026-04-02'], paidOn: [] };
    const [one, other] = name === 'paidOn' ? values.date : values[name];
    const rows = [one, other, ''].map((value, index) =>
      'source' in fields ? { id: `r${index}`, [fields.source]: value, [fields.target]: value } : { id: `r${index}`, [name]: value },
    );
    const { scores, told, accepted, found, judge } = judged({ type: 'exact', ...fields }, rows, rows);
    expect(scores).toEqual([1, none, none, none, 1, none, none, none, none]);
    const shown = 'normalize' in fields ? one?.toLowerCase() : one;
    expect(told[0]).toEqual({ source: shown, target: shown });
    expect(told[8]).toEqual({ source: null, target: null });
    expect(found()).toEqual(accepted);
    expect(judge).toMatchObject({ type: 'exact', field: name });
  });

  test('a column of another name is compared with its own column, whatever it is called', () => {
    const { scores } = judged(
      { type: 'exact', source: 'currency', target: 'unit' },
      [euro('a', '1.00')],
      [euro('x', '1.00', { currency: 'EUR', unit: 'USD' }), euro('y', '1.00', { currency: 'USD', unit: 'EUR' })],
    );
    expect(scores).toEqual([none, 1]);
  });

  test('each look-alike has its own score, however many there are and whatever is absent between them', () => {
    const name = (counterparty: string, index: number) => ({ id: `r${index}`, counterparty });
    const fuzzy = { field: 'counterparty', type: 'fuzzy', similarity: 'levenshtein', threshold: 0.5 };
    const target = ['abcd', '', 'abcx', 'wxyz', 'abxx'].map(name);
    const { scores, told, judge } = judged(fuzzy, ['abcd', '', 'abxx'].map(name), target);
    expect(scores).toEqual([1, none, 0.75, none, 0.5, none, none, none, none, none, 0.5, none, 0.75, none, 1]);
    expect(told.slice(0, 2)).toEqual([
      { source: 'abcd', target: 'abcd' },
      { source: 'abcd', target: null },
    ]);
    expect(judge.type).toBe('fuzzy');
    // More than are compared at once.
    const many = Array.from({ length: 2_500 }, (_, index) => name(index % 2 === 0 ? 'abcd' : 'abcx', index));
    expect(judged(fuzzy, [name('abcd', 0)], many).scores).toEqual(many.map(({ counterparty }) => (counterparty === 'abcd' ? 1 : 0.75)));
  });

  describe('numbers', () => {
    const weights = (...all: readonly string[]) => all.map((weight, index) => ({ id: `r${index}`, weight }));
    const number = (tolerance: object) => ({ field: 'weight', type: 'number', tolerance });

    test('the score falls from 1 to 0 at the bound, and without a tolerance only what is equal has one', () => {
      const { scores, judge } = judged(
        number({ absolute: '0.5' }),
        weights('2'),
        weights('2', '2.25', '1.75', '2.5', '1.5', '2.51', '1.49'),
      );
      expect(scores).toEqual([1, 0.5, 0.5, 0, 0, none, none]);
      expect(judge).toMatchObject({ type: 'number', field: 'weight' });
      expect(judged({ field: 'weight', type: 'number' }, weights('2'), weights('2', '+2.0', '2.000001')).scores).toEqual([1, 1, none]);
    });

    test('shares are of the magnitude on the source, the larger limit counts, and each side may have its own', () => {
      const accepted = (tolerance: object, source: string, ...all: readonly string[]) =>
        judged(number(tolerance), weights(source), weights(...all)).accepted.map(([, t = 0]) => all[t]);
      expect(accepted({ percent: '10', bps: '500' }, '-20', '-22', '-18', '-22.1', '-17.9')).toEqual(['-22', '-18']);
      expect(accepted({ percent: '5', bps: '1000' }, '20', '22', '22.1')).toEqual(['22']);
      expect(accepted({ percent: '5', absolute: '3' }, '20', '23', '23.1')).toEqual(['23']);
      expect(accepted({ below: { absolute: '1' }, above: { percent: '10' } }, '20', '19', '18.9', '22', '22.1')).toEqual(['19', '22']);
      expect(accepted({ absolute: '3', above: { absolute: '1' } }, '20', '17', '21', '21.1')).toEqual(['17', '21']);
    });

    test('the last digits of a double decide nothing, at any magnitude, and nothing greater is forgiven', () => {
      const { scores } = judged(number({ absolute: '0.1' }), weights('0.7', '-1000000.7'), weights('0.8', '0.80000001', '-1000000.8'));
      expect(scores).toEqual([0, none, none, none, none, 0]);
    });

    test('whole numbers that differ are not equal, however large', () => {
      const accepted = (one: string, other: string, tolerance = {}) =>
        judged({ field: 'weight', type: 'number', ...tolerance }, weights(one), weights(other)).accepted.length === 1;
      expect(accepted('1000000000000', '1000000000001')).toBe(false);
      expect(accepted('1000000000000000', '1000000000000999')).toBe(false);
      expect(accepted('1000000000000000', '1000000000000999', { tolerance: { absolute: '999' } })).toBe(true);
      expect(accepted('123456789.1', '123456789.2', { tolerance: { absolute: '0.1' } })).toBe(true);
      expect(accepted('70', '77', { tolerance: { percent: '10' } })).toBe(true);
      expect(accepted('0.7', '0.8000001', { tolerance: { absolute: '0.1' } })).toBe(false);
      const { told } = judged({ field: 'weight', type: 'number' }, weights('1'), weights('9007199254740991'));
      expect(told).toMatchObject([{ delta: '9007199254740990' }]);
    });

    test('only a plain decimal is a number, after the transforms of its side', () => {
      const all = ['1', '+1', '-1', '1.50', '1.', '.5', '1e0', 'x1', '1x', '1.5x', '1x5', ''];
      const { scores, told } = judged({ ...number({ absolute: '5' }), normalize: { target: ['abs'] } }, weights(...all), weights('-2'));
      expect(all.filter((_, index) => !Number.isNaN(scores[index]))).toEqual(['1', '+1', '-1', '1.50']);
      expect(told[3]).toEqual({ source: '1.5', target: '2', delta: '0.5' });
      expect(told.at(-1)).toEqual({ source: null, target: '2' });
      expect(judged(number({ absolute: '1' }), weights('0.7'), weights('0.8', 'much')).told).toEqual([
        { source: '0.7', target: '0.8', delta: '0.1' },
        { source: '0.7', target: null },
      ]);
    });
  });

  test('look-alikes count from their threshold on', () => {
    const match = [amount, { field: 'counterparty', type: 'fuzzy', threshold: 0.88, normalize: ['lowercase'] }];
    expect(outcomeOf(['a', '1.00', { counterparty: 'Martha' }], ['b', '1.00', { counterparty: 'MARHTA' }], match)).toBe('matched');
    expect(outcomeOf(['a', '1.00', { counterparty: 'Martha' }], ['b', '1.00', { counterparty: 'Arthur' }], match)).toBe(
      'missing_in_target',
    );
  });

  test('a pattern captures what is compared, and no capture never matches', () => {
    const numbered = (...all: readonly string[]) => all.map((reference, index) => ({ id: `r${index}`, reference }));
    const { scores, told, accepted, found, judge } = judged(
      { field: 'reference', type: 'regex', pattern: 'INV-?([0-9]+)?', normalize: { target: [{ stripPrefix: 'no ' }] } },
      numbered('to INV-0042', 'INV', '0042', ''),
      numbered('no INV0042 thanks', 'INV0043', 'INV', '0042', ''),
    );
    expect(accepted).toEqual([[0, 0]]);
    expect(scores[0]).toBe(1);
    expect(found()).toEqual(accepted);
    expect(told.slice(0, 3)).toEqual([
      { source: '0042', target: '0042' },
      { source: '0042', target: '0043' },
      { source: '0042', target: null },
    ]);
    expect(judge).toMatchObject({ type: 'regex', field: 'reference' });
    const match = [{ source: 'reference', target: 'description', type: 'regex', pattern: '(?i)INV-?([0-9]+)' }];
    expect(outcomeOf(['a', '1.00', { reference: 'INV-0042' }], ['b', '1.00', { description: 'payment inv0042' }], match)).toBe('matched');
  });

  test('alternatives score and say what the best of them does, in whichever order they stand', () => {
    const near = { field: 'amount', type: 'amount', tolerance: { absolute: '0.10' } };
    const source = [euro('a', '1.00', { reference: 'k' })];
    const target = [
      euro('x', '1.05', { reference: 'k' }),
      euro('y', '1.05', { reference: 'z' }),
      euro('z', '2.00', { reference: 'k' }),
      euro('q', '2.00', { reference: 'z' }),
    ];
    const byText = { source: 'k', target: 'k' };
    for (const conditions of [
      [near, reference],
      [reference, near],
    ]) {
      const { scores, told, judge } = judged({ type: 'oneOf', conditions }, source, target);
      expect(scores).toEqual([1, 0.5, 1, none]);
      expect(told.slice(0, 3)).toEqual([byText, { source: '1.00', target: '1.05', delta: '0.05' }, byText]);
      expect(judge).toMatchObject({ type: 'oneOf', field: conditions.map(({ field }) => field).join(' | '), finder: { kind: 'any' } });
      // Asked again, about fewer pairs and then about more.
      const again = new Float64Array(5).fill(-1);
      judge.judge(Int32Array.of(0), Int32Array.of(3), 1, again);
      expect(again.slice(0, 2)).toEqual(Float64Array.of(none, -1));
      judge.judge(Int32Array.of(0, 0, 0, 0, 0), Int32Array.of(3, 2, 1, 0, 1), 5, again);
      expect([...again]).toEqual([none, 1, 0.5, 1, 0.5]);
    }
    const wider = { ...near, tolerance: { absolute: '0.20' } };
    expect(judged({ type: 'oneOf', conditions: [near, wider] }, source, target.slice(0, 1)).scores).toEqual([0.75]);
    expect(judged({ type: 'oneOf', conditions: [wider, near] }, source, target.slice(0, 1)).scores).toEqual([0.75]);
  });

  test('alternatives find nobody by themselves where one of them does not', () => {
    const alike = { field: 'reference', type: 'fuzzy', threshold: 0.9 };
    expect(
      judged({ type: 'oneOf', conditions: [reference, alike] }, [euro('a', '1.00')], [euro('a', '1.00')]).judge.finder,
    ).toBeUndefined();
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
