import { describe, expect, test } from 'vitest';
import { judged, none, outcomeOf, reference } from './judged.ts';
import { euro, pass, run } from './records.ts';

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
    // With an offset they are instants, which count on their day in UTC, as in the date of a record.
    const instants = ['2026-04-09T23:30:00-02:00', '2026-04-11T01:30+0200', '2026-04-10 23:59:59.5Z', '2026-04-10T23:30:00-02'];
    const moments = instants.map((paidOn, index) => ({ id: `r${index}`, paidOn }));
    expect(judged({ ...beside, within: { before: 0, after: 0 } }, moments, days('2026-04-10')).scores).toEqual([1, 1, 1, none]);
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
        { source: '0.7', target: null, reason: 'weight of the target is no number: "much"' },
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
