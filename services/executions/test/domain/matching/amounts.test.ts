import { describe, expect, test } from 'vitest';
import { judged, none, outcomeOf, reference } from './judged.ts';
import { euro, pass, run } from './records.ts';

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
    const dollar = [euro('x', '1.00', { currency: 'USD' })];
    const { accepted } = judged({ ...near, fx: { field: 'rate' } }, source, dollar);
    expect(accepted.map(([s]) => rates[s])).toEqual(['1', '1.0', '000000000001.000000000000']);
    const tooLong = ['0000000000001', '1.0000000000000'].map((rate, index) => euro(`r${index}`, '1.00', { rate }));
    expect(judged({ ...near, fx: { field: 'rate' } }, tooLong, dollar).accepted).toEqual([]);
  });

  test('a rate on the record is none within one currency', () => {
    const source = [euro('a', '100.00', { rate: '1.0835' }), euro('b', '100.00')];
    const target = [euro('x', '100.00'), euro('y', '108.35')];
    expect(judged({ ...near, fx: { field: 'rate' } }, source, target).accepted).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test('what stands in a field and is no amount is told, with the side that has it', () => {
    const gross = (id: string, said: string) => euro(id, '1.00', { gross: said });
    const beside = { field: 'gross', type: 'amount' };
    const { told } = judged(
      beside,
      [gross('a', '1,234.50'), gross('b', '5.00')],
      [gross('x', '10.001'), gross('y', '+5.00'), gross('z', '')],
    );
    expect(told.map(({ reason }) => reason)).toEqual([
      ...Array.from({ length: 3 }, () => 'gross of the source is no amount in EUR: "1,234.50"'),
      'gross of the target is no amount in EUR: "10.001"',
      undefined,
      undefined,
    ]);
    const [found] = run(
      [gross('a', '1,234.50')],
      [{ ...gross('x', '1,234.50'), reference: 'a' }],
      pass([reference, { ...beside, verify: true }]),
    ).results;
    expect(found).toMatchObject({ outcome: 'mismatched', reason: 'gross of the source is no amount in EUR: "1,234.50"' });
  });

  test('a plus sign is a sign to every transform', () => {
    const signed = (normalize: unknown[], ours: string, theirs: string) =>
      judged(
        { field: 'gross', type: 'amount', normalize: { source: normalize } },
        [euro('a', '1', { gross: ours })],
        [euro('x', '1', { gross: theirs })],
      ).scores;
    expect([signed(['negate'], '+5.00', '-5.00'), signed(['abs'], '+5.00', '5.00'), signed([{ round: 1 }], '+5.06', '5.10')]).toEqual([
      [1],
      [1],
      [1],
    ]);
  });

  test('of several amounts that are compared the one that differs says by how much', () => {
    const net = { field: 'net', type: 'amount', verify: true };
    const [found] = run(
      [euro('a', '10000.00', { net: '9700.00' })],
      [euro('x', '10000.00', { net: '100.00', reference: 'a' })],
      pass([reference, { field: 'amount', type: 'amount', verify: true }, net]),
    ).results;
    expect(found).toMatchObject({ category: 'amount_mismatch', delta: { amount: '-9600.00' } });
  });

  test('a fee contract says what should arrive, and a wrong fee is told from a wrong amount', () => {
    const fee = { percent: '2.9', fixed: '0.30' };
    const match = [reference, { field: 'amount', type: 'amount', fee, verify: true }];
    // 2.9 % of 100.00 is 2.90, and of 10.50 it is 0.3045, rounded to 0.30.
    expect(outcomeOf(['a', '100.00'], ['a', '96.80'], match)).toBe('matched');
    expect(outcomeOf(['a', '10.50'], ['a', '9.90'], match)).toBe('matched');
    const [wrong] = run([euro('a', '100.00')], [euro('a', '96.79')], pass(match)).results;
    expect(wrong).toMatchObject({ outcome: 'mismatched', category: 'fee_mismatch', delta: { amount: '-3.21', fromExpected: '-0.01' } });
    const abroad = [reference, { field: 'amount', type: 'amount', fee, fx: { table: { 'EUR/USD': '2' } }, verify: true }];
    const [kept] = run([euro('a', '100.00')], [euro('x', '200.00', { reference: 'a', currency: 'USD' })], pass(abroad)).results;
    expect(kept).toMatchObject({ category: 'fee_mismatch', delta: { amount: '0.00', fromExpected: '6.10' } });
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
