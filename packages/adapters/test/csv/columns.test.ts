import { currencyCode, noCurrency } from '@settler/contracts/currency-codes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ColumnChunk, noDay } from '../../src/columns.ts';
import { ReaderFailure } from '../../src/reader.ts';
import { openReader } from '../../src/readers.ts';
import { contextOf, fileOf, someFileId } from '../reading.ts';
import { readBoth, readColumnChunks } from './both.ts';
import { generatedCsv } from './generated.ts';

const header = 'id,amount,currency,date,reference';
const fields = { id: 'id', amount: 'amount', currency: 'currency', date: 'date', reference: 'reference' };

const chunksOf = (text: string, config: object = { fields }, limits = {}): Promise<ColumnChunk[]> =>
  readColumnChunks({ fileId: someFileId, ...config }, { openFile: fileOf(text), limits });

/** The only chunk of a small file, which as rows says the same. */
const columnsOf = async (text: string, config: object = { fields }): Promise<ColumnChunk> => {
  await readBoth({ fileId: someFileId, ...config }, { openFile: fileOf(text) });
  const [chunk, ...others] = await chunksOf(text, config);
  if (chunk === undefined || others.length > 0) throw new Error('there is not one chunk');
  return chunk;
};

const textsIn = ({ texts }: ColumnChunk): Record<string, string> =>
  Object.fromEntries([...texts].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString('utf8')]));

const cut = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const blocks: Uint8Array[] = [];
  for (let from = 0, index = 0; from < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    blocks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return blocks;
};

const sizes = fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 5 });

describe('columns', () => {
  it('say of every input what rows say of it, however it is mapped, written and cut', async () => {
    let read = 0;
    let invalid = 0;
    await fc.assert(
      fc.asyncProperty(generatedCsv, sizes, fc.integer({ min: 1, max: 9 }), async ({ text, config }, sizes, rowsPerChunk) => {
        const context = { openFile: fileOf(...cut(Buffer.from(text), sizes)), limits: { rowsPerChunk, bytesPerRecord: 4000 } };
        const rows = await readBoth({ fileId: someFileId, encoding: 'utf-8', ...config }, context).catch((error: unknown) => {
          if (error instanceof ReaderFailure) return [];
          throw error;
        });
        read += rows.filter((row) => 'record' in row).length;
        invalid += rows.filter((row) => 'invalid' in row).length;
      }),
      { numRuns: 300 },
    );
    // The inputs are worth reading: there were many of both.
    expect(read).toBeGreaterThan(100);
    expect(invalid).toBeGreaterThan(100);
  });

  it('have numbers for amounts and days, and texts one after another for everything else', async () => {
    const chunk = await columnsOf(`${header},Memo\n7,-12.5,eur,1969-12-31,order 1,"say ""hi"""\n8,1000,JPY,,,\n`);
    expect(chunk).toMatchObject({
      rows: 2,
      lines: Uint32Array.of(2, 3),
      amount: { units: Float64Array.of(-1250, 1000), unfit: [] },
      currency: Int32Array.from(['EUR', 'JPY'], currencyCode),
      date: Int32Array.of(-1, noDay),
      invalid: [],
    });
    expect(textsIn(chunk)).toEqual({ id: '78', reference: 'order 1', Memo: 'say "hi"' });
    expect(chunk.texts.get('reference')?.offsets).toEqual(Uint32Array.of(0, 7, 7));
  });

  it('are without amount, currency and date where there are none', async () => {
    const chunk = await columnsOf('ref\na\n', { fields: { reference: 'ref' } });
    expect([chunk.amount, chunk.currency, chunk.date]).toEqual([undefined, undefined, undefined]);
  });

  it('keep rows that cannot be read, with what of them can be and why', async () => {
    const { rows, amount, invalid, ...chunk } = await columnsOf(
      `${header}\n1,NaN,EUR,2026-04-01,a\n2,1\n3,1.005,EUR,2026-02-30,c\n4,1.005,EUR,,d\n5,1,,,e\n6,2,USD,,f\n`,
    );
    expect([rows, [...(amount?.units ?? [])]]).toEqual([6, [Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, 200]]);
    expect(amount?.unfit).toEqual([
      { row: 2, decimal: '1.005' },
      { row: 3, decimal: '1.005' },
      { row: 4, decimal: '1' },
    ]);
    expect(textsIn({ rows, invalid, ...chunk })).toMatchObject({ id: '13456', reference: 'acdef' });
    expect(invalid).toEqual([
      { row: 0, field: 'amount', reason: 'amount "NaN" is not a number written with decimal point' },
      { row: 1, reason: 'the row has 2 cells, the header 5: 2 | 1' },
      { row: 2, field: 'date', reason: 'date "2026-02-30" is not a date that exists' },
      { row: 3, field: 'amount', reason: 'amount 1.005 has more decimals than EUR has' },
      { row: 4, field: 'currency', reason: 'currency is empty' },
    ]);
  });

  it('keep rows of three letters that are no currency, wherever they stand among others', async () => {
    const codes = Array.from({ length: 5_000 }, (_, row) => (row % 7 === 0 ? 'ZZZ' : row % 11 === 0 ? 'btc' : ['EUR', 'USD'][row % 2]));
    const { invalid, currency } = await columnsOf(`${header}\n${codes.map((code, row) => `${row},1.00,${code},,\n`).join('')}`);
    const isOne = (code: string | undefined) => code === 'EUR' || code === 'USD';
    expect(invalid).toEqual(
      codes.flatMap((code, row) =>
        isOne(code) ? [] : [{ row, field: 'currency', reason: `currency "${code}" is not an ISO 4217 currency code` }],
      ),
    );
    expect(currency).toEqual(Int32Array.from(codes, (code = '') => (isOne(code) ? currencyCode(code) : noCurrency)));
  });

  it.each([
    { column: 'date' },
    { column: 'date', timezone: 'America/New_York' },
    { column: 'date', timezone: 'Asia/Tokyo' },
    { column: 'date', format: "yyyy-MM-dd'T'HH:mm:ss" },
    { column: 'date', format: 'dd/MM/yyyy' },
  ])('read days and instants as rows do, mapped as %j', async (mapping) => {
    const day = '2026-04-01';
    const times = ['00:30:00', '23:30:00', '23:59:59.9', '23:59:59.123456789', '23:59:59.1234567890', '24:00:00', '12:60:00', '12:00:60'];
    const instants = times.flatMap((time) => ['', 'Z', ' UTC', '+02:00', 'Z '].map((zone) => `${day}T${time}${zone}`));
    const cells = [
      day,
      ` ${day}`,
      `${day}T`,
      `${day}x`,
      '2026-02-30',
      '1899-12-31',
      '2999-12-31',
      '01/04/2026',
      ...instants,
      `${day} 10:00:00Z`,
      '',
    ];
    const { rows } = await columnsOf(['id,date', ...cells.map((cell, row) => `${row},${cell}`)].join('\n'), {
      fields: { id: 'id', date: mapping, settled: mapping },
    });
    expect(rows).toBe(cells.length);
  });

  it('trim identities as rows do, also of white space that is not ASCII', async () => {
    const cells = ['a', ' a', 'a ', 'a\u00a0', '\u3000a', 'é', 'é\u2028', 'a b', '\u00a0', `${'é'.repeat(512)}`, `${'é'.repeat(513)}`];
    const chunk = await columnsOf(`id,x\n${cells.map((cell) => `${cell},\n`).join('')}`, { fields: { id: 'id' } });
    expect(textsIn(chunk)['id']).toBe(`aaaaaééa b${'é'.repeat(512)}`);
    expect(chunk.invalid.map(({ row }) => row)).toEqual([8, 10]);
  });

  it('refuse an amount that is not exact as a number, as rows do, and keep one that is', async () => {
    const chunk = await columnsOf(
      'id,amount,currency\n1,9007199254740991,JPY\n2,9007199254740992,JPY\n3,-90071992547409.910000,EUR\n4,0.9007199254740993,EUR\n5,123456789012345678,JPY\n6,9007199254740991,EUR\n',
      { fields: { id: 'id', amount: 'amount', currency: 'currency' } },
    );
    expect([...(chunk.amount?.units ?? [])]).toEqual([2 ** 53 - 1, Number.NaN, -(2 ** 53 - 1), Number.NaN, Number.NaN, Number.NaN]);
    expect(chunk.amount?.unfit).toEqual([{ row: 5, decimal: '9007199254740991' }]);
    expect(chunk.invalid.map(({ row, field }) => [row, field])).toEqual([
      [1, 'amount'],
      [3, 'amount'],
      [4, 'amount'],
    ]);
    expect(chunk.invalid[0]?.reason).toBe(
      'amount 9007199254740992 has too many digits to be exact: without the decimal separator at most 9007199254740991',
    );
  });

  it('come in chunks of at most as many rows as asked for, with how far the reader has come, and without the rows at the end', async () => {
    const rows = Array.from({ length: 20 }, (_, index) => `${index},${index},EUR,2026-04-01,r${index}\n`);
    const text = `${header}\n${rows.join('')}Total,190\nEnd\n`;
    const chunks = await chunksOf(text, { fields, trailerRows: 2 }, { rowsPerChunk: 7 });
    expect(chunks.map((chunk) => chunk.rows)).toEqual([7, 7, 6]);
    expect(chunks.flatMap(({ lines }) => [...lines])).toEqual(rows.map((_, index) => index + 2));
    expect(chunks.flatMap(({ amount }) => [...(amount?.units ?? [])])).toEqual(rows.map((_, index) => 100 * index));
    expect(chunks.flatMap(({ invalid }) => invalid)).toEqual([]);
    expect(chunks.at(-1)).toMatchObject({ bytesRead: text.length, totalBytes: text.length });
  });

  it('come in chunks of 65,536 rows, or fewer where those are long', async () => {
    const short = await chunksOf(`id\n${'7\n'.repeat(150_000)}`, { fields: { id: 'id' } });
    expect(short.map(({ rows }) => rows)).toEqual([65_536, 65_536, 18_928]);
    const long = await chunksOf(`id,text\n${`7,${'x'.repeat(100_000)}\n`.repeat(200)}`, { fields: { id: 'id' } });
    expect(long.length).toBeGreaterThan(1);
    for (const { texts } of long) expect(texts.get('text')?.bytes.length).toBeLessThan(9 * 1024 * 1024);
    expect(long.reduce((sum, { rows }) => sum + rows, 0)).toBe(200);
  });

  it('hold one chunk in the same memory however many there are', async () => {
    const { readColumns } = await openReader('csv', { fileId: someFileId, fields });
    const buffers = new Set<unknown>();
    const openFile = fileOf(header, ...Array.from({ length: 50 }, (_, index) => `\n${index + 1000},1.00,EUR,2026-04-01,some text`));
    for await (const chunk of readColumns?.(contextOf({ openFile, limits: { rowsPerChunk: 5 } })) ?? []) {
      for (const { bytes, offsets } of chunk.texts.values()) buffers.add(bytes.buffer).add(offsets.buffer);
      for (const { buffer } of [chunk.lines, chunk.amount?.units, chunk.currency, chunk.date].flatMap((of) => of ?? []))
        buffers.add(buffer);
    }
    // Two for each text, and one for each of the others.
    expect(buffers.size).toBe(8);
  });

  it('say what rows say wherever what is not plain lies among the plain, and however large it is', async () => {
    const amounts = [
      '1.00',
      '12345.67',
      '-99.99',
      '1234567890123.45',
      '12345678901234.56',
      '0.5',
      '-0.00',
      '1,00',
      '.50',
      '-',
      '',
      '12.3a',
      '/.:0',
    ];
    const days = ['2026-04-01', '2018-04-01', '2026-02-30', '2026-04-01T10:00:00Z', '', '2026-4-01', '1900-01-01', '2999-12-31'];
    const currencies = ['EUR', 'usd', 'JPY', 'EURO', '', '@UR', 'E[R'];
    const texts = [
      'some text',
      '',
      'x'.repeat(15),
      'x'.repeat(32),
      'x'.repeat(33),
      ' ',
      '\u00a0',
      'é',
      '"a ""b"""',
      '"a,b"',
      'x'.repeat(70_000),
    ];
    const ids = ['', ' a', 'b\u00a0', 'x'.repeat(512), 'x'.repeat(513), 'é'];
    const odd = fc.record({
      row: fc.integer({ min: 0, max: 9_000 }),
      cells: fc.tuple(...[ids, amounts, currencies, days, texts].map((cells) => fc.constantFrom(...cells))),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { maxLength: 60 }), fc.constantFrom(70_000, 100_000, 300_000), async (odds, blockBytes) => {
        const rows = Array.from({ length: 9_001 }, (_, row) => `${row},${row}.25,EUR,2026-04-0${(row % 9) + 1},order ${row}`);
        for (const { row, cells } of odds) rows[row] = cells.join();
        const openFile = fileOf(...cut(Buffer.from(`${header}\n${rows.join('\n')}`), [blockBytes]));
        expect(await readBoth({ fileId: someFileId, fields }, { openFile })).toHaveLength(9_001);
      }),
      { numRuns: 8 },
    );
  });

  it('read amounts with two decimals as rows do, however long, and what only looks like one', async () => {
    const hundredths = fc.tuple(fc.constantFrom('', '', '-', '+'), fc.integer({ min: 1, max: 14 }), fc.maxSafeNat());
    const written = hundredths.map(
      ([sign, digits, number]) => `${sign}${String(number).slice(0, digits)}.${String(number % 100).padStart(2, '0')}`,
    );
    const spoilt = fc.tuple(written, fc.nat(16), fc.constantFrom('/', ':', '.', '-', ' ', '0', 'x', '')).map(([text, at, other]) => {
      const place = at % text.length;
      return `${text.slice(0, place)}${other}${text.slice(place + 1)}`;
    });
    const cells = fc.array(fc.oneof({ weight: 4, arbitrary: written }, { weight: 1, arbitrary: spoilt }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        cells,
        fc.constantFrom('.', ','),
        fc.boolean(),
        fc.constantFrom('EUR', 'JPY', 'BHD'),
        async (cells, decimal, negate, currency) => {
          const text = `id;amount;currency\n${cells.map((cell, row) => `${row};${cell.replace('.', decimal)};${currency}\n`).join('')}`;
          const mapping = { id: 'id', amount: { column: 'amount', decimal, negate }, currency: 'currency' };
          const rows = await readBoth({ fileId: someFileId, delimiter: ';', fields: mapping }, { openFile: fileOf(text) });
          expect(rows).toHaveLength(cells.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('come of a file whose delimiter only shows at its end', async () => {
    // With a comma the quote would open a cell that never closes.
    const chunk = await columnsOf('a,"b;c\n1;2\n3;4', { fields: { reference: 'c' } });
    expect(textsIn(chunk)).toEqual({ reference: '24', 'a,"b': '13' });
  });

  it('do not begin when aborted already, and stop at the next chunk when aborted later', async () => {
    const { readColumns } = await openReader('csv', { fileId: someFileId, fields: { id: 'id' } });
    if (readColumns === undefined) throw new Error('csv does not read columns');
    const openFile = fileOf(`id\n${'7\n'.repeat(10)}`);
    const reason = new Error('cancelled');
    const never = readColumns(contextOf({ openFile, signal: AbortSignal.abort(reason) }))[Symbol.asyncIterator]();
    await expect(never.next()).rejects.toBe(reason);
    const abort = new AbortController();
    const chunks = readColumns(contextOf({ openFile, signal: abort.signal, limits: { rowsPerChunk: 5 } }))[Symbol.asyncIterator]();
    expect(await chunks.next()).toMatchObject({ done: false, value: { rows: 5 } });
    abort.abort(reason);
    await expect(chunks.next()).rejects.toBe(reason);
  });

  it('read every encoding that rows do', async () => {
    const text = `id,amount,note\n7,"1.234,50",Zürich €\n`;
    const config = { fields: { id: 'id', amount: { column: 'amount', decimal: ',' } } };
    for (const bytes of [Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(text), Buffer.from(text.replace('€', '\x80'), 'latin1')]) {
      const [chunk] = await readColumnChunks({ fileId: someFileId, ...config }, { openFile: fileOf(...cut(bytes, [3])) });
      expect(chunk?.amount).toEqual({ units: Float64Array.of(Number.NaN), unfit: [{ row: 0, decimal: '1234.50' }] });
      expect(chunk && textsIn(chunk)).toEqual({ id: '7', note: 'Zürich €' });
    }
  });
});
