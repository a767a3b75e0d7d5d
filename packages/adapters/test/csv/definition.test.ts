import { describe, expect, it } from 'vitest';
import { checkConfig, withRunInput } from '../../src/catalogue.ts';
import { csv } from '../../src/csv/definition.ts';
import { someFileId } from '../reading.ts';

const fields = { amount: 'Gross' };
const errorsOf = (config: unknown) => {
  const checked = checkConfig(csv, config);
  return checked.ok ? [] : checked.errors.map(({ path, message }) => [path, message]);
};

describe('a csv configuration', () => {
  it.each([
    { fileId: someFileId, fields },
    { content: 'Gross\n1.00\n', fields },
    { fields },
    { fields, delimiter: '\t', encoding: 'windows-1252', skipRows: 3, trailerRows: 1 },
    { fields: {} },
  ])('may be %j', (config) => {
    expect(checkConfig(csv, config)).toEqual({ ok: true, config });
  });

  it.each([
    [{}, 'fields'],
    [{ fields, fileId: 'exe_01h455vb4pex5vsknk084sn02q' }, 'fileId'],
    [{ fields, fileId: someFileId, content: 'Gross\n' }, 'content'],
    [{ fields, delimiter: ',,' }, 'delimiter'],
    [{ fields, delimiter: '"' }, 'delimiter'],
    [{ fields, delimiter: 'x' }, 'delimiter'],
    [{ fields, delimiter: '\n' }, 'delimiter'],
    [{ fields, delimiter: '§' }, 'delimiter'],
    [{ fields, encoding: 'klingon' }, 'encoding'],
    [{ fields, skipRows: -1 }, 'skipRows'],
    [{ fields, skipRows: 1.5 }, 'skipRows'],
    [{ fields, trailerRows: 101 }, 'trailerRows'],
    [{ fields, seperator: ';' }, 'seperator'],
    [{ fields: { amount: { column: 'Gross', decimal: ';' } } }, 'fields.amount.decimal'],
    [{ fields: { 'Net amount': { column: 'N', format: 'QQ' } } }, 'fields["Net amount"].format'],
    [{ fields, content: 'Gross\n\0' }, 'content'],
    [{ fields, content: 'Gross\n\ud800' }, 'content'],
    [{ fields, content: 'Net\n1.00\n' }, 'content'],
    [{ fields, content: 'Gross\n"1.00\n' }, 'content'],
    [{ fields, content: '' }, 'content'],
    [{ fields: { date: { column: 'Gross', format: 'QQ' } }, content: 'Gross\n' }, 'fields.date.format'],
    [null, ''],
    ['csv', ''],
  ])('is refused as %j', (config, path) => {
    expect(errorsOf(config)).toEqual([[path, expect.any(String)]]);
  });

  it('answers at once for content that no run could read, and says why', () => {
    expect(errorsOf({ fields, content: 'Net,Fee\n1.00,0.10\n' })).toEqual([
      ['content', 'there is no column "Gross"; line 1 has "Net", "Fee"'],
    ]);
  });

  it('leaves rows that cannot be read to the run', () => {
    expect(errorsOf({ fields, content: 'Gross\nNaN\n' })).toEqual([]);
  });

  it('takes the file of a run in place of its own input', () => {
    const taken = { ok: true, config: { fields, delimiter: ';', fileId: someFileId } };
    expect(withRunInput(csv, { fields, delimiter: ';' }, { fileId: someFileId })).toEqual(taken);
    expect(withRunInput(csv, { fields, delimiter: ';', content: 'Gross\n' }, { fileId: someFileId })).toEqual(taken);
  });

  it.each([
    [{ records: [] }, 'records'],
    [{ fileId: 'nonsense' }, 'fileId'],
    [{ fileId: someFileId, records: [] }, 'records'],
    [{}, ''],
  ])('refuses %j from a run', (input, path) => {
    expect(withRunInput(csv, { fields }, input)).toEqual({ ok: false, errors: [{ path, message: expect.any(String) }] });
  });
});
