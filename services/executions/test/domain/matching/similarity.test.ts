import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSimilarity, type Similarity, similarityOf } from '../../../src/domain/matching/similarity/similarity.ts';

const alike = (kind: Similarity, one: string, other: string, threshold = Number.MIN_VALUE): number =>
  similarityOf(kind, threshold, one, other);
/** As one would write it down, without a thought to speed. */
const textbook = {
  levenshtein: (one: string, other: string): number => {
    const longer = Math.max(one.length, other.length);
    if (longer === 0) return 1;
    const rows = Array.from({ length: one.length + 1 }, (_, i) => Array.from({ length: other.length + 1 }, (__, j) => (i === 0 ? j : i)));
    for (let i = 1; i <= one.length; i += 1)
      for (let j = 1; j <= other.length; j += 1)
        (rows[i] as number[])[j] = Math.min(
          (rows[i - 1]?.[j] ?? 0) + 1,
          (rows[i]?.[j - 1] ?? 0) + 1,
          (rows[i - 1]?.[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1),
        );
    return (longer - (rows[one.length]?.[other.length] ?? 0)) / longer;
  },
  'jaro-winkler': (one: string, other: string): number => {
    if (one === '' || other === '') return one === other ? 1 : 0;
    const window = Math.max(0, Math.floor(Math.max(one.length, other.length) / 2) - 1);
    const taken = new Set<number>();
    const theirs = [...other.split('')].filter((letter, index) => {
      const place = one.split('').findIndex((mine, at) => mine === letter && Math.abs(at - index) <= window && !taken.has(at));
      if (place !== -1) taken.add(place);
      return place !== -1;
    });
    const ours = one.split('').filter((_, index) => taken.has(index));
    const m = ours.length;
    if (m === 0) return 0;
    const transpositions = Math.floor(ours.filter((letter, index) => letter !== theirs[index]).length / 2);
    const jaro = (m / one.length + m / other.length + (m - transpositions) / m) / 3;
    let prefix = 0;
    while (prefix < 4 && prefix < Math.min(one.length, other.length) && one[prefix] === other[prefix]) prefix += 1;
    return jaro > 0.7 ? jaro + prefix * 0.1 * (1 - jaro) : jaro;
  },
} as const;

const letters = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ü', '\ud800'), maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 28, maxLength: 100 }),
);
const close = fc.tuple(letters, fc.array(fc.tuple(fc.nat(40), fc.constantFrom('a', '', 'xy')), { maxLength: 4 })).map(([text, edits]) => {
  const other = edits.reduce((current, [at, put]) => current.slice(0, at) + put + current.slice(at + 1), text);
  return [text, other] as const;
});
const pairs = fc.oneof(close, fc.tuple(letters, letters));
const kinds = ['levenshtein', 'jaro-winkler', 'token-set', 'trigram'] as const;

describe('how alike two texts are', () => {
  test.each([
    ['jaro-winkler', 'MARTHA', 'MARHTA', 0.9611],
    ['jaro-winkler', 'DIXON', 'DICKSONX', 0.8133],
    ['jaro-winkler', 'DWAYNE', 'DUANE', 0.84],
    ['levenshtein', 'kitten', 'sitting', 1 - 3 / 7],
    ['levenshtein', 'Saturday', 'Sunday', 1 - 3 / 8],
    ['token-set', 'ACME GmbH', 'GmbH ACME, Hamburg', 0.8],
    // select similarity('word', 'two words') in PostgreSQL.
    ['trigram', 'word', 'two words', 0.36363637],
  ] as const)('%s of %s and %s', (kind, one, other, expected) => {
    expect(alike(kind, one, other)).toBeCloseTo(expected, 4);
  });

  test.each(['levenshtein', 'jaro-winkler'] as const)('%s is what the textbook says, at any length', (kind) => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const expected = textbook[kind](one, other);
        const found = alike(kind, one, other);
        expect(Number.isNaN(found) ? 0 : found).toBeCloseTo(expected, 10);
      }),
      { numRuns: 500 },
    );
  });

  test.each(kinds)('%s: the same both ways round, within 0 and 1, and 1 for the same text', (kind) => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const found = alike(kind, one, other, 0);
        expect(found).toBeCloseTo(alike(kind, other, one, 0), 10);
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(1);
        const isOfParts = kind === 'token-set' || kind === 'trigram';
        if (!isOfParts || /[\p{L}\p{N}]/u.test(one)) expect(alike(kind, one, one)).toBe(1);
      }),
    );
  });

  test.each(kinds)('%s: a threshold hides what lies below it and changes nothing else', (kind) => {
    fc.assert(
      fc.property(pairs, fc.double({ min: 0.01, max: 1, noNaN: true }), ([one, other], threshold) => {
        const whole = alike(kind, one, other, 0);
        const found = alike(kind, one, other, threshold);
        if (whole >= threshold) expect(found).toBe(whole);
        else expect(found).toBeNaN();
      }),
      { numRuns: 500 },
    );
  });

  test.each(kinds)('%s: a text among many is as like another as it is alone, whatever was compared before', (kind) => {
    const many = fc.array(letters, { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(fc.array(fc.tuple(letters, many), { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 0.5), (blocks, threshold) => {
        const { prepare, compare } = createSimilarity(kind, threshold);
        const similarities = new Float64Array(7);
        for (const [one, others] of blocks) {
          compare(prepare(one), others.map(prepare), others.length, similarities);
          expect([...similarities.subarray(0, others.length)]).toEqual(others.map((other) => alike(kind, one, other, threshold)));
        }
      }),
    );
  });

  test.each(kinds)('%s: a text stays what it was when hundreds are prepared after it', (kind) => {
    const texts = Array.from({ length: 300 }, (_, index) => `${'ab '.repeat(70)}${(index * 7_919) % 1_000}`);
    const { prepare, compare } = createSimilarity(kind, 0.1);
    const similarities = new Float64Array(texts.length);
    const [one, ...others] = texts.map(prepare);
    compare(one, others, others.length, similarities);
    for (const index of [0, 120, 130, 298]) expect(similarities[index]).toBe(alike(kind, String(texts[0]), String(texts[index + 1]), 0.1));
  });

  test.each(kinds)('%s: what was prepared beside a text is no part of it', (kind) => {
    const { prepare, compare } = createSimilarity(kind, 0.1);
    const found = new Float64Array(1);
    const [, longer, shorter] = ['zz', 'abc', 'ab', 'cab'].map(prepare);
    for (const [one, other] of [
      [longer, shorter],
      [shorter, longer],
    ]) {
      compare(one, [other], 1, found);
      expect(found[0]).toBe(alike(kind, 'ab', 'abc', 0.1));
    }
  });

  test.each(kinds)('%s looks at the first 256 units of a text', (kind) => {
    const name = 'ab '.repeat(100);
    expect(alike(kind, `${name.slice(0, 256)}c`, `${name.slice(0, 256)}${'d'.repeat(10_000_000)}`)).toBe(1);
  });
});

describe('a text and its block, by levenshtein', () => {
  /** Exactly, and with not a number more than there are others. */
  const expectBlock = (threshold: number, one: string, others: readonly string[]): void => {
    const { prepare, compare } = createSimilarity('levenshtein', threshold);
    const similarities = new Float64Array(others.length + 1).fill(7);
    compare(prepare(one), others.map(prepare), others.length, similarities);
    const expected = others.map((other) => textbook.levenshtein(one, other));
    expect([...similarities]).toEqual([...expected.map((whole) => (whole >= threshold ? whole : Number.NaN)), 7]);
  };
  const units = fc.constantFrom('a', 'b', 'c', 'd', 'ü', '\0', '\ud83d', '\udca3', '\uffff');
  const text = fc.oneof(fc.string({ unit: units, maxLength: 40 }), fc.string({ unit: units, minLength: 29, maxLength: 35 }));

  test.each(Array.from({ length: 41 }, (_, size) => size))('%i others are each as the textbook says', (size) => {
    const others = fc.array(text, { minLength: size, maxLength: size });
    const threshold = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(fc.property(threshold, text, others, expectBlock), { numRuns: 12 });
  });

  const letters32 = 'Alberdale Janfordstein Trading B';
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('a text that is over before the other seven stays as it is, the %ith', (lane) => {
    for (let length = 0; length <= letters32.length; length += 1) {
      const others = Array.from({ length: 8 }, (_, at) => (at === lane ? letters32.slice(0, length) : `${letters32.slice(1)}x`));
      for (const one of [letters32, letters32.slice(7), letters32.slice(0, 1)]) expectBlock(0, one, others);
    }
  });

  test('a text that is longer than the other seven is read to its end', () => {
    for (let lane = 0; lane < 8; lane += 1) {
      for (let length = 1; length <= 32; length += 1) {
        const others = Array.from({ length: 8 }, (_, at) => (at === lane ? 'ab'.repeat(16).slice(0, length) : 'ba'));
        expectBlock(0, 'ab'.repeat(16), others);
      }
    }
  });

  test('more others than are compared at a time, and more than are kept', () => {
    const others = Array.from({ length: 20_000 }, (_, index) => ((index * 7_919) % 46_656).toString(36).padEnd(index % 7, 'z'));
    expectBlock(0, 'b2z4z', others);
    for (const size of [255, 256, 257, 511, 513]) expectBlock(0.3, 'z1b', others.slice(0, size));
  });

  test('no text is written over by those that are kept after it, while it waits to be compared', () => {
    const { prepare, compare } = createSimilarity('levenshtein', 0);
    const word = (index: number): string => ((index * 7_919) % 1_679_616).toString(36).padStart(4, 'x');
    const kept = Array.from({ length: 12_000 }, (_, index) => word(index));
    const prepared = kept.map(prepare);
    const one = 'k2j9';
    const similarities = new Float64Array(kept.length);
    compare(prepare(one), prepared, prepared.length, similarities);
    // Each block asks for older ones, and then for some that nobody has seen: sooner or later those take the place of the oldest.
    for (let oldest = kept.length - 128, fresh = kept.length; oldest >= 0; oldest -= 16, fresh += 64) {
      const young = Array.from({ length: 64 }, (_, index) => word(fresh + index));
      const block = [...prepared.slice(oldest, oldest + 128), ...young.map(prepare)];
      compare(prepare(one), block, block.length, similarities);
      const expected = [...kept.slice(oldest, oldest + 128), ...young].map((other) => textbook.levenshtein(one, other));
      expect([...similarities.subarray(0, block.length)]).toEqual(expected);
    }
  });
});
