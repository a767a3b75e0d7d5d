import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellScanner, windowBytes } from '../../src/csv/scan.ts';
import { type SplitOptions, splitter } from '../../src/csv/split.ts';
import { brokenRow, widthFault } from '../../src/fields/layout.ts';
import { ReaderFailure } from '../../src/reader.ts';

/** What is made of a text: the header, and each row as its cells or what is wrong with it. */
type Outcome = { header?: readonly string[]; rows: (readonly [line: number, said: readonly string[] | string])[]; failure?: unknown };

type Options = { delimiter?: string; bytesPerRecord?: number; sizes?: readonly number[] };

const outcomeOf = (text: string, sizes: readonly number[], begin: (outcome: Outcome) => ReturnType<typeof splitter>): Outcome => {
  const outcome: Outcome = { rows: [] };
  const { push, finish } = begin(outcome);
  try {
    let rest: Uint8Array = Buffer.from(text);
    for (const size of sizes) {
      push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    push(rest);
    finish();
  } catch (error) {
    if (!(error instanceof ReaderFailure)) throw error;
    // Rows of the block that fails may or may not have been given out.
    return { rows: [], failure: [error.code, error.line, error.message] };
  }
  return outcome;
};

const optionsOf = ({ delimiter = ',', bytesPerRecord = 1024 }: Options): SplitOptions => ({ delimiter, bytesPerRecord, firstLine: 1 });

const scanned = (text: string, options: Options = {}): Outcome => {
  let seen = 0;
  return outcomeOf(text, options.sizes ?? [], (outcome) =>
    cellScanner(optionsOf(options), {
      header: (cells) => {
        outcome.header = cells;
      },
      rows: ({ bytes, bounds, width, rows, lines, broken }, isMore) => {
        for (let row = isMore ? seen : 0; row < rows; row++) {
          const cells = Array.from({ length: width }, (_, column) => {
            const at = 2 * (row * width + column);
            return bytes.toString('utf8', bounds[at], bounds[at + 1]);
          });
          const fault = broken.find((found) => found.row === row);
          if (fault !== undefined) expect(cells.join('')).toBe('');
          outcome.rows.push([lines[row] ?? 0, fault?.reason ?? cells]);
        }
        seen = rows;
      },
    }),
  );
};

const split = (text: string, options: Options = {}): Outcome =>
  outcomeOf(text, [], (outcome) =>
    splitter(optionsOf(options), (cells, line, fault) => {
      if (outcome.header === undefined) outcome.header = [...cells];
      else {
        const isWide = cells.length === outcome.header.length;
        const broken = fault ?? (isWide ? undefined : widthFault(cells.length, outcome.header.length));
        outcome.rows.push([line, broken === undefined ? [...cells] : brokenRow(broken, cells.length, (cell) => cells[cell] ?? '')]);
      }
    }),
  );

describe('scanning', () => {
  it('finds the cells of a table', () => {
    expect(scanned('a,b\r\n1,"2,""3"""\r\n\r\n,\r\n"4"x,5\n6\n')).toEqual({
      header: ['a', 'b'],
      rows: [
        [2, ['1', '2,"3"']],
        [4, ['', '']],
        [5, 'text follows the closing quote of cell 1: "4"x | 5'],
        [6, 'the row has 1 cells, the header 2: 6'],
      ],
    });
  });

  it('finds what splitting into strings finds, of any text at all and wherever it is cut', () => {
    const often = ['a', ',', ',', ',', '\n', '\n', '\r\n', '"of, some \n length"', 'text of some length'];
    const seldom = ['é', ' ', '"', '""', '"some ""text"""', ';', '\t', '!', '\r'];
    const pieces = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...often) }, { weight: 1, arbitrary: fc.constantFrom(...seldom) });
    const text = fc.oneof(
      { weight: 5, arbitrary: fc.array(fc.constantFrom(...often), { maxLength: 40 }).map((list) => list.join('')) },
      { weight: 5, arbitrary: fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')) },
      { weight: 1, arbitrary: fc.array(fc.oneof(pieces, fc.constant('\0')), { maxLength: 20 }).map((list) => list.join('')) },
    );
    let rows = 0;
    fc.assert(
      fc.property(
        text,
        fc.constantFrom(',', ',', ';', '\t', ' ', '!', '|'),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
        fc.constantFrom(12, 60, 1024, 1024, 1024),
        (text, delimiter, sizes, bytesPerRecord) => {
          const expected = split(text, { delimiter, bytesPerRecord });
          expect(scanned(text, { delimiter, bytesPerRecord, sizes })).toEqual(expected);
          rows += expected.rows.length;
        },
      ),
      { numRuns: 500 },
    );
    expect(rows).toBeGreaterThan(100);
  });

  it('finds what splitting into strings finds of a table, wherever its rows lie in what is looked at together', () => {
    const cell = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('', 'a', 'some text', '5" pipe', 'é'.repeat(20)) },
      { weight: 3, arbitrary: fc.constantFrom('""', '"a"', '"of, some, length"', '"""of"" some"', '"a\nb"', '"a\r\nb"') },
      { weight: 1, arbitrary: fc.constantFrom('"a"b', '"a" ', '"a"b"c,', 'a,b') },
    );
    const row = fc.tuple(cell, cell, cell, fc.constantFrom('\n', '\n', '\r\n', '\r', '\n\n'));
    let whole = 0;
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 30 }),
        fc.integer({ min: 0, max: 300 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }),
        fc.constantFrom(90, windowBytes * 2, windowBytes * 2),
        (rows, before, sizes, bytesPerRecord) => {
          const lines = rows.map(([one, two, three, lineEnd]) => `${one},${two},${three}${lineEnd}`);
          const first = bytesPerRecord === 90 ? 'x' : 'x'.repeat(windowBytes - before);
          const text = `a,b,c\n${first},,\n${lines.join('')}`;
          const expected = split(text, { bytesPerRecord });
          expect(scanned(text, { bytesPerRecord, sizes: [first.length, ...sizes] })).toEqual(expected);
          whole += expected.rows.filter(([, said]) => typeof said !== 'string').length;
        },
      ),
      { numRuns: 300 },
    );
    expect(whole).toBeGreaterThan(400);
  });

  it('fails on a record beyond its bound, wherever the blocks are cut, and takes one that reaches it', () => {
    const bytesPerRecord = 20;
    const fits = `${'a'.repeat(9)},${'b'.repeat(10)}\n`;
    for (let size = 0; size < 20; size++) {
      const options = { bytesPerRecord, sizes: [4, size] };
      expect(scanned(`h,i\n\n${fits}`, options).rows).toHaveLength(1);
      expect(scanned(`h,i\n\nx${fits}`, options).failure).toMatchObject(['line_too_long', 3, expect.any(String)]);
      expect(scanned(`h,i\n\n"${fits}"`, options).failure).toMatchObject(['unterminated_quote', 3, expect.any(String)]);
    }
  });

  it('grows with a record of many cells, and with a block of many rows', () => {
    const wide = Array.from({ length: 20_000 }, (_, index) => `c${index}`).join();
    const { header, rows } = scanned(`${wide}\n${wide}\n`, { bytesPerRecord: 1024 * 1024, sizes: [50_000, 70_000, 100_000] });
    expect([header?.length, rows.length, rows[0]?.[1].at(-1)]).toEqual([20_000, 1, 'c19999']);
    expect(scanned(`a,b\n${'1,2\n'.repeat(5000)}`).rows).toHaveLength(5000);
  });
});
