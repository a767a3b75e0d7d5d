/**
 * `levenshtein`: how few letters have to be added, removed or replaced, as a share: 1 − distance ÷ the longer length. Texts of at most
 * 32 units of UTF-16 are compared eight at a time by a kernel. Where only one is that short, the distances of a whole column are
 * computed at once, a bit for each (Myers 1999, in Hyyrö's form of 2003); two longer ones are compared row by row.
 */
import { type EditsKernel, editsIn, editsKernel, foundMax, lanesMax, longerIn } from './edits-kernel.ts';
import { createPlaces, fitsWord, type Letters, spell } from './letters.ts';
import { comparedMax, type Measure } from './measure.ts';

export const createLevenshtein = (threshold: number): Measure<Letters> => {
  const limits = limitsOf(threshold);
  return {
    prepare: spell,
    compare: (one, others, count, similarities) => compareAll(limits, one, others, count, similarities),
  };
};

/** What depends on the threshold, looked up because a share would be a division for each pair. */
interface Limits {
  /** How many edits leave a text of each length similar enough. */
  readonly editsMax: Int16Array;
  /** For what the kernel found. */
  readonly similarities: Float64Array;
}

const limitsOf = (threshold: number): Limits => {
  const editsMax = editsWithin(threshold);
  const similarities = Float64Array.from({ length: foundMax + 1 }, (_, found) => similarityAt(editsMax, editsIn(found), longerIn(found)));
  return { editsMax, similarities };
};

const similarityAt = (editsMax: Int16Array, edits: number, longer: number): number =>
  edits > (editsMax[longer] as number) ? Number.NaN : longer === 0 ? 1 : (longer - edits) / longer;

// One function for all conditions: of a closure for each V8 begins anew to count and to compile, which is a seventh of a million pairs.
const compareAll = (limits: Limits, one: Letters, others: readonly Letters[], count: number, similarities: Float64Array): void => {
  const { editsMax } = limits;
  const kernel = editsKernel();
  const isOneWord = isWord(one);
  let waiting = 0;
  for (let index = 0; index < count; index += 1) {
    const other = others[index] as Letters;
    const longer = longerOf(one, other);
    const most = editsMax[longer] as number;
    if (most < longer && leastEdits(one, other) > most) {
      similarities[index] = Number.NaN;
    } else if (isOneWord && fitsWord(other)) {
      if (waiting === lanesMax) {
        settle(kernel, limits, one, waiting, similarities);
        waiting = 0;
      }
      kernel.others[waiting] = kernel.keep(other);
      indexes[waiting] = index;
      waiting += 1;
    } else {
      similarities[index] = similarityAt(editsMax, distanceOf(one, other), longer);
    }
  }
  if (waiting > 0) settle(kernel, limits, one, waiting, similarities);
};

/** Which of the others is in each lane. */
const indexes = new Int32Array(lanesMax);

const settle = ({ run, found }: EditsKernel, limits: Limits, one: Letters, count: number, similarities: Float64Array): void => {
  run(one, count);
  for (let lane = 0; lane < count; lane += 1) {
    similarities[indexes[lane] as number] = limits.similarities[found[lane] as number] as number;
  }
};

const placesOf = createPlaces();

const distanceOf = (one: Letters, other: Letters): number => {
  if (isWord(one)) return byBits(placesOf(one), one, other);
  if (isWord(other)) return byBits(placesOf(other), other, one);
  return byRows(one.units.subarray(one.from, one.to), other.units.subarray(other.from, other.to));
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

const byBits = (places: Int32Array, one: Letters, { units, from, to }: Letters): number => {
  let more = -1;
  let less = 0;
  for (let index = from; index < to; index += 1) {
    const equal = places[units[index] as number] as number;
    const diagonal = (((equal & more) + more) ^ more) | equal | less;
    const right = ((less | ~(diagonal | more)) << 1) | 1;
    more = ((diagonal & more) << 1) | ~(diagonal | right);
    less = diagonal & right;
  }
  return distanceAt(to - from, more, less, one);
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
