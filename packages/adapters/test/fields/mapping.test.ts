import { describe, expect, it } from 'vitest';
import { fieldMappings } from '../../src/fields/mapping.ts';

const faults = (mappings: unknown) =>
  fieldMappings.safeParse(mappings).error?.issues.map(({ path, message }) => [path.join('.'), message]) ?? [];

describe('the fields of a configuration', () => {
  it.each([
    { amount: 'Gross' },
    { amount: { column: 'Gross' } },
    { amount: { column: 'Gross', decimal: ',', negate: true } },
    { amount: { debit: 'Out', credit: 'In', decimal: ',' }, fee: { debit: 'Fee out', credit: 'Fee in' } },
    { amount: { value: '12.00' }, fee: { value: '0' } },
    { date: 'Placed' },
    { date: { column: 'Placed' } },
    { date: { column: 'Placed', format: 'dd/MM/yyyy' } },
    { date: { column: 'Placed', timezone: 'Europe/Berlin' } },
    { date: { value: '2026-04-01' } },
    { currency: { value: 'eur' } },
    { currency: { column: 'Cur' }, id: { column: 'Id' } },
    { type: { value: 'charge' } },
    { valueDate: { column: 'Value', format: 'd.M.yy' }, tax: { column: 'Tax', decimal: ',' }, note: 'Note', batch: { value: '7' } },
    {},
  ])('accept %j, and change nothing', (mappings) => {
    expect(fieldMappings.parse(mappings)).toEqual(mappings);
  });

  it.each([
    [{ amount: { column: 'Gross', decimal: ';' } }, 'amount.decimal'],
    [{ amount: { column: 'Gross', negate: 'yes' } }, 'amount.negate'],
    [{ amount: { column: 'Gross', debit: 'Out', credit: 'In' } }, 'amount.column'],
    [{ amount: { debit: 'Out' } }, 'amount.credit'],
    [{ amount: { debit: 'Out', credit: 'In', negate: true } }, 'amount.negate'],
    [{ amount: { column: 'Gross', format: 'dd/MM/yyyy' } }, 'amount'],
    [{ amount: { value: 'twelve' } }, 'amount.value'],
    [{ amount: { value: 12 } }, 'amount.value'],
    [{ amount: { value: '12', column: 'Gross' } }, 'amount.column'],
    [{ amount: {} }, 'amount.column'],
    [{ amount: 7 }, 'amount'],
    [{ amount: null }, 'amount'],
    [{ amount: ['Gross'] }, 'amount'],
    [{ amount: '' }, 'amount'],
    [{ amount: 'nul\0' }, 'amount'],
    [{ amount: 'half \ud800' }, 'amount'],
    [{ date: { column: 'Placed', decimal: ',' } }, 'date.decimal'],
    [{ date: { column: 'Placed', format: 'DD/MM/YYYY' } }, 'date.format'],
    [{ date: { column: 'Placed', timezone: 'Mars/Olympus' } }, 'date.timezone'],
    [{ date: { value: '2026-02-30' } }, 'date.value'],
    [{ date: { debit: 'Out', credit: 'In' } }, 'date'],
    [{ id: { value: 'same' } }, 'id'],
    [{ id: { column: 'Id', decimal: '.' } }, 'id'],
    [{ id: { column: 'Id', trim: true } }, 'id.trim'],
    [{ currency: { value: 'euro' } }, 'currency.value'],
    [{ reference: { column: 'Ref', format: 'yyyy' } }, 'reference'],
    [{ note: { column: 'Note', decimal: ',', format: 'dd/MM/yyyy' } }, 'note.decimal'],
    [{ '': 'Note' }, ''],
    [{ ['n'.repeat(201)]: 'Note' }, 'n'.repeat(201)],
    ['Gross', ''],
  ])('refuse %j', (mappings, path) => {
    expect(faults(mappings)).toEqual([[path, expect.any(String)]]);
  });

  it('name each fault with its reason', () => {
    expect(
      faults({ id: { value: 'x' }, amount: { debit: 'Out', credit: 'In', negate: true }, date: { column: 'D', format: 'DD.MM.YYYY' } }),
    ).toEqual([
      ['id', 'cannot be the same for every record'],
      ['amount.negate', 'does not go with debit, credit, decimal'],
      ['date.format', 'the date format "DD.MM.YYYY" has an unknown token DD: write dd'],
    ]);
  });

  it('say what is missing, and of a constant nothing about a mapping that it has not', () => {
    expect(faults({ amount: { decimal: ',' }, fee: { debit: 'Out' }, date: { value: '01.04.2026' } })).toEqual([
      ['amount.column', 'is missing'],
      ['date.value', '"01.04.2026" is not an ISO date such as 2026-04-01'],
      ['fee.credit', 'is missing'],
    ]);
  });
});
