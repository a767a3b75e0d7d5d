import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitter } from '../../src/csv/split.ts';
import { ReaderFailure } from '../../src/reader.ts';

type Split = { cells: string[]; line: number; fault: string | undefined };

/** The records of a text that comes in blocks of the given sizes, and then in one. */
const split = (text: string, { delimiter = ',', bytesPerRecord = 1024, sizes = [] as readonly number[] } = {}): Split[] => {
  const records: Split[] = [];
  const { push, finish } = splitter({ delimiter, bytesPerRecord, firstLine: 1 }, (cells, line, fault) => {
    records.push({ cells: [...cells], line, fault });
  });
  let rest: Uint8Array = Buffer.from(text);
  for (const size of sizes) {
    push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  push(rest);
  finish();
  return records;
};

const cellsOf = (text: string, delimiter = ',') => split(text, { delimiter }).map(({ cells }) => cells);

const failure = (run: () => unknown): Partial<ReaderFailure> => {
  try {
    run();
  } catch (error) {
    if (error instanceof ReaderFailure) return { code: error.code, line: error.line };
    throw error;
  }
  throw new Error('it did not fail');
};

describe('splitting', () => {
  it('ends cells at delimiters and records at line ends, the last one also without', () => {
    expect(cellsOf('a,b\nc,d')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(cellsOf('a,b\nc,\n')).toEqual([
      ['a', 'b'],
      ['c', ''],
    ]);
    expect(cellsOf('a,')).toEqual([['a', '']]);
    expect(cellsOf('""')).toEqual([['']]);
    expect(cellsOf(',')).toEqual([['', '']]);
    expect(cellsOf('a;b\tc', ';')).toEqual([['a', 'b\tc']]);
  });

  it('takes delimiters, line ends and doubled quotes in quotes as text', () => {
    expect(cellsOf('"a,b","say ""hi""","line\nline\r\nline"\n')).toEqual([['a,b', 'say "hi"', 'line\nline\r\nline']]);
    expect(cellsOf('"""",""""""')).toEqual([['"', '""']]);
  });

  it('takes a quote inside a cell as text', () => {
    expect(cellsOf('5" pipe,a"b"c, "d"')).toEqual([['5" pipe', 'a"b"c', ' "d"']]);
  });

  it('tells what follows a closing quote, and reads on with the next record', () => {
    expect(split('a,"b"c,d\n"e" ,f\ng,h\n')).toEqual([
      { cells: ['a', '"b"c', 'd'], line: 1, fault: 'text follows the closing quote of cell 2' },
      { cells: ['"e" ', 'f'], line: 2, fault: 'text follows the closing quote of cell 1' },
      { cells: ['g', 'h'], line: 3, fault: undefined },
    ]);
  });

  it('counts physical lines: CRLF as one, lone CR and LF, blank ones, and those in quotes', () => {
    const lines = (text: string, sizes: number[] = []) => split(text, { sizes }).map(({ line }) => line);
    expect(lines('a\r\nb\r\nc')).toEqual([1, 2, 3]);
    expect(lines('a\rb\rc')).toEqual([1, 2, 3]);
    expect(lines('a\n\n\r\n\rb')).toEqual([1, 5]);
    expect(lines('"1\r\n2\n3\r4"\r\nb')).toEqual([1, 5]);
    expect(lines('"a\r"\n"b"\r\nc')).toEqual([1, 3, 4]);
    expect(lines('a\r\nb', [2])).toEqual([1, 2]);
    expect(lines('"\r\n"\r\nb', [2, 3])).toEqual([1, 3]);
  });

  it('keeps characters beyond ASCII, also cut between blocks', () => {
    const text = 'Müller,€,𝄞 and some more of it\n"ß,""ü""",x,y\n';
    for (let size = 1; size < Buffer.byteLength(text); size++) {
      expect(split(text, { sizes: [size] }).map(({ cells }) => cells)).toEqual([
        ['Müller', '€', '𝄞 and some more of it'],
        ['ß,"ü"', 'x', 'y'],
      ]);
    }
  });

  it('fails on a NUL byte, with its line', () => {
    expect(failure(() => split('a,b\nc,\0d\n'))).toEqual({ code: 'binary_content', line: 2 });
    expect(failure(() => split('a,b\n"c\n\0d"\n'))).toEqual({ code: 'binary_content', line: 3 });
    expect(failure(() => split('\0'))).toEqual({ code: 'binary_content', line: 1 });
  });

  it('fails on a record beyond its bound, wherever the blocks are cut, and takes one that reaches it', () => {
    const bytesPerRecord = 20;
    const fits = `${'a'.repeat(9)},${'b'.repeat(10)}\n`;
    for (let size = 0; size < 20; size++) {
      const sizes = [4, size];
      expect(split(`h\n\n${fits}`, { bytesPerRecord, sizes })).toHaveLength(2);
      expect(failure(() => split(`h\n\nx${fits}`, { bytesPerRecord, sizes }))).toEqual({ code: 'line_too_long', line: 3 });
      expect(failure(() => split(`h\n\n"${fits}"`, { bytesPerRecord, sizes }))).toEqual({ code: 'unterminated_quote', line: 3 });
    }
  });

  it('fails on a quote that nothing closes, with the line it opens on', () => {
    expect(failure(() => split('a,b\nc,"d\ne,f\n'))).toEqual({ code: 'unterminated_quote', line: 2 });
  });

  it('reads back any table, however it is quoted and wherever it is cut', () => {
    const delimiter = fc.constantFrom(',', ';', '\t', '|');
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', '\n', '\r', ' ', 'é', '€', '𝄞'), maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 30 }).map((value) => value.replaceAll('\0', '')),
    );
    const table = fc.array(fc.array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 6 }), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 });
    fc.assert(
      fc.property(
        table,
        delimiter,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        cuts,
        (rows, delimiter, lineEnd, hasLastEnd, sizes) => {
          const written = rows.map((cells) =>
            cells
              .map(([value, wantsQuotes]) => {
                const needsQuotes = /["\r\n]/.test(value) || value.includes(delimiter) || (value === '' && cells.length === 1);
                return wantsQuotes || needsQuotes ? `"${value.replaceAll('"', '""')}"` : value;
              })
              .join(delimiter),
          );
          const records = split(written.join(lineEnd) + (hasLastEnd ? lineEnd : ''), { delimiter, sizes, bytesPerRecord: 100_000 });
          expect(records.map(({ cells }) => cells)).toEqual(rows.map((cells) => cells.map(([value]) => value)));
          expect(records.every(({ fault }) => fault === undefined)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads any bytes at all the same wherever they are cut', () => {
    const junk = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '\0'), maxLength: 60 });
    const outcome = (text: string, sizes: readonly number[]): unknown => {
      try {
        return split(text, { sizes, bytesPerRecord: 12 });
      } catch (error) {
        if (error instanceof ReaderFailure) return [error.code, error.line];
        throw error;
      }
    };
    fc.assert(
      fc.property(junk, fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }), (text, sizes) => {
        expect(outcome(text, sizes)).toEqual(outcome(text, []));
      }),
      { numRuns: 1000 },
    );
  });
});
