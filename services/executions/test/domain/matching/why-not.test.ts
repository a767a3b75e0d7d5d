import { describe, expect, test } from 'vitest';
import { whyNot } from '../../../src/domain/matching/explain/why-not.ts';
import { asOf, euro, pass, type Records, run } from './records.ts';

const rules = pass([
  { field: 'reference', type: 'exact' },
  { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
  { field: 'date', type: 'date', within: { after: 2 } },
]);
const ask = (source: Records, target: Records, row: number, isOver = () => false, own: unknown = rules) => {
  const { now, rules: parsed, ...batches } = run(source, target, own);
  return whyNot({ source: batches.source, target: batches.target, rules: parsed, asOf, now, isOver }, 'source', row);
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
});
