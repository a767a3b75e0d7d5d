import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSimilarity, type Similarity, similarityOf } from '../../../src/domain/matching/similarity/similarity.ts';

const alike = (kind: Similarity, one: string, other: string, threshold = Number.MIN_VALUE): number =>
  similarityOf(kind, threshold, one, other);
/** As one would write it down, without a thought to speed. */
const textbook = {
  levenshtein: (one: string, other: string): number => {
    const rows = Array.from({ length: one.length + 1 }, (_, i) => Array.from({ length: other.length + 1 }, (__, j) => (i === 0 ? j : i)));
    for (let i = 1; i <= one.length; i += 1)
      for (let j = 1; j <= other.length; j += 1)
        (rows[i] as number[])[j] = Math.min(
          (rows[i - 1]?.[j] ?? 0) + 1,
          (rows[i]?.[j - 1] ?? 0) + 1,
          (rows[i - 1]?.[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1),
        );
    const longer = Math.max(one.length, other.length);
    return longer === 0 ? 1 : 1 - (rows[one.length]?.[other.length] ?? 0) / longer;
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
