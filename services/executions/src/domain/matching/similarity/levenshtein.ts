/**
 * `levenshtein`: how few letters have to be added, removed or replaced, as a share: 1 − distance ÷ the longer length. The distances of
 * a whole column are computed at once, a bit for each (Myers 1999, in Hyyrö's form of 2003), where one of the texts has at most 32
 * units of UTF-16; longer ones row by row.
 */
import { createPlaces, createSpelling, fitsWord, type Letters } from './letters.ts';
import { comparedMax, type Measure } from './measure.ts';

export const createLevenshtein = (threshold: number): Measure<Letters> => {
  const placesOf = createPlaces();
  const editsMax = editsWithin(threshold);
  const distances = new Int32Array(2);

  const distanceOf = (one: Letters, other: Letters): number => {
    if (isWord(one)) return byBits(placesOf(one), one, other);
    if (isWord(other)) return byBits(placesOf(other), other, one);
    return byRows(one.units.subarray(one.from, one.to), other.units.subarray(other.from, other.to));
  };
  const similarityAt = (distance: number, longer: number): number =>
    distance > (editsMax[longer] as number) ? Number.NaN : longer === 0 ? 1 : (longer - distance) / longer;

  return {
    prepare: createSpelling(),
    compare: (one, others, count, similarities) => {
      const isOneWord = isWord(one);
      let waiting = -1;
      for (let index = 0; index < count; index += 1) {
        const other = others[index] as Letters;
        const longer = longerOf(one, other);
        const most = editsMax[longer] as number;
        if (most < longer && leastEdits(one, other) > most) {
          similarities[index] = Number.NaN;
        } else if (!isOneWord) {
          similarities[index] = similarityAt(distanceOf(one, other), longer);
        } else if (waiting === -1) {
          waiting = index;
        } else {
          const before = others[waiting] as Letters;
          byBitsOfTwo(placesOf(one), one, before, other, distances);
          similarities[waiting] = similarityAt(distances[0] as number, longerOf(one, before));
          similarities[index] = similarityAt(distances[1] as number, longer);
          waiting = -1;
        }
      }
      if (waiting === -1) return;
      const last = others[waiting] as Letters;
      similarities[waiting] = similarityAt(distanceOf(one, last), longerOf(one, last));
    },
  };
};

const isWord = (letters: Letters): boolean => letters.to > letters.from && fitsWord(letters);
const longerOf = (one: Letters, other: Letters): number => Math.max(one.to - one.from, other.to - other.from);

/** How many edits leave a text of each length similar enough; looked up, because shares would be a division for each pair. */
const editsWithin = (threshold: number): Int16Array =>
  Int16Array.from({ length: comparedMax + 1 }, (_, longer) => {
    let most = longer;
    while (most > 0 && (longer - most) / longer < threshold) most -= 1;
    return most;
  });

/** What is seen without looking at the order: letters that one has more, and classes of them that only one has. */
const leastEdits = (one: Letters, other: Letters): number =>
  Math.max(
    Math.abs(one.to - one.from - (other.to - other.from)),
    bitsOf(one.classes & ~other.classes),
    bitsOf(other.classes & ~one.classes),
  );

const bitsOf = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** From the last column, of which it is known where a cell is one more or one less than the cell above it. */
const distanceAt = (length: number, more: number, less: number, { from, to }: Letters): number => {
  const all = -1 >>> (32 - (to - from));
  return length + bitsOf(more & all) - bitsOf(less & all);
};

const byBits = (places: Int32Array, one: Letters, other: Letters): number => restByBits(places, one, other, other.from, -1, 0);

/** From a letter of the other text on, with what is known of the column before it. */
const restByBits = (places: Int32Array, one: Letters, { units, from, to }: Letters, start: number, more: number, less: number): number => {
  let above = more;
  let below = less;
  for (let index = start; index < to; index += 1) {
    const equal = places[units[index] as number] as number;
    const diagonal = (((equal & above) + above) ^ above) | equal | below;
    const right = ((below | ~(diagonal | above)) << 1) | 1;
    above = ((diagonal & above) << 1) | ~(diagonal | right);
    below = diagonal & right;
  }
  return distanceAt(to - from, above, below, one);
};

/** Each step waits for the one before; with two texts at once the processor has something to do meanwhile. */
const byBitsOfTwo = (places: Int32Array, one: Letters, first: Letters, second: Letters, distances: Int32Array): void => {
  const { units: firstUnits, from: firstFrom, to: firstTo } = first;
  const { units: secondUnits, from: secondFrom, to: secondTo } = second;
  let more = -1;
  let less = 0;
  let more2 = -1;
  let less2 = 0;
  const both = Math.min(firstTo - firstFrom, secondTo - secondFrom);
  for (let index = 0; index < both; index += 1) {
    const equal = places[firstUnits[firstFrom + index] as number] as number;
    const equal2 = places[secondUnits[secondFrom + index] as number] as number;
    const diagonal = (((equal & more) + more) ^ more) | equal | less;
    const diagonal2 = (((equal2 & more2) + more2) ^ more2) | equal2 | less2;
    const right = ((less | ~(diagonal | more)) << 1) | 1;
    const right2 = ((less2 | ~(diagonal2 | more2)) << 1) | 1;
    more = ((diagonal & more) << 1) | ~(diagonal | right);
    more2 = ((diagonal2 & more2) << 1) | ~(diagonal2 | right2);
    less = diagonal & right;
    less2 = diagonal2 & right2;
  }
  distances[0] = restByBits(places, one, first, firstFrom + both, more, less);
  distances[1] = restByBits(places, one, second, secondFrom + both, more2, less2);
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
