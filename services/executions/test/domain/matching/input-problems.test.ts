import { rules as rulesSchema } from '@settler/contracts/rules';
import { expect, test } from 'vitest';
import { inputProblems } from '../../../src/domain/matching/input-problems.ts';
import { batchOf, euro, pass } from './records.ts';

const rulesOf = (...fields: readonly string[]) => rulesSchema.parse(pass(fields.map((field) => ({ field, type: 'exact' }))));
const one = () => batchOf([euro('a', '1.00', { metadata: { order: 7 } })]);

test('a rule about a field that no record has is told, with the fields that there are', () => {
  expect(inputProblems(rulesOf('refrence', 'amount', 'date'), { source: one(), target: one() })).toEqual(
    ['source', 'target'].map((side) => ({
      side,
      code: 'no_such_field',
      message: 'no record has a field refrence; there are amount, currency, date, id, metadata, reference',
    })),
  );
});

test('fields that are there are fine: those of numbers, paths into what is nested, and each side by its own name', () => {
  const rules = rulesSchema.parse(
    pass([
      { field: 'metadata.order', type: 'exact' },
      { source: 'id', target: 'reference', type: 'exact' },
    ]),
  );
  expect(inputProblems(rules, { source: one(), target: one() })).toEqual([]);
  const alternatives = [
    {
      type: 'oneOf',
      conditions: [
        { field: 'id', type: 'exact' },
        { field: 'iban', type: 'exact' },
      ],
    },
  ];
  expect(inputProblems(rulesSchema.parse(pass(alternatives)), { source: one(), target: batchOf([]) })).toMatchObject([
    { side: 'source', code: 'no_such_field' },
  ]);
});

test('a side of which nothing can be used is told once, by its first record', () => {
  const unreadable = batchOf([{ line: 2, invalid: { field: 'amount', reason: 'amount "1,00" is no number' }, partial: { id: 'a' } }]);
  expect(inputProblems(rulesOf('refrence'), { source: unreadable, target: batchOf([]) })).toEqual([
    {
      side: 'source',
      code: 'nothing_readable',
      message: 'none of the 1 records can be used; the first: line 2: amount "1,00" is no number',
      line: 2,
    },
  ]);
});
