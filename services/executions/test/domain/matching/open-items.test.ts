import { rules as rulesSchema } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fields, type RecordBatch, rowStates } from '../../../src/domain/matching/batch.ts';
import { createBatchBuilder } from '../../../src/domain/matching/batch-builder.ts';
import { reconcile } from '../../../src/domain/matching/reconcile.ts';
import { createOpenItems } from '../../../src/domain/open-items.ts';
import { asOf, batchOf, euro, pass } from './records.ts';

const carried = (record: Fields, occurrence = 1) => ({ record, occurrence });
const anonymous = (amount: string, reference = 'r'): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference });
const statesOf = ({ states }: RecordBatch) => Array.from(states, (state) => rowStates[state]);
const standingFor = ({ supersedes }: RecordBatch) => [...supersedes];

describe('an open item that is delivered again', () => {
  it('is the delivered record where ids are equal, whatever that says now', () => {
    const batch = batchOf([euro('a', '1.00'), euro('b', '2.00')], true, [carried(euro('b', '9.00')), carried(euro('c', '3.00'))]);
    expect(statesOf(batch)).toEqual(['usable', 'usable', 'superseded', 'usable']);
    expect(standingFor(batch)).toEqual([[1, 2]]);
  });

  it('stays what it is where nobody knows which of the delivered ones it is, or none can be read', () => {
    const contradiction = batchOf([euro('a', '1.00'), euro('a', '2.00')], true, [carried(euro('a', '1.00'))]);
    expect(statesOf(contradiction)).toEqual(['invalid', 'invalid', 'usable']);
    const unreadable = batchOf([{ line: 2, invalid: { field: 'amount', reason: 'no' }, partial: { id: 'a' } }], true, [
      carried(euro('a', '1.00')),
    ]);
    expect(statesOf(unreadable)).toEqual(['invalid', 'usable']);
  });

  it('is not a repetition of what is delivered once', () => {
    expect(statesOf(batchOf([euro('a', '1.00'), euro('a', '1.00')], true, [carried(euro('a', '1.00'))]))).toEqual([
      'usable',
      'repeated',
      'superseded',
    ]);
  });

  it('is, without ids, the copy of its number', () => {
    const batch = batchOf([anonymous('1.00'), anonymous('2.00'), anonymous('1.00')], false, [
      carried(anonymous('1.00'), 2),
      carried(anonymous('1.00'), 3),
      carried(anonymous('1.00', 'other'), 1),
    ]);
    expect(standingFor(batch)).toEqual([[2, 3]]);
    expect(statesOf(batch).slice(3)).toEqual(['superseded', 'usable', 'usable']);
  });

  it('is, without ids, the one that says the same in everything, and can be used', () => {
    const items = ['r', 's', 'r'].map((reference, index) => carried(anonymous('1.00', reference), index === 2 ? 2 : 1));
    expect(
      standingFor(
        batchOf(
          ['s', 'r', 'r'].map((reference) => anonymous('1.00', reference)),
          false,
          items,
        ),
      ),
    ).toEqual([
      [1, 3],
      [0, 4],
      [2, 5],
    ]);
    expect(standingFor(batchOf([anonymous('1.005')], false, [carried(anonymous('1.005'))]))).toEqual([]);
    expect(standingFor(batchOf([anonymous('1.00')], false, [carried({ ...anonymous('1.00'), date: '2026-04-02' })]))).toEqual([]);
  });

  it('stays open where it stands beside a record of a match by hand, and nothing was delivered', () => {
    const builder = createBatchBuilder({ idMapped: true });
    expect(statesOf(builder.build([carried(euro('a', '1.00'))], [carried(euro('a', '1.00'))]))).toEqual(['usable', 'superseded']);
  });

  it('needs no id, though the input has ids now', () => {
    expect(statesOf(batchOf([euro('a', '1.00')], true, [carried(anonymous('1.00'))]))).toEqual(['usable', 'usable']);
  });
});

describe('a run with open items', () => {
  const rules = rulesSchema.parse(pass([{ field: 'reference', type: 'exact' }]));
  const record = fc.record({
    id: fc.integer({ min: 1, max: 12 }),
    reference: fc.integer({ min: 1, max: 8 }),
    amount: fc.integer({ min: 1, max: 3 }),
  });
  const said = ({ id, reference, amount }: { id: number; reference: number; amount: number }) =>
    euro(String(id), `${amount}.00`, { reference: String(reference) });
  const side = fc.tuple(
    fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 10 }),
    fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 10 }),
  );

  it('has every record in one result, and those that were delivered again not twice', () => {
    fc.assert(
      fc.property(side, side, (source, target) => {
        const [one, other] = [source, target].map(([delivered, open]) =>
          batchOf(
            delivered.map(said),
            true,
            open.map((item) => carried(said(item))),
          ),
        );
        if (one === undefined || other === undefined) return;
        const { at, length, summary } = reconcile({ source: one, target: other, rules, asOf });
        const results = Array.from({ length }, (_, place) => at(place));
        for (const [name, batch] of [
          ['source', one],
          ['target', other],
        ] as const) {
          const rows = results.flatMap((result) => result[name]).toSorted((a, b) => a - b);
          const expected = Array.from({ length: batch.length }, (_, row) => row).filter(
            (row) => rowStates[batch.states[row] as number] !== 'superseded',
          );
          expect(rows).toEqual(expected);
          expect(summary[name].records).toBe(expected.length);
        }
      }),
    );
  });

  it('does not depend on whether a record is delivered or carried', () => {
    fc.assert(
      fc.property(side, side, (source, target) => {
        const whole = ([delivered, open]: typeof source) => [
          ...delivered,
          ...open.filter(({ id }) => !delivered.some((known) => known.id === id)),
        ];
        const summaryOf = (isCarried: boolean) => {
          const batches = [source, target].map((records) =>
            isCarried
              ? batchOf(
                  records[0].map(said),
                  true,
                  records[1].map((item) => carried(said(item))),
                )
              : batchOf(whole(records).map(said)),
          );
          return reconcile({ source: batches[0] as RecordBatch, target: batches[1] as RecordBatch, rules, asOf }).summary;
        };
        expect(summaryOf(true)).toEqual(summaryOf(false));
      }),
    );
  });
});

describe('the identity of an open item', () => {
  const hash = (text: string): string => text;

  it('is its id and its side, whatever it says', () => {
    const batch = batchOf([euro('a', '1.00')]);
    expect(createOpenItems('source', hash).newKey(batch, euro('a', '1.00'))).toEqual(
      createOpenItems('source', hash).newKey(batch, euro('a', '2.00')),
    );
    expect(createOpenItems('source', hash).newKey(batch, euro('a', '1.00'))).not.toEqual(
      createOpenItems('target', hash).newKey(batch, euro('a', '1.00')),
    );
  });

  it('is without ids what it says, and the first number that none of those has who say the same', () => {
    const items = createOpenItems('source', hash);
    const batch = batchOf([anonymous('1.00')], false);
    const { identity } = createOpenItems('source', hash).newKey(batch, anonymous('1.00'));
    items.add({ identity, occurrence: 1, record: anonymous('1.00') });
    const numbers = [1, 2].map(() => items.newKey(batch, anonymous('1.00')));
    expect(numbers.map(({ occurrence }) => occurrence)).toEqual([2, 3]);
    expect(new Set([identity, ...numbers.map((key) => key.identity)]).size).toBe(3);
  });
});
