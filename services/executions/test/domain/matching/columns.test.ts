import { currencyCode, currencyText } from '@settler/contracts/currency-codes';
import { fromMinor } from '@settler/contracts/money';
import type { Transform } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exponentsOf } from '../../../src/domain/matching/columns/currency.ts';
import { fieldTexts } from '../../../src/domain/matching/columns/field.ts';
import { finishHashes, hashCodes, hashTexts } from '../../../src/domain/matching/columns/hash.ts';
import { decimalText, minorUnits, Sum } from '../../../src/domain/matching/columns/money.ts';
import { normalized, transformed } from '../../../src/domain/matching/columns/normalize.ts';
import { countedUp, orderOf } from '../../../src/domain/matching/columns/order.ts';
import { forgetMemory, giveBack, lendDoubles, lendHalfWords, lendWords } from '../../../src/domain/matching/columns/scratch.ts';
import {
  areEqual,
  compareTexts,
  createTextHeap,
  isPresent,
  type TextColumn,
  textAt,
  textColumnOf,
} from '../../../src/domain/matching/columns/text-column.ts';
import { batchOf } from './records.ts';

const { MAX_SAFE_INTEGER: greatest } = Number;

describe('money', () => {
  test('is read where it is a plain decimal that its currency can hold exactly, and is nothing else', () => {
    const read = (text: string, exponent = 2) => minorUnits(text, exponent);
    expect(['12.34', '+12.3', '-12', '0012.340000000000', '-0'].map((text) => read(text))).toEqual([1_234, 1_230, -1_200, 1_234, 0]);
    expect([read('12', 0), read('12.0', 0), read('1.234', 3), read('90071992547409.91'), read('-90071992547409.91')]).toEqual([
      12,
      12,
      1_234,
      greatest,
      -greatest,
    ]);
    for (const text of [
      '',
      '.5',
      '5.',
      '1e3',
      ' 1',
      '1 ',
      '1.2.3',
      '--1',
      '12.345',
      '90071992547409.92',
      '1.0000000000000',
      `${'0'.repeat(18)}1`,
    ])
      expect(read(text), text).toBeNaN();
    expect(read(`${'0'.repeat(17)}1`)).toBe(100);
    expect(read('12.5', 0)).toBeNaN();
  });

  test('is written with the digits of its currency', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -1_100, max: 1_100 }), fc.maxSafeInteger()), fc.nat(4), (units, exponent) => {
        expect(decimalText(units, exponent)).toBe(fromMinor(BigInt(units), exponent));
      }),
    );
  });

  test('adds up exactly, however much it comes to', () => {
    const amount = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(greatest, -greatest, 2 ** 52, -(2 ** 52), 2 ** 52 + 1, 1, -1));
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 40 }), (amounts) => {
        const sum = new Sum();
        for (const one of amounts) sum.add(one);
        expect(sum.total).toBe(amounts.reduce((total, one) => total + BigInt(one), 0n));
      }),
      { numRuns: 300 },
    );
    for (const sign of [1, -1]) {
      const sum = new Sum();
      for (const units of [2 ** 52, 2 ** 52, 1]) sum.add(sign * units);
      expect(sum.total).toBe(BigInt(sign) * (2n ** 53n + 1n));
    }
  });
});

test('a currency is three capital letters, and each row has the digits of its own', () => {
  for (const text of ['EUR', 'AAA', 'ZZZ', 'JPY']) expect(currencyText(currencyCode(text))).toBe(text);
  for (const text of ['', 'EU', 'EURO', 'eur', '@UR', 'E[R', 'EU@', '[UR', 'E@R', 'EU[', 'EU\n']) expect(currencyCode(text), text).toBe(0);
  expect(currencyText(0)).toBe('');
  const codes = Int32Array.from(['EUR', 'JPY', '', 'KWD', 'EUR'], currencyCode);
  expect([...exponentsOf(codes)]).toEqual([2, 0, 2, 3, 2]);
  expect(exponentsOf(codes)).toBe(exponentsOf(codes));
});

describe('a column of texts', () => {
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'b', 'ab', 'é', '🚚', '\uffff', 'x'.repeat(24), 'x'.repeat(25), `${'x'.repeat(23)}é`),
    fc.string({ maxLength: 40 }),
  );
  const texts = fc.array(fc.oneof(text, fc.string({ unit: 'grapheme', maxLength: 30 })), { minLength: 1, maxLength: 12 });

  test('gives back what was put into it, compares by bytes, and calls equal what is', () => {
    fc.assert(
      fc.property(texts, texts, (ours, theirs) => {
        const [one, other] = [ours, theirs].map((all) => textColumnOf(all.length, (row) => all[row])) as [TextColumn, TextColumn];
        for (const [row, mine] of ours.entries()) {
          expect(textAt(one, row)).toBe(mine.toWellFormed());
          expect(isPresent(one, row)).toBe(mine !== '');
          for (const [at, their] of theirs.entries()) {
            expect(Math.sign(compareTexts(one, row, other, at))).toBe(Buffer.compare(Buffer.from(mine), Buffer.from(their)));
            expect(areEqual(one, row, other, at)).toBe(Buffer.from(mine).equals(Buffer.from(their)));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('grows by rows, by chunks from anywhere in their bytes, and over what is absent', () => {
    const step = fc.oneof(
      fc.record({ add: text, isJson: fc.boolean() }),
      fc.record({ chunk: texts, outlook: fc.constantFrom(1, 3), before: fc.nat(3) }),
      fc.record({ fill: fc.nat(400) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const heap = createTextHeap({ rows: 2, bytes: 4 });
        const expected: string[] = [];
        const json: number[] = [];
        for (const one of steps) {
          if ('add' in one) {
            if (one.isJson) json.push(expected.length);
            heap.add(one.add, one.isJson);
            expected.push(one.add);
          } else if ('chunk' in one) {
            const bytes = Buffer.from(`${'-'.repeat(one.before)}${one.chunk.join('')}more`);
            const ends = one.chunk.map((_, row) => one.before + Buffer.byteLength(one.chunk.slice(0, row + 1).join('')));
            heap.addAll(bytes, Uint32Array.from([one.before, ...ends]), one.chunk.length, one.outlook);
            expected.push(...one.chunk);
          } else {
            heap.fill(one.fill);
            while (expected.length < one.fill) expected.push('');
          }
          expect(heap.rows()).toBe(expected.length);
        }
        const column = heap.build();
        expect(expected.map((_, row) => textAt(column, row))).toEqual(expected.map((one) => one.toWellFormed()));
        expect(column.offsets).toHaveLength(expected.length + 1);
        expect(column.json && [...column.json].flatMap((flag, row) => (flag === 1 ? [row] : []))).toEqual(
          json.length === 0 ? undefined : json,
        );
        expect(column.json?.length ?? expected.length).toBe(expected.length);
      }),
      { numRuns: 200 },
    );
  });
});

test('equal rows have equal hashes wherever they lie, and others nearly always have others', () => {
  const texts = Array.from({ length: 4_000 }, (_, index) => `${'x'.repeat(index % 9)}${Math.floor(index / 9)}`);
  const hashesOf = (all: readonly string[], codes: readonly number[]) => {
    const rows = countedUp(all.length);
    const hashes = new Uint32Array(all.length);
    hashTexts(
      textColumnOf(all.length, (row) => all[row]),
      rows,
      hashes,
    );
    hashCodes(Int32Array.from(codes), rows, hashes);
    finishHashes(hashes);
    return [...hashes];
  };
  const codes = texts.map((_, index) => index % 2);
  const hashes = hashesOf(texts, codes);
  expect(hashesOf(texts.toReversed(), codes.toReversed())).toEqual(hashes.toReversed());
  // Eight thousand of 2^32 hardly ever meet.
  const both = hashesOf([...texts, ...texts], [...codes, ...codes.map((code) => 1 - code)]);
  expect(new Set(both).size).toBeGreaterThan(7_990);
  for (const shift of [0, 22]) expect(new Set(both.map((hash) => (hash >>> shift) & 1_023)).size).toBeGreaterThan(1_000);
});

interface Lent {
  readonly buffer: ArrayBuffer;
}

test('memory that was given back is lent again, to one at a time, and not kept beyond a bound', () => {
  // Two buffers are compared by what they are, not by their megabytes.
  const isSame = (one: Lent, other: Lent): boolean => one.buffer === other.buffer;
  const first = lendWords(1_000_003);
  const second = lendWords(1_000_003);
  expect([first.length, isSame(second, first)]).toEqual([1_000_003, false]);
  giveBack(first);
  const again = lendDoubles(500_000);
  expect([again.length, isSame(again, first)]).toEqual([500_000, true]);
  const small = lendHalfWords(3);
  expect([small.length, isSame(small, again)]).toEqual([3, false]);
  // Nor to whom it is many times too large for, nor once it is to be forgotten.
  giveBack(again);
  expect(isSame(lendWords(200_000), again)).toBe(false);
  forgetMemory();
  expect(isSame(lendWords(1_000_003), again)).toBe(false);
  const huge = lendWords(68_000_000);
  giveBack(second, huge);
  expect(isSame(lendWords(68_000_000), huge)).toBe(false);
  expect(isSame(lendWords(1_000_003), second)).toBe(false);
});

test('positions are sorted by keys of any size, and equal ones keep their order', () => {
  const key = fc.oneof(
    fc.nat(3),
    fc.constantFrom(2 ** 11 - 1, 2 ** 11, 2 ** 22, 2 ** 31, 2 ** 32 - 1),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, key), { maxLength: 50 }), (pairs) => {
      const [minor, major] = [0, 1].map((at) => Uint32Array.from(pairs, (pair) => pair[at] as number)) as [Uint32Array, Uint32Array];
      const keyOf = (column: Uint32Array, at: number) => column[at] as number;
      const positions = [...pairs.keys()];
      expect([...orderOf(minor)]).toEqual(positions.toSorted((one, other) => keyOf(minor, one) - keyOf(minor, other)));
      expect([...orderOf(major, orderOf(minor))]).toEqual(
        positions.toSorted((one, other) => keyOf(major, one) - keyOf(major, other) || keyOf(minor, one) - keyOf(minor, other)),
      );
      expect([...countedUp(pairs.length)]).toEqual(positions);
    }),
    { numRuns: 200 },
  );
});

describe('a field', () => {
  const textsOf = (record: Record<string, unknown>, path: string): string | null => {
    const column = fieldTexts(batchOf([record], false), path, []);
    return isPresent(column, 0) ? textAt(column, 0) : null;
  };

  test('is the column of its name before it is a path into another one', () => {
    const record = { 'order.id': 'whole', order: { id: 'part', 'a.b': 'unreachable', deep: { er: 7 } }, flag: false, none: null };
    expect(textsOf(record, 'order.id')).toBe('whole');
    expect(textsOf(record, 'order.deep.er')).toBe('7');
    expect(textsOf(record, 'flag')).toBe('false');
    for (const path of [
      'order',
      'order.deep',
      'order.none',
      'order.a.b',
      'order.deep.er.x',
      'other',
      'other.id',
      'none',
      'flag.x',
      'order.toString',
    ])
      expect(textsOf(record, path), path).toBeNull();
    expect(textsOf({ order: 'a text' }, 'order.length')).toBeNull();
    expect(textsOf({ order: { id: null } }, 'order.id')).toBeNull();
  });

  test('amounts, currencies and dates are written in one way', () => {
    const record = { amount: '+10.5', currency: 'EUR', date: '2026-04-01' };
    expect(['amount', 'currency', 'date'].map((path) => textsOf(record, path))).toEqual(['10.50', 'EUR', '2026-04-01']);
    expect(['amount', 'currency', 'date'].map((path) => textsOf({ note: 'n' }, path))).toEqual([null, null, null]);
  });
});

describe('transforms', () => {
  const lists: readonly (readonly [Transform, Readonly<Record<string, string>>])[] = [
    ['trim', { ' \t a b \n': 'a b', '\r\n\v\f\u001fa\u000e\r': '\u001fa\u000e', ' ': '' }],
    ['lowercase', { ÄBc: 'äbc' }],
    ['collapseSpaces', { 'a \t\n b  c': 'a b c', ' a': ' a' }],
    ['alphanumeric', { 'Ä-1 b_/２': 'Ä1b２', '--': '' }],
    ['digits', { 'a1-b2٣': '12' }],
    ['stripAccents', { 'Crème Brûlée': 'Creme Brulee' }],
    ['stripLeadingZeros', { '00120': '120', '000': '0', '0': '0', a00: 'a00', '0\n': '\n', '0\né': '\né' }],
    ['negate', { '1.5': '-1.5', '-1.5': '1.5', '0': '0', '0.00': '0.00', '1-5': '-1-5', '0.10': '-0.10', '10': '-10' }],
    ['abs', { '-1.5': '1.5', '1.5': '1.5', '1-5': '1-5' }],
    [{ stripPrefix: 'ord-' }, { 'ord-1': '1', 'ORD-1': 'ORD-1', '1ord-': '1ord-', ord: 'ord', 'ord-': '' }],
    [{ stripSuffix: '-x' }, { '1-x': '1', '-x1': '-x1', x: 'x', '-x': '' }],
    [{ regexReplace: { pattern: '([0-9]+)/', with: '$1-' } }, { '12/34/x': '12-34-x', a: 'a' }],
    [
      { round: 2 },
      {
        '1': '1.00',
        '1.005': '1.01',
        '-1.005': '-1.01',
        '1.0049': '1.00',
        '12.345': '12.35',
        '-0.001': '0.00',
        '9.999': '10.00',
        '0.05': '0.05',
        'x1.005': 'x1.005',
        '1.005x': '1.005x',
        '1.': '1.',
      },
    ],
    [{ round: 0 }, { '1.5': '2', '-1.5': '-2', '1.4': '1', '-0.4': '0', '12': '12' }],
  ];

  test.each(lists)('%j does what it says, over bytes and over text', (transform, examples) => {
    const texts = Object.keys(examples);
    expect(texts.map(transformed([transform]))).toEqual(Object.values(examples));
    const column = normalized(
      textColumnOf(texts.length, (row) => texts[row]),
      [transform],
    );
    expect(texts.map((_, row) => textAt(column, row))).toEqual(Object.values(examples));
  });

  test('follow one another, and leave what is absent absent', () => {
    expect(transformed(['trim', { stripPrefix: 'a' }, 'abs'])(' a-1 ')).toBe('1');
    const column = textColumnOf(3, (row) => ['', ' é ', ''][row]);
    for (const step of ['trim', 'negate'] as const) {
      const made = normalized(column, [step]);
      expect([0, 1, 2].map((row) => isPresent(made, row))).toEqual([false, true, false]);
    }
    expect(normalized(column, [])).toBe(column);
  });

  test('say the same over bytes as over text, in whatever order, in columns of many blocks and with what fits in none', () => {
    const step = fc.constantFrom<Transform>(
      'trim',
      'lowercase',
      'alphanumeric',
      'digits',
      'stripAccents',
      'stripLeadingZeros',
      { stripPrefix: 'no' },
      { stripPrefix: '0' },
      { stripSuffix: '1' },
      { stripSuffix: 'a longer one' },
    );
    const ascii = fc.string({ unit: fc.constantFrom(...'nNoO01 -\tZz'), maxLength: 24 });
    const text = fc.oneof(
      { weight: 6, arbitrary: ascii },
      fc.constantFrom('', 'é1', '01 日本 1', 'no a longer one', 'x'.repeat(70_000), ` ${'0'.repeat(40_000)}`, ` 1${'é'.repeat(40_000)} `),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 4 }),
        fc.array(text, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1, 1, 1, 900),
        (steps, some, times) => {
          const texts = Array.from({ length: some.length * times }, (_, row) => some[row % some.length] as string).slice(0, 9_000);
          const made = normalized(
            textColumnOf(texts.length, (row) => (texts[row] as string).slice(0, times === 1 ? undefined : 30)),
            steps,
          );
          const expected = new Map(some.map((one) => [one, transformed(steps)(one.slice(0, times === 1 ? undefined : 30))]));
          for (const [row, one] of texts.entries())
            if (textAt(made, row) !== expected.get(one)) expect(textAt(made, row)).toBe(expected.get(one));
        },
      ),
      { numRuns: 60 },
    );
  });
});
