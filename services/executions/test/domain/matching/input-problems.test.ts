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
  expect(inputProblems(rulesSchema.parse(pass(alternatives)), { source: one(), target: one() })).toMatchObject([
    { side: 'source', code: 'no_such_field' },
    { side: 'target', code: 'no_such_field' },
  ]);
});

test('a rate is asked of the source alone, in an alternative too', () => {
  const amount = { field: 'amount', type: 'amount', fx: { field: 'ratee' } };
  const rules = rulesSchema.parse(
    pass([
      { field: 'id', type: 'exact' },
      { type: 'oneOf', conditions: [amount, { field: 'reference', type: 'exact' }] },
    ]),
  );
  expect(inputProblems(rules, { source: one(), target: one() })).toMatchObject([
    { side: 'source', message: 'no record has a field ratee; there are amount, currency, date, id, metadata, reference' },
  ]);
});

test('a side of which nothing can be used is told once, by its first record', () => {
  const unreadable = batchOf([{ line: 2, invalid: { field: 'amount', reason: 'amount "1,00" is no number' }, partial: { id: 'a' } }]);
  expect(inputProblems(rulesOf('reference'), { source: unreadable, target: one() })).toEqual([
    {
      side: 'source',
      code: 'nothing_readable',
      message: 'none of the 1 records can be used; the first: line 2: amount "1,00" is no number',
      line: 2,
    },
  ]);
});

test('a field that only some records have is there, and a side of which something can be used is told nothing else', () => {
  const some = batchOf([{ id: 'a' }, euro('b', '1.00'), euro('c', '1.005')]);
  expect(inputProblems(rulesOf('amount', 'currency', 'date', 'id'), { source: some, target: one() })).toEqual([]);
  expect(inputProblems(rulesOf('amount', 'currency', 'date'), { source: batchOf([{ id: 'a' }]), target: one() })).toMatchObject(
    ['amount', 'currency', 'date'].map((field) => ({ side: 'source', message: `no record has a field ${field}; there are id` })),
  );
});

test('of many fields twenty are named, and of what is asked each once, in order', () => {
  const wide = batchOf([Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index + 10}`, 'x']))], false);
  const rules = { ...rulesOf('zeta', 'f10', 'alpha', 'zeta'), duplicates: { by: ['beta'], action: 'flag' as const } };
  const [first, ...rest] = inputProblems(rules, { source: wide, target: wide }).filter(({ side }) => side === 'source');
  expect(first?.message).toBe(
    `no record has a field alpha; there are ${Array.from({ length: 20 }, (_, index) => `f${index + 10}`).join(', ')}`,
  );
  expect(rest.map(({ message }) => message.split(';', 1)[0])).toEqual(['beta', 'zeta'].map((field) => `no record has a field ${field}`));
});

test('what has no line is told of without one', () => {
  const [problem] = inputProblems(rulesOf('id'), { source: batchOf([{ invalid: { reason: 'no' } }]), target: batchOf([]) });
  expect(problem?.message).toBe('none of the 1 records can be used; the first: no');
  expect(problem).not.toHaveProperty('line');
});

test('a side that has brought no record is told, whatever is open of it from earlier runs', () => {
  const message = 'this side has brought no record: its input is empty or a header alone, or has none of the days of the period';
  const empty = batchOf([]);
  expect(inputProblems(rulesOf('refrence'), { source: empty, target: empty })).toEqual([
    { side: 'source', code: 'no_records', message },
    { side: 'target', code: 'no_records', message },
  ]);
  const carried = { ...one(), carriedFrom: 0 };
  expect(inputProblems(rulesOf('reference'), { source: one(), target: carried })).toEqual([
    { side: 'target', code: 'no_records', message },
  ]);
});
