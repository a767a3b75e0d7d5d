import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputNotice, ReadRow } from '../../src/reader.ts';
import { openReader } from '../../src/readers.ts';
import { conformance } from '../conformance.ts';
import { contextOf, failureOf, fileOf, noFile, readChunks, readRows, someFileId } from '../reading.ts';
import { readBoth, readColumnChunks } from './both.ts';

const header = 'id,amount,currency,date,reference';
const fields = { id: 'id', amount: 'amount', currency: 'currency', date: 'date', reference: 'reference' };

conformance({
  name: 'csv',
  holding: (records) => ({
    config: { fileId: someFileId, fields },
    openFile: fileOf([header, ...records.map((record) => Object.values(record).join(','))].join('\n')),
  }),
  withoutInput: { fields },
});

/** Rows of a file, which as columns says the same; `config` overrides the mapping of the columns above. */
const rowsOf = (file: string | Uint8Array, config: object = { fields }): Promise<ReadRow[]> =>
  readBoth({ fileId: someFileId, ...config }, { openFile: fileOf(file) });

const failureIn = (file: string | Uint8Array, config: object = { fields }) => failureOf(rowsOf(file, config));

const recordsOf = async (file: string | Uint8Array, config?: object) =>
  (await rowsOf(file, config)).map((row) => ('record' in row ? row.record : row.invalid));

describe('mapping columns', () => {
  const file = 'Txn;Gross;Cur;Placed;Out;In;Memo\n7;1.234,50;eur;03/04/2026;;5,00;hello\n';

  it('reads every form, and keeps unmapped columns under their own name', async () => {
    const mapping = {
      id: 'Txn',
      amount: { column: 'Gross', decimal: ',', negate: true },
      currency: { column: 'Cur' },
      date: { column: 'Placed', format: 'dd/MM/yyyy' },
      net: { debit: 'Out', credit: 'In', decimal: ',' },
      type: { value: 'charge' },
      fee: { value: '0.30' },
    };
    expect(await recordsOf(file, { fields: mapping })).toEqual([
      { id: '7', amount: '-1234.50', currency: 'EUR', date: '2026-04-03', net: '5.00', type: 'charge', fee: '0.30', Memo: 'hello' },
    ]);
  });

  it('reads fields of any other name as text, number or date, whichever the mapping says', async () => {
    const mapping = {
      note: 'Memo',
      total: { column: 'Gross', decimal: ',' },
      placed: { column: 'Placed', format: 'MM/dd/yyyy' },
      both: 'Memo',
    };
    expect(await recordsOf(file, { fields: mapping })).toEqual([
      { note: 'hello', both: 'hello', total: '1234.50', placed: '2026-03-04', Txn: '7', Cur: 'eur', Out: '', In: '5,00' },
    ]);
  });

  it('makes an unmapped column canonical where it has the name of a field of ours', async () => {
    const own = 'ref,amount,currency,date,fee\na,12.5,usd,2026-04-01T23:00:00-05:00,\nb,,,,\nc,twelve,usd,2026-04-01,1\n';
    expect(await recordsOf(own, { fields: { reference: 'ref' } })).toEqual([
      { reference: 'a', amount: '12.50', currency: 'USD', date: '2026-04-02' },
      { reference: 'b' },
      { field: 'amount', reason: expect.stringContaining('"twelve" is not a number') },
    ]);
  });

  it('does not take an unmapped column called id for an identity', async () => {
    const { idMapped } = await openReader('csv', { fields: { reference: 'ref' } });
    expect(idMapped).toBe(false);
    expect((await openReader('csv', { fields })).idMapped).toBe(true);
    expect(await recordsOf('id,ref\n,a\n', { fields: { reference: 'ref' } })).toEqual([{ id: '', reference: 'a' }]);
  });

  it('finds columns by their trimmed names, and tells columns of one name apart', async () => {
    const doubled = ' Ref ,Amount,,Amount\na,1.00,x,2.00\n';
    expect(await recordsOf(doubled, { fields: { reference: 'Ref', amount: 'Amount (2)' } })).toEqual([
      { reference: 'a', amount: '2.00', 'Amount (1)': '1.00', 'column 3': 'x' },
    ]);
    expect(await failureIn(doubled, { fields: { amount: 'Amount' } })).toMatchObject({
      code: 'no_such_column',
      line: 1,
      message: 'there is no column "Amount"; line 1 has "Ref", "Amount (1)", "column 3", "Amount (2)"',
    });
  });

  it('keeps a column that is called like what every object has', async () => {
    expect(await recordsOf('ref,toString,constructor\na,b,c\n', { fields: { reference: 'ref' } })).toEqual([
      { reference: 'a', toString: 'b', constructor: 'c' },
    ]);
  });

  it('lists no more columns than a person reads', async () => {
    const { message } = await failureIn(Array.from({ length: 200 }, (_, index) => `column number ${index}`).join(), {
      fields: { amount: 'Gross' },
    });
    expect(message).toMatch(/and 170 more$/);
    expect(message.length).toBeLessThan(1000);
  });
});

describe('what is probably not meant so', () => {
  const noticesOf = async (config: object, ...file: readonly (string | Uint8Array)[]) => {
    const [byRows, byColumns]: InputNotice[][] = [[], []];
    const openFile = fileOf(...file);
    const of = { fileId: someFileId, fields: { reference: 'ref' }, ...config };
    await readRows('csv', of, { openFile, tell: (notice) => byRows?.push(notice) });
    await readColumnChunks(of, { openFile, tell: (notice) => byColumns?.push(notice) });
    expect(byColumns).toEqual(byRows);
    return byRows;
  };
  const latin = (text: string) => Buffer.from(text, 'latin1');

  it('is told where a file begins as windows-1252 and goes on as UTF-8, once', async () => {
    const mixed = [latin('ref\nGr\u00f6\u00dfe\n'), 'plain\nMüller\n', 'Jäger\n'];
    expect(await noticesOf({}, ...mixed)).toEqual([{ code: 'mixed_encoding', message: expect.stringContaining('"MÃ¼ller"') }]);
    expect(await noticesOf({}, latin('ref\nGr\u00f6\u00dfe\nM\u00fcller \u00c3O \u00c0\u00a0la\n'))).toEqual([]);
    expect(await noticesOf({}, 'ref\nMüller\nGröße\n')).toEqual([]);
    expect(await noticesOf({ encoding: 'windows-1252' }, ...mixed)).toEqual([]);
  });

  it('is told where a file has fewer rows than are no records at its end', async () => {
    const rows = 'ref\na\nb\n';
    expect(await noticesOf({ trailerRows: 3 }, rows)).toEqual([
      {
        code: 'too_few_rows',
        message: 'the last 3 rows are no records, by trailerRows, and there are no more than 2: none of them was read',
      },
    ]);
    for (const trailerRows of [0, 1, 2]) expect(await noticesOf({ trailerRows }, rows)).toEqual([]);
    expect(await noticesOf({ trailerRows: 2 }, 'ref\n')).toMatchObject([{ code: 'too_few_rows' }]);
  });
});

describe('three digits behind a point', () => {
  const read = async (amount: string, currency: string, mapping: object | string = 'amount') =>
    (
      await recordsOf(`id,amount,currency\n1,"${amount}",${currency}\n`, { fields: { id: 'id', amount: mapping, currency: 'currency' } })
    )[0];

  it.each([
    ['1.250', 'KWD', '1.250'],
    ['0.500', 'EUR', '0.50'],
    ['1250.500', 'EUR', '1250.50'],
    ['1.2500', 'EUR', '1.25'],
    ['1,250.000', 'EUR', '1250.00'],
    ['0.000', 'JPY', '0'],
  ])('are decimals where they can be nothing else: %s %s is %s', async (amount, currency, written) => {
    expect(await read(amount, currency)).toMatchObject({ amount: written });
  });

  it('are what the mapping says they are, and else nobody knows', async () => {
    expect(await read('12.000', 'JPY', { column: 'amount', decimal: ',' })).toMatchObject({ amount: '12000' });
    expect(await read('12.000', 'JPY', { column: 'amount', decimal: '.' })).toMatchObject({ amount: '12' });
    expect(await read('1,250', 'EUR', { column: 'amount', decimal: ',' })).toMatchObject({ amount: '1.25' });
    expect(await read('1.250', 'EUR', { column: 'amount', negate: true })).toEqual({
      field: 'amount',
      reason: expect.stringContaining('two ways'),
    });
    const columns = { debit: 'out', credit: 'in' };
    const config = (decimal: object) => ({ fields: { amount: { ...columns, ...decimal }, currency: { value: 'EUR' } } });
    expect(await recordsOf('out,in\n1.250,\n', config({}))).toEqual([{ field: 'amount', reason: expect.stringContaining('two ways') }]);
    expect(await recordsOf('out,in\n1.250,\n', config({ decimal: ',' }))).toEqual([{ amount: '-1250.00', currency: 'EUR' }]);
  });

  it('are told of no amount that somebody could add up', async () => {
    const [row] = await rowsOf('id,amount,currency,date,reference\n1,1.250,EUR,2026-04-01,x\n');
    expect(row).toMatchObject({ partial: { id: '1', currency: 'EUR' } });
    expect(row !== undefined && 'partial' in row && row.partial).not.toHaveProperty('amount');
  });

  it('are decimals in records, which are written as JSON writes numbers', async () => {
    const config = { records: [{ id: 'a', amount: '1.250', currency: 'EUR' }] };
    expect((await readRows('records', config)).map((row) => 'record' in row && row.record)).toEqual([
      { id: 'a', amount: '1.25', currency: 'EUR' },
    ]);
  });
});

describe('rows that cannot be read', () => {
  it.each([
    ['7,NaN,EUR,2026-04-01,x', 'amount', '"NaN"'],
    ['7,1e400,EUR,2026-04-01,x', 'amount', '"1e400"'],
    ['7,"1.234,56",EUR,2026-04-01,x', 'amount', '"1.234,56"'],
    ['7,,EUR,2026-04-01,x', 'amount', 'amount is empty'],
    ['7, ,EUR,2026-04-01,x', 'amount', 'amount is empty'],
    ['7,12.345,EUR,2026-04-01,x', 'amount', 'more decimals than EUR'],
    ['7,12.000,JPY,2026-04-01,x', 'amount', 'two ways'],
    ['7,1.250,EUR,2026-04-01,x', 'amount', 'two ways'],
    ['7,-1.000,EUR,2026-04-01,x', 'amount', 'two ways'],
    ['7,(999.990),EUR,2026-04-01,x', 'amount', 'two ways'],
    ['7,1,euro,2026-04-01,x', 'currency', '"euro"'],
    ['7,1,,2026-04-01,x', 'currency', 'currency is empty'],
    ['7,1,EUR,2026-02-30,x', 'date', '"2026-02-30" is not a date that exists'],
    ['7,1,EUR,01/04/2026,x', 'date', 'format'],
    [',1,EUR,2026-04-01,x', 'id', 'id is empty'],
    [' ,1,EUR,2026-04-01,x', 'id', 'id is empty'],
    [`${'7'.repeat(513)},1,EUR,2026-04-01,x`, 'id', 'longer than 512'],
    [',,,,', 'id', 'id is empty'],
    ['7,1,EUR,2026-04-01', undefined, 'the row has 4 cells, the header 5'],
    ['7,1,EUR,2026-04-01,x,', undefined, 'the row has 6 cells, the header 5'],
    ['"7"x,1,EUR,2026-04-01,x', undefined, 'text follows the closing quote of cell 1'],
  ])('%s is invalid, with its line and reason, and its neighbours are not', async (row, field, reason) => {
    const good = '8,2.00,USD,2026-04-02,y';
    const rows = await rowsOf([header, good, row, good].join('\n'));
    expect(rows.map((row) => 'record' in row)).toEqual([true, false, true]);
    expect(rows[1]).toMatchObject({
      line: 3,
      invalid: { reason: expect.stringContaining(reason), ...(field && { field }) },
      raw: expect.any(String),
    });
  });

  it.each([
    ['fee', '1.250', 'EUR'],
    ['net', '-12.000', 'JPY'],
    ['fee', '(999.990)', 'USD'],
    ['vat', '1.250', 'EUR'],
  ])('a %s of %s %s can be read two ways, too, until its mapping says which', async (field, cell, currency) => {
    const text = `${header},Other\n7,2,${currency},2026-04-01,x,${cell}\n8,3,${currency},2026-04-01,x,0.125\n9,,KWD,2026-04-01,x,1.250\n`;
    const faultsWith = async (more: object) =>
      (await rowsOf(text, { fields: { ...fields, amount: undefined, [field]: { column: 'Other', ...more } } })).map((row) =>
        'record' in row ? row.record[field] : row.invalid,
      );
    const mapping = field === 'vat' ? { negate: true } : {};
    const [fault, ...others] = await faultsWith(mapping);
    expect(fault).toEqual({ field, reason: expect.stringMatching(/can be read two ways/) });
    expect(others).toEqual(field === 'vat' ? ['-0.125', '-1.250'] : ['0.125', '1.250']);
    expect((await faultsWith({ ...mapping, decimal: '.' })).every((said) => typeof said === 'string')).toBe(true);
  });

  it('tell of an amount that can be read two ways before a fee that can', async () => {
    const [row] = await rowsOf('fee,amount,currency\n1.250,2.500,EUR\n', {
      fields: { fee: 'fee', amount: 'amount', currency: 'currency' },
    });
    expect(row).toMatchObject({ invalid: { field: 'amount' } });
  });

  it('keep the fields that could be read, and the beginning of their text', async () => {
    expect(await rowsOf(`${header}\n7,NaN,eur,2026-04-01,order 1\n`)).toEqual([
      {
        line: 2,
        invalid: { field: 'amount', reason: 'amount "NaN" is not a number written with decimal point' },
        raw: '7 | NaN | eur | 2026-04-01 | order 1',
        partial: { id: '7', currency: 'EUR', date: '2026-04-01', reference: 'order 1' },
      },
    ]);
  });

  it('say why in few words, however long the value', async () => {
    const [row] = await rowsOf(`${header}\n7,${'9'.repeat(100_000)},EUR,2026-04-01,${'x'.repeat(100_000)}\n`);
    if (row === undefined || 'record' in row) throw new Error('the row was read');
    expect(row.invalid.reason.length).toBeLessThan(200);
    expect(row.raw?.length).toBeLessThan(300);
  });

  it('say of a row whose cells cannot be told apart what it says, however long and many its cells', async () => {
    const [few, many] = await rowsOf(`${header}\n7,12,50,EUR,2026-04-01,é\n${'x'.repeat(1_000)}${',1'.repeat(1_000)}\n`);
    expect(few).toMatchObject({ invalid: { reason: 'the row has 6 cells, the header 5: 7 | 12 | 50 | EUR | 2026-04-01 | é' } });
    if (many === undefined || 'record' in many) throw new Error('the row was read');
    expect(many.invalid.reason).toMatch(/^the row has 1001 cells, the header 5: x{40}… \| 1 \| 1/);
    expect(many.invalid.reason.length).toBeLessThan(400);
  });

  it('leave out what is empty and may be', async () => {
    expect(await recordsOf(`${header}\n7,1,EUR,,\n`)).toEqual([{ id: '7', amount: '1.00', currency: 'EUR' }]);
  });
});

describe('the table in its file', () => {
  it.each([',', ';', '\t', '|'])('finds delimiter %j by its header, or is told it', async (delimiter) => {
    const file = [
      ['id', 'amount', 'what, ever; it | is'],
      ['7', '1.00', '"x"'],
    ]
      .map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter))
      .join('\n');
    const expected = [{ id: '7', amount: '1.00', 'what, ever; it | is': '"x"' }];
    expect(await recordsOf(file, { fields: { id: 'id', amount: 'amount' } })).toEqual(expected);
    expect(await recordsOf(file, { delimiter, fields: { id: 'id', amount: 'amount' } })).toEqual(expected);
  });

  it('believes the mapped columns rather than the number of columns', async () => {
    const file = 'Ref, no;Amount, gross, net, etc\nx;1.00\n';
    expect(await recordsOf(file, { fields: { reference: 'Ref, no' } })).toEqual([{ reference: 'x', 'Amount, gross, net, etc': '1.00' }]);
  });

  it('reads a file of one column', async () => {
    expect(await recordsOf('ref\na\n"b,c"\n', { fields: { reference: 'ref' } })).toEqual([{ reference: 'a' }, { reference: 'b,c' }]);
  });

  it('skips physical lines above the header and rows at the end, and counts lines all the same', async () => {
    const file = `Bank "of\r\nsomewhere, Ltd\r\n${header}\r\n1,1.00,EUR,2026-04-01,"a\r\nb"\r\n\r\n2,2.00,EUR,2026-04-01,c\r\nTotal,3.00,,,\r\n\r\nEnd\r\n`;
    const rows = await rowsOf(file, { skipRows: 2, trailerRows: 2, fields });
    expect(rows).toEqual([
      { line: 4, record: { id: '1', amount: '1.00', currency: 'EUR', date: '2026-04-01', reference: 'a\r\nb' } },
      { line: 7, record: { id: '2', amount: '2.00', currency: 'EUR', date: '2026-04-01', reference: 'c' } },
    ]);
    expect(await rowsOf(file, { skipRows: 2, trailerRows: 50, fields })).toEqual([]);
  });

  it('skips lines that end with a lone CR or are cut between blocks', async () => {
    for (const end of ['\r', '\n', '\r\n']) {
      const file = Buffer.from(['top', '', header, '1,1.00,EUR,2026-04-01,a', ''].join(end));
      const openFile = fileOf(...[...file].map((byte) => Uint8Array.of(byte)));
      const rows = await readRows('csv', { fileId: someFileId, skipRows: 2, fields }, { openFile });
      expect(rows.map(({ line }) => line)).toEqual([4]);
    }
  });

  it('reads UTF-16 and windows-1252 as it reads UTF-8', async () => {
    const text = 'id,amount,Währung €\n7,1.00,Müller\n';
    const expected = [{ id: '7', amount: '1.00', 'Währung €': 'Müller' }];
    const mapping = { fields: { id: 'id', amount: 'amount' } };
    const latin = Buffer.from(text.replace('€', '\x80'), 'latin1');
    expect(await recordsOf(text, mapping)).toEqual(expected);
    expect(await recordsOf(`\ufeff${text}`, mapping)).toEqual(expected);
    expect(await recordsOf(Buffer.from(`\ufeff${text}`, 'utf16le'), mapping)).toEqual(expected);
    expect(await recordsOf(Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), mapping)).toEqual(expected);
    expect(await recordsOf(latin, mapping)).toEqual(expected);
    expect(await recordsOf(latin, { ...mapping, encoding: 'windows-1252' })).toEqual(expected);
  });

  it('reads content given in the configuration like a file', async () => {
    const content = `\ufeff${header}\n7,1.00,EUR,2026-04-01,Müller\n`;
    expect(await readRows('csv', { content, fields })).toEqual([
      { line: 2, record: { id: '7', amount: '1.00', currency: 'EUR', date: '2026-04-01', reference: 'Müller' } },
    ]);
  });

  it('is read back equal whatever it holds and wherever the file is cut', async () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', '\n', '\r', 'é'), maxLength: 8 }),
      fc.string({ unit: 'grapheme' }),
    );
    const clean = cell.map((text) => text.replaceAll('\0', ''));
    const name = clean
      .map((text) => text.trim())
      .filter((text) => text !== '' && text !== '__proto__' && !/^(amount|currency|date|fee|net)$/.test(text));
    const table = fc
      .uniqueArray(name, { minLength: 1, maxLength: 6 })
      .chain((names) =>
        fc.tuple(fc.constant(names), fc.array(fc.array(clean, { minLength: names.length, maxLength: names.length }), { maxLength: 12 })),
      );
    const delimiters = fc.constantFrom(',', ';', '\t', '|');
    await fc.assert(
      fc.asyncProperty(
        table,
        delimiters,
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async ([names, rows], delimiter, isTold, size, end) => {
          const text = [names, ...rows].map((cells) => cells.map((value) => `"${value.replaceAll('"', '""')}"`).join(delimiter)).join(end);
          const bytes = Buffer.from(text);
          const blocks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
            bytes.subarray(index * size, (index + 1) * size),
          );
          const [first = ''] = names;
          const config = { fileId: someFileId, encoding: 'utf-8', fields: { field_of_test: first }, ...(isTold && { delimiter }) };
          const read = await readRows('csv', config, { openFile: fileOf(...blocks), limits: { rowsPerChunk: 3 } });
          const expected = rows.map((cells) => {
            const { [first]: mapped, ...others } = Object.fromEntries(names.map((name, index) => [name, cells[index]]));
            return mapped === undefined || mapped.trim() === '' ? others : { ...others, field_of_test: mapped };
          });
          expect(read.map((row) => ('record' in row ? row.record : row))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('inputs that cannot be read as a whole', () => {
  it.each([
    ['nothing', '', 'empty_file', 1],
    ['blank lines', '\n\r\n\n', 'empty_file', 1],
    ['a NUL byte', `${header}\n7,\0`, 'binary_content', 2],
    ['UTF-16 without a mark', Buffer.from(`${header}\n7`, 'utf16le'), 'binary_content', 1],
    ['a ZIP', Buffer.from('504b030414000000', 'hex'), 'binary_content', 1],
    ['UTF-8 that goes wrong', Buffer.concat([Buffer.from(`${header}\né,1\n\n7,1`), Buffer.from([0xe9, 0x2c])]), 'bad_encoding', 4],
    ['UTF-16 that goes wrong', Buffer.from(`\ufeff${header}\na\n\ud800,1\n`, 'utf16le'), 'bad_encoding', 3],
    ['a quote never closed', `${header}\n7,"1.00,EUR\n`, 'unterminated_quote', 2],
    ['an unknown column', 'id;amount\n', 'no_such_column', 1],
    ['a reserved column', `${header},__proto__\n`, 'reserved_column', 1],
    ['too many columns', `${header}${',x'.repeat(2000)}\n`, 'too_many_columns', 1],
    ['a line too long', `${header}\n${'x'.repeat(1024 * 1024 + 1)}`, 'line_too_long', 2],
    ['a header too long', 'x'.repeat(1024 * 1024 + 1), 'line_too_long', 1],
  ])('fail for %s', async (_, file, code, line) => {
    expect(await failureIn(file)).toMatchObject({ code, line });
  });

  it('tell a quote that is closed too late from one that never is', async () => {
    const late = `${header}\n7,"${'x'.repeat(1024 * 1024)}",EUR\n`;
    expect(await failureIn(late)).toMatchObject({
      code: 'unterminated_quote',
      message: 'the quote that opens on line 2 is not closed within 1048576 bytes',
    });
  });

  it('fail for a header that skipRows went past', async () => {
    expect(await failureIn(`${header}\n`, { skipRows: 5, fields })).toMatchObject({ code: 'empty_file' });
  });

  it('fail for a file that is not there', async () => {
    expect(await failureOf(readRows('csv', { fileId: someFileId, fields }, { openFile: noFile }))).toMatchObject({ code: 'no_such_file' });
  });

  it.each([0, 1])('fail at once for a line of 200 MB, with skipRows %i, without reading on', async (skipRows) => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; pulled < 200; pulled++) yield Buffer.alloc(1024 * 1024, 0x78);
    }
    const openFile = async () => ({ bytes: endless(), size: 200 * 1024 * 1024 });
    expect(await failureOf(readRows('csv', { fileId: someFileId, skipRows, fields }, { openFile }))).toMatchObject({
      code: 'line_too_long',
      line: 1,
    });
    expect(pulled).toBeLessThan(4);
  });
});

describe('streaming', () => {
  const endlessRows = (counter: { pulled: number; closed: boolean }) => async () => ({
    size: 1,
    bytes: (async function* () {
      try {
        yield Buffer.from(`${header}\n`);
        for (; ; counter.pulled++) yield Buffer.from('7,1.00,EUR,2026-04-01,x\n'.repeat(1000));
      } finally {
        counter.closed = true;
      }
    })(),
  });

  it('pulls no further than the chunk that was asked for, and closes the file when nobody asks again', async () => {
    const counter = { pulled: 0, closed: false };
    const { read } = await openReader('csv', { fileId: someFileId, fields });
    for await (const { rows } of read(contextOf({ openFile: endlessRows(counter), limits: { rowsPerChunk: 1000 } }))) {
      expect(rows).toHaveLength(1000);
      expect(counter.pulled).toBeLessThanOrEqual(2);
      break;
    }
    await expect.poll(() => counter.closed).toBe(true);
  });

  it('stops at once when it is aborted while the source hangs', async () => {
    const abort = new AbortController();
    const hanging = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(header);
      await new Promise(() => undefined);
    })();
    const reading = readRows(
      'csv',
      { fileId: someFileId, fields },
      { signal: abort.signal, openFile: async () => ({ bytes: hanging, size: 1 }) },
    );
    setImmediate(() => abort.abort(new Error('cancelled')));
    await expect(reading).rejects.toThrow('cancelled');
  });

  it('hands on a fault of the source as it is', async () => {
    const fault = new Error('the database is gone');
    const broken = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(header);
      throw fault;
    })();
    await expect(readRows('csv', { fileId: someFileId, fields }, { openFile: async () => ({ bytes: broken, size: 1 }) })).rejects.toBe(
      fault,
    );
  });

  it('holds no more than a megabyte of input in a chunk, however long its rows', async () => {
    const row = `7,1.00,EUR,2026-04-01,${'x'.repeat(300_000)}\n`;
    const chunks = await readChunks('csv', { fileId: someFileId, fields }, { openFile: fileOf(`${header}\n`, row.repeat(20)) });
    expect(chunks.length).toBeGreaterThan(4);
    expect(chunks.flatMap(({ rows }) => rows)).toHaveLength(20);
    for (const { rows } of chunks) expect(rows.length).toBeLessThanOrEqual(4);
  });

  // It takes a quarter of a second; what is quadratic in anything takes minutes, and runs into the time that a test has.
  it('reads a hundred thousand rows', async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => `txn_${index},${index}.50,EUR,2026-04-01,"order, ${index}"\n`);
    const read = await readRows('csv', { fileId: someFileId, fields }, { openFile: fileOf(`${header}\n${rows.join('')}`) });
    expect(read).toHaveLength(100_000);
    expect(read.every((row) => 'record' in row)).toBe(true);
  });

  it('reports bytes read against the size of the file', async () => {
    const text = `${header}\n${'7,1.00,EUR,2026-04-01,x\n'.repeat(10)}`;
    const chunks = await readChunks('csv', { fileId: someFileId, fields }, { openFile: fileOf(text) });
    expect(chunks.at(-1)).toMatchObject({ bytesRead: text.length, totalBytes: text.length });
  });
});
