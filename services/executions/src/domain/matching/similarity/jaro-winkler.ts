/**
 * `jaro-winkler`, made for names (Winkler 1990). Libraries differ in details, so this is the definition: letters match when they are
 * equal and at most ⌊longer length ÷ 2⌋ − 1 places apart; half of the matched letters that are out of order, rounded down, are
 * transpositions; Jaro is the mean of matches ÷ either length and (matches − transpositions) ÷ matches. Above 0.7 it is raised by a
 * tenth of what is missing to 1 for each of the first four letters that are the same. DuckDB and talisman compute the same.
 */
import { createPlaces, fitsWord, type Letters, spell } from './letters.ts';
import { eachBy, type Measure } from './measure.ts';

const prefixMax = 4;
const prefixWeight = 0.1;
const boostFrom = 0.7;

export const createJaroWinkler = (threshold: number): Measure<Letters> => {
  const jaro = createJaro();
  return {
    prepare: spell,
    compare: eachBy(threshold, (one, other) => winkler(jaro(one, other), one, other)),
  };
};

const winkler = (jaro: number, one: Letters, other: Letters): number => {
  if (jaro <= boostFrom) return jaro;
  let prefix = 0;
  const most = Math.min(prefixMax, one.to - one.from, other.to - other.from);
  while (prefix < most && one.units[one.from + prefix] === other.units[other.from + prefix]) prefix += 1;
  return jaro + prefix * prefixWeight * (1 - jaro);
};

const createJaro = () => {
  const placesOf = createPlaces();
  const matched = new Uint16Array(32);

  const byBits = (one: Letters, other: Letters, window: number): number => {
    const places = placesOf(one);
    const { units, from, to } = other;
    let taken = 0;
    let matches = 0;
    let isInOrder = true;
    // The places that are near enough to the letter at hand.
    let near = (2 << window) - 1;
    for (let index = from; index < to; index += 1) {
      const unit = units[index] as number;
      const free = (places[unit] as number) & near & ~taken;
      if (free !== 0) {
        const place = free & -free;
        if (place >>> 0 < taken >>> 0) isInOrder = false;
        taken |= place;
        matched[matches] = unit;
        matches += 1;
      }
      near = (near << 1) | (index - from < window ? 1 : 0);
    }
    const outOfOrder = isInOrder ? 0 : countOutOfOrder(one, taken, matched);
    return jaroOf(matches, outOfOrder, one.to - one.from, to - from);
  };

  return (one: Letters, other: Letters): number => {
    const [m, n] = [one.to - one.from, other.to - other.from];
    if (m === 0 || n === 0) return m === n ? 1 : 0;
    const window = Math.max(0, (Math.max(m, n) >> 1) - 1);
    return fitsWord(one) && fitsWord(other) ? byBits(one, other, window) : byPlaces(one, other, window);
  };
};

/** How many of the letters that were taken, as bits, are others than those they were taken for. */
const countOutOfOrder = ({ units, from }: Letters, taken: number, matched: Uint16Array): number => {
  let count = 0;
  for (let rest = taken, match = 0; rest !== 0; rest &= rest - 1, match += 1) {
    if (units[from + 31 - Math.clz32(rest & -rest)] !== matched[match]) count += 1;
  }
  return count;
};

const jaroOf = (matches: number, outOfOrder: number, m: number, n: number): number =>
  matches === 0 ? 0 : (matches / m + matches / n + (matches - (outOfOrder >> 1)) / matches) / 3;

const byPlaces = (one: Letters, other: Letters, window: number): number => {
  const [m, n] = [one.to - one.from, other.to - other.from];
  const taken = new Uint8Array(m);
  const matched: number[] = [];
  for (let index = 0; index < n; index += 1) {
    const unit = other.units[other.from + index] as number;
    const last = Math.min(m - 1, index + window);
    for (let place = Math.max(0, index - window); place <= last; place += 1) {
      if (taken[place] === 1 || one.units[one.from + place] !== unit) continue;
      taken[place] = 1;
      matched.push(unit);
      break;
    }
  }
  let outOfOrder = 0;
  let match = 0;
  for (let place = 0; place < m; place += 1) {
    if (taken[place] === 0) continue;
    if (one.units[one.from + place] !== matched[match]) outOfOrder += 1;
    match += 1;
  }
  return jaroOf(matched.length, outOfOrder, m, n);
};
