import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { messageOf } from '../src/problems.ts';
import { rules } from '../src/rules.ts';
import { day, instantInput } from '../src/time.ts';

const exact = { field: 'reference', type: 'exact' };
const faults = (value: unknown): string[] =>
  (rules.safeParse(value, { reportInput: true }).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
const faultsOf = (condition: object): string[] => faults({ matching: [exact, condition] });

describe('what is said of rules', () => {
  it.each([
    [{ passes: [{}] }, ['passes.0.name: is missing', 'passes.0.match: is missing']],
    [{ matching: [exact], duplicates: { action: 'flag' } }, ['duplicates.by: is missing']],
    [{ matching: [exact], approval: {} }, ['approval.above: is missing']],
    [{ matching: [exact, { type: 'oneOf' }] }, ['matching.1.conditions: is missing']],
  ])('names what is missing in %j', (value, said) => {
    expect(faults(value)).toEqual(said);
  });

  it('says which two forms there are where they have neither, and what stands there instead', () => {
    const neither = ': give `matching`, a list of conditions, or `passes`, each with a name and its `match`';
    expect(faults({})).toEqual([neither]);
    expect(faults({ matchings: [exact] })).toEqual(['matchings: is not a known field', neither]);
  });

  it('says that one of the two forms is enough where they have both', () => {
    expect(faults({ matching: [exact], passes: [{ name: 'one', match: [exact] }] })).toEqual([
      ': give `matching` or `passes`, and not both: a job that was read has `passes`',
    ]);
  });

  it.each([
    [{ field: 'date', type: 'date', within: 3 }, 'within: must be an object such as {"before": 0, "after": 3}'],
    [{ field: 'amount', type: 'amount', tolerance: 0.01 }, 'tolerance: must be an object such as {"absolute": "0.01"} or {"percent": "1"}'],
    [{ field: 'amount', type: 'amount', fee: 1.4 }, 'fee: must be an object such as {"percent": "1.4", "fixed": "0.25"}'],
    [
      { field: 'description', type: 'fuzzy', threshold: 80 },
      'threshold: must be a number above 0 and at most 1, such as 0.88: the least similarity that counts',
    ],
  ])('shows how it is written in place of %j', (condition, said) => {
    expect(faultsOf(condition)).toEqual([`matching.1.${said}`]);
  });
});

describe('what is said of days and instants', () => {
  const said = (schema: typeof day | typeof instantInput, value: unknown) =>
    schema.safeParse(value).error?.issues.map(({ message }) => message);

  it.each(['01.04.2026', '2026-02-30', 20_260_401])('is one thing of %j, which is no day', (value) => {
    expect(said(day, value)).toEqual(['must be a day such as 2026-04-01']);
  });

  it('is which days there are, of one that is out of them', () => {
    expect(said(day, '1899-12-31')).toEqual(['must be a day between 1900-01-01 and 2999-12-31']);
  });

  it('speaks of queries only where a plus has become a space', () => {
    expect(said(instantInput, '2026-04-01')).toEqual(['must be an instant such as 2026-04-01T09:30:00Z']);
    expect(said(instantInput, '2026-04-01T09:30:00 02:00')).toEqual([
      'must be an instant such as 2026-04-01T09:30:00Z; in a query, the + of an offset is written %2B',
    ]);
  });
});

describe('what is said of a value whose schema has no words of its own', () => {
  const said = (schema: z.ZodType, value: unknown) => schema.safeParse(value, { reportInput: true }).error?.issues.map(messageOf);

  it.each([
    [z.string(), 12, 'must be a string, not a number'],
    [z.number(), '30', 'must be a number, not a string'],
    [z.int(), 1.5, 'must be a whole number'],
    [z.boolean(), null, 'must be true or false, not null'],
    [z.array(z.string()), {}, 'must be a list, not an object'],
    [z.strictObject({}), ['a'], 'must be an object, not a list'],
    [z.record(z.string(), z.string()), true, 'must be an object, not a boolean'],
    [z.enum(['skip', 'run-once']), 'all', 'must be one of "skip", "run-once"'],
    [z.literal('x'), 'y', 'must be "x"'],
    [z.string().min(1), '', 'must have at least 1 character'],
    [z.string().max(3), 'abcd', 'must have at most 3 characters'],
    [z.array(z.string()).max(2), ['a', 'b', 'c'], 'must have at most 2 items'],
    [z.number().int().min(1).max(3_660), 0, 'must be at least 1'],
    [z.number().max(1), 2, 'must be at most 1'],
    [z.number().positive(), 0, 'must be more than 0'],
  ])('is plain: %#', (schema, value, message) => {
    expect(said(schema, value)).toEqual([message]);
  });

  it('is what the schema says where it has words', () => {
    expect(said(z.string('must be a day such as 2026-04-01'), 7)).toEqual(['must be a day such as 2026-04-01']);
  });
});
