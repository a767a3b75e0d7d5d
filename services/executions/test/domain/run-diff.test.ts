import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Compared, createDiff } from '../../src/domain/run-diff.ts';

const record = (id: string, amount = '1.00') => ({ id, amount, currency: 'EUR' });
const anonymous = { amount: '1.00', currency: 'EUR', reference: 'a' };
const result = (isMatched: boolean, source: readonly object[], target: readonly object[] = []): Compared =>
  ({ isMatched, source, target }) as Compared;
const said = (before: readonly Compared[], after: readonly Compared[]) => {
  const diff = createDiff();
  diff.add(before);
  return diff.against(after).lines.map(({ change, side, count, amount }) => `${change} ${side} ${count} ${amount}`);
};

describe('two runs held against each other', () => {
  it('differ in what is matched, by record and in money', () => {
    const before = [
      result(true, [record('s1')], [record('t1')]),
      result(false, [record('s2')]),
      result(true, [record('s3')], [record('t3')]),
    ];
    const after = [
      result(true, [record('s1')], [record('t2')]),
      result(true, [record('s2', '2.00')], [record('t1')]),
      result(false, [record('s3')]),
    ];
    expect(said(before, after)).toEqual([
      'newly_matched source 1 2.00',
      'no_longer_matched source 1 1.00',
      'matched_otherwise source 1 1.00',
      'matched_otherwise target 1 1.00',
      'added target 1 1.00',
      'gone target 1 1.00',
    ]);
  });

  it('do not differ in what keeps a match whose other side one of them does not have', () => {
    const [pair, keeps, open] = [result(true, [record('s1')], [record('t1')]), result(true, [record('s1')]), result(false, [record('s1')])];
    expect(said([pair], [keeps])).toEqual(['gone target 1 1.00']);
    expect(said([keeps], [pair])).toEqual(['added target 1 1.00']);
    expect(said([keeps], [open])).toEqual(['no_longer_matched source 1 1.00']);
    expect(said([open], [keeps])).toEqual(['newly_matched source 1 1.00']);
  });

  it('say the same of a record whatever the order of its fields, and of those without ids as often as they are said', () => {
    const turned = { reference: 'a', currency: 'EUR', amount: '1.00' };
    expect(
      said(
        [result(true, [anonymous], [record('t1')]), result(false, [anonymous])],
        [result(false, [turned]), result(true, [turned], [record('t1')])],
      ),
    ).toEqual([]);
    expect(said([result(false, [anonymous])], [result(false, [turned]), result(false, [turned])])).toEqual(['added source 1 1.00']);
  });

  it('are the same as themselves, in whatever order their results come', () => {
    const runs = fc.uniqueArray(fc.tuple(fc.boolean(), fc.nat(20)), { selector: ([, id]) => id, maxLength: 20 });
    fc.assert(
      fc.property(runs, (found) => {
        const results = found.map(([isMatched, id]) =>
          result(isMatched, [record(`s${id}`)], isMatched ? [record(`t${id}`), record(`u${id}`)] : []),
        );
        expect(said(results, results.toReversed())).toEqual([]);
      }),
    );
  });
});
