/**
 * `jaro-winkler`, made for names (Winkler 1990). Libraries differ in details, so this is the definition: letters match when they are
 * equal and at most ⌊longer length ÷ 2⌋ − 1 places apart; half of the matched letters that are out of order, rounded down, are
 * transpositions; Jaro is the mean of matches ÷ either length and (matches − transpositions) ÷ matches. Above 0.7 it is raised by a
 * tenth of what is missing to 1 for each of the first four letters that are the same. DuckDB and talisman compute the same.
 */
import { type Letters, lettersOf } from './letters.ts';
import type { Measure } from './measure.ts';

const wordBits = 32;
const prefixMax = 4;
const prefixWeight = 0.1;
const boostFrom = 0.7;

export const createJaroWinkler = (threshold: number): Measure<Letters> => {
  const jaro = createJaro();
  return {
    prepare: lettersOf,
    compare: (one, other) => {
      const similarity = winkler(jaro(one, other), one.units, other.units);
      return similarity < threshold ? Number.NaN : similarity;
    },
  };
};

const winkler = (jaro: number, one: Uint16Array, other: Uint16Array): number => {
  if (jaro <= boostFrom) return jaro;
  let prefix = 0;
  const most = Math.min(prefixMax, one.length, other.length);
  while (prefix < most && one[prefix] === other[prefix]) prefix += 1;
  return jaro + prefix * prefixWeight * (1 - jaro);
};

const createJaro = () => {
  /** Where each letter stands in the text at hand, as bits: made once for all the texts that it is compared with. */
  const masks = new Int32Array(65_536);
  let current: Letters | undefined;
  const matched = new Uint16Array(wordBits);
  const load = (letters: Letters): void => {
    if (current !== undefined) for (const unit of current.units) masks[unit] = 0;
    for (let index = 0; index < letters.units.length; index += 1) {
      const unit = letters.units[index] as number;
      masks[unit] = (masks[unit] as number) | (1 << index);
    }
    current = letters;
  };

  const byBits = (one: Letters, other: Uint16Array, window: number): number => {
    if (one !== current) load(one);
    const { units } = one;
    let taken = 0;
    let matches = 0;
    for (let index = 0; index < other.length; index += 1) {
      const last = index + window;
      const first = index - window;
      // The places from first to last, as bits.
      const near = (last >= wordBits - 1 ? -1 : (1 << (last + 1)) - 1) & (first <= 0 ? -1 : first >= wordBits ? 0 : -1 << first);
      const free = (masks[other[index] as number] as number) & near & ~taken;
      if (free === 0) continue;
      taken |= free & -free;
      matched[matches] = other[index] as number;
      matches += 1;
    }
    let outOfOrder = 0;
    let rest = taken;
    for (let match = 0; match < matches; match += 1) {
      if (units[31 - Math.clz32(rest & -rest)] !== matched[match]) outOfOrder += 1;
      rest &= rest - 1;
    }
    return jaroOf(matches, outOfOrder, units.length, other.length);
  };

  return (one: Letters, other: Letters): number => {
    const [m, n] = [one.units.length, other.units.length];
    if (m === 0 || n === 0) return m === n ? 1 : 0;
    const window = Math.max(0, (Math.max(m, n) >> 1) - 1);
    return m <= wordBits && n <= wordBits ? byBits(one, other.units, window) : byPlaces(one.units, other.units, window);
  };
};

const jaroOf = (matches: number, outOfOrder: number, m: number, n: number): number =>
  matches === 0 ? 0 : (matches / m + matches / n + (matches - (outOfOrder >> 1)) / matches) / 3;

const byPlaces = (one: Uint16Array, other: Uint16Array, window: number): number => {
  const taken = new Uint8Array(one.length);
  const matched: number[] = [];
  for (let index = 0; index < other.length; index += 1) {
    const last = Math.min(one.length - 1, index + window);
    for (let place = Math.max(0, index - window); place <= last; place += 1) {
      if (taken[place] === 1 || one[place] !== other[index]) continue;
      taken[place] = 1;
      matched.push(other[index] as number);
      break;
    }
  }
  let outOfOrder = 0;
  let match = 0;
  for (let place = 0; place < one.length; place += 1) {
    if (taken[place] === 0) continue;
    if (one[place] !== matched[match]) outOfOrder += 1;
    match += 1;
  }
  return jaroOf(matched.length, outOfOrder, one.length, other.length);
};
