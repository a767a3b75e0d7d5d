import { describe, expect, it } from 'vitest';
import { checkConfig, withRunInput } from '../../src/catalogue.ts';
import { openReader } from '../../src/readers.ts';
import { records } from '../../src/records/definition.ts';
import { conformance } from '../conformance.ts';
import { readRows } from '../reading.ts';

conformance({ name: 'records', holding: (records) => ({ config: { records } }), withoutInput: {} });

const good = { id: 'r1', amount: '1.00', currency: 'EUR', date: '2026-04-01', reference: 'order 1' };

const errorsOf = (config: unknown) => {
  const checked = checkConfig(records, config);
  return checked.ok ? [] : checked.errors.map(({ path, message }) => [path, message]);
};

const recordsOf = async (config: object) => (await readRows('records', config)).map((row) => ('record' in row ? row.record : row.invalid));

describe('inline records', () => {
  it('are made canonical, and keep every other field', async () => {
    const record = {
      id: ' r1 ',
      amount: '1,234.5',
      currency: 'eur',
      date: '2026-04-01T23:00:00-05:00',
      fee: '.3',
      tags: ['a', { b: 1 }],
      paid: true,
      note: null,
    };
    expect(await recordsOf({ records: [record] })).toEqual([
      { id: 'r1', amount: '1234.50', currency: 'EUR', date: '2026-04-02', fee: '0.3', tags: ['a', { b: 1 }], paid: true, note: null },
    ]);
  });

  it('take null for nothing', async () => {
    expect(await recordsOf({ records: [{ id: 'r1', amount: null, date: null, reference: null }] })).toEqual([{ id: 'r1' }]);
  });

  it('map fields from other keys', async () => {
    const fields = {
      amount: { column: 'total', decimal: ',', negate: true },
      net: { debit: 'out', credit: 'in' },
      date: { column: 'placed', format: 'dd.MM.yyyy' },
      currency: { value: 'EUR' },
      lines: 'items',
    };
    const source = { id: 'r1', total: '1.234,5', out: '5', in: null, placed: '01.04.2026', items: [{ sku: 7 }], other: 1 };
    expect(await recordsOf({ records: [source], fields })).toEqual([
      { id: 'r1', amount: '-1234.50', net: '-5', date: '2026-04-01', currency: 'EUR', lines: [{ sku: 7 }], other: 1 },
    ]);
  });

  it('have identities of their own where one has, or where the mapping says so', async () => {
    const idMapped = async (config: object) => (await openReader('records', config)).idMapped;
    expect(await idMapped({ records: [{ amount: '1' }] })).toBe(false);
    expect(await idMapped({ records: [good] })).toBe(true);
    expect(await idMapped({ records: [], fields: { id: 'key' } })).toBe(true);
    expect(await idMapped({})).toBe(false);
  });

  it.each([
    [{ ...good, amount: 'NaN' }, 'records[1].amount', '"NaN" is not a number'],
    [{ ...good, amount: '1.234,56' }, 'records[1].amount', '"1.234,56"'],
    [{ ...good, amount: '1e400' }, 'records[1].amount', '"1e400"'],
    [{ ...good, amount: 12.34 }, 'records[1].amount', 'must be a string, not number'],
    [{ ...good, amount: '' }, 'records[1].amount', 'is empty'],
    [{ ...good, amount: '0.001' }, 'records[1].amount', 'more decimals than EUR'],
    [{ ...good, currency: 'euro' }, 'records[1].currency', '"euro"'],
    [{ ...good, currency: 978 }, 'records[1].currency', 'must be a string'],
    [{ ...good, date: '2026-02-30' }, 'records[1].date', 'not a date that exists'],
    [{ ...good, date: '12026-01-01' }, 'records[1].date', '"12026-01-01"'],
    [{ ...good, fee: 'free' }, 'records[1].fee', '"free"'],
    [{ ...good, id: '' }, 'records[1].id', 'is empty'],
    [{ ...good, id: 7 }, 'records[1].id', 'must be a string'],
    [{ ...good, id: null }, 'records[1].id', 'is missing, while other records have one'],
    [{ ...good, id: 'r'.repeat(513) }, 'records[1].id', 'longer than 512'],
    [{ ...good, reference: ['x'] }, 'records[1].reference', 'must be a string'],
    [{ ...good, note: 'nul\0' }, 'records[1].note', 'NUL'],
    [{ ...good, deep: [{ note: 'half \udc00' }] }, 'records[1].deep[0].note', 'surrogates'],
    [{ ...good, 'k\0': 1 }, 'records[1]', 'called'],
    [JSON.parse('{"id": "r2", "__proto__": {"amount": "1"}}'), 'records[1]', '__proto__'],
    ['r2', 'records[1]', 'must be an object'],
    [[], 'records[1]', 'must be an object'],
    [null, 'records[1]', 'must be an object'],
  ])('answer at once for %j', (bad, path, message) => {
    expect(errorsOf({ records: [good, bad, good] })).toEqual([[path, expect.stringContaining(message)]]);
  });

  it('name the key as it was sent, where the mapping gives it another name', () => {
    expect(errorsOf({ records: [{ total: 'x' }], fields: { amount: 'total' } })).toEqual([
      ['records[0].total', expect.stringContaining('"x"')],
    ]);
    expect(errorsOf({ records: [{}], fields: { amount: 'total' } })).toEqual([['records[0].total', 'is empty']]);
    expect(errorsOf({ records: [{ amount: '1' }], fields: { currency: 'cur' } })).toEqual([['records[0].cur', 'is empty']]);
  });

  it('name the format of a day, and speak of a mapping only where there is one', () => {
    const said = '"01.04.2026" is not an ISO date such as 2026-04-01';
    expect(errorsOf({ records: [{ date: '01.04.2026' }] })).toEqual([['records[0].date', said]]);
    expect(errorsOf({ records: [{ day: '01.04.2026' }], fields: { date: 'day' } })).toEqual([
      ['records[0].day', `${said}; give the mapping a "format"`],
    ]);
  });

  it('answer with the first hundred faults of many', () => {
    expect(errorsOf({ records: Array.from({ length: 5000 }, () => ({ amount: 'x' })) })).toHaveLength(100);
  });

  it('refuse nesting without end', () => {
    const deep = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);
    expect(errorsOf({ records: [{ deep }] })).toEqual([[expect.stringContaining('records[0].deep'), 'is nested deeper than 64']]);
  });

  it.each([
    [{ records: 'many' }, 'records'],
    [{ records: {} }, 'records'],
    [{ record: [] }, 'record'],
    [{ fields: 'id' }, 'fields'],
  ])('refuse %j', (config, path) => {
    expect(errorsOf(config)).toEqual([[path, expect.any(String)]]);
  });

  it('take the records of a run in place of their own, and check them', () => {
    expect(withRunInput(records, { records: [], fields: {} }, { records: [good] })).toEqual({
      ok: true,
      config: { fields: {}, records: [good] },
    });
    expect(withRunInput(records, {}, { records: [good, { ...good, amount: 'x' }] })).toMatchObject({
      ok: false,
      errors: [{ path: 'records[1].amount' }],
    });
    expect(withRunInput(records, {}, { fileId: 'fil_x' })).toMatchObject({ ok: false, errors: [{ path: 'fileId' }] });
  });
});
