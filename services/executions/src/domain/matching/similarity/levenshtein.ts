/**
 * `levenshtein`: how few letters have to be added, removed or replaced, as a share: 1 − distance ÷ the longer length. The distances of
 * a whole column are computed at once, a bit for each (Myers 1999, in Hyyrö's form of 2003), where one of the texts has at most 32
 * units of UTF-16; longer ones row by row.
 */
import { type Letters, lettersOf } from './letters.ts';
import type { Measure } from './measure.ts';

const wordBits = 32;

export const createLevenshtein = (threshold: number): Measure<Letters> => {
  const masks = createMasks();
  return {
    prepare: lettersOf,
    compare: (one, other) => {
      const [m, n] = [one.units.length, other.units.length];
      const longer = Math.max(m, n);
      if (longer === 0) return 1;
      const similarityAt = (distance: number): number => (longer - distance) / longer;
      const isTooFar = (distance: number): boolean => similarityAt(distance) < threshold;
      if (isTooFar(Math.abs(m - n))) return Number.NaN;
      if (isTooFar(Math.max(bitsOf(one.classes & ~other.classes), bitsOf(other.classes & ~one.classes)))) return Number.NaN;
      const distance =
        m > 0 && m <= wordBits
          ? masks.distance(one, other.units)
          : n > 0 && n <= wordBits
            ? masks.distance(other, one.units)
            : byRows(one.units, other.units);
      return isTooFar(distance) ? Number.NaN : similarityAt(distance);
    },
  };
};

const bitsOf = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Where each letter stands in one text, as bits; made once for all the texts that it is compared with. */
const createMasks = () => {
  const masks = new Int32Array(65_536);
  let current: Letters | undefined;
  const load = (letters: Letters): void => {
    if (current !== undefined) for (const unit of current.units) masks[unit] = 0;
    for (let index = 0; index < letters.units.length; index += 1) {
      const unit = letters.units[index] as number;
      masks[unit] = (masks[unit] as number) | (1 << index);
    }
    current = letters;
  };
  return {
    distance: (pattern: Letters, units: Uint16Array): number => {
      if (pattern !== current) load(pattern);
      let positive = -1;
      let negative = 0;
      for (let index = 0; index < units.length; index += 1) {
        const equal = masks[units[index] as number] as number;
        const diagonal = (((equal & positive) + positive) ^ positive) | equal | negative;
        const down = ((negative | ~(diagonal | positive)) << 1) | 1;
        positive = ((diagonal & positive) << 1) | ~(diagonal | down);
        negative = diagonal & down;
      }
      const all = -1 >>> (wordBits - pattern.units.length);
      return units.length + bitsOf(positive & all) - bitsOf(negative & all);
    },
  };
};

const byRows = (one: Uint16Array, other: Uint16Array): number => {
  const row = Uint16Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= other.length; j += 1) {
      const above = row[j] as number;
      const replaced = diagonal + (one[i - 1] === other[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, above + 1, (row[j - 1] as number) + 1);
      diagonal = above;
    }
  }
  return row[other.length] as number;
};
