/** Sorts a lane's amounts. Lanes fit a processor's cache, where some bits at a time are sorted without a comparison. */
import { giveBack, lendWords } from '../columns/scratch.ts';

/** Fewer are sorted faster by comparing them. */
const countedMin = 64;
/** From so many on, more bits at a time pay for their table. */
const manyMin = 2_048;

/** Sorts `lows` from `start` to `end`; `order` then says where each of them stood. */
export const sortLane = (lows: Float64Array, order: Uint32Array, start: number, end: number): void => {
  if (end - start < 2) {
    // Most lanes of a few rows are empty.
    if (start < end) order[start] = start;
    return;
  }
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let isWhole = true;
  for (let at = start; at < end; at += 1) {
    const low = lows[at] as number;
    if (low < least) least = low;
    if (low > most) most = low;
    if (low !== Math.floor(low)) isWhole = false;
  }
  const isCounted = isWhole && end - start >= countedMin && most - least < 2 ** 32;
  if (isCounted) byDigits(lows, order, start, end, least, most - least);
  else byComparing(lows, order, start, end);
};

const byComparing = (lows: Float64Array, order: Uint32Array, start: number, end: number): void => {
  const before = lows.slice(start, end);
  const places = order.subarray(start, end);
  for (let index = 0; index < places.length; index += 1) places[index] = index;
  places.sort((one, other) => (before[one] as number) - (before[other] as number) || one - other);
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] as number;
    lows[start + index] = before[place] as number;
    places[index] = start + place;
  }
};

/** Where the next of each digit goes. One for all lanes: they are many, and one after another. */
const next = new Uint32Array(2 ** 11 + 1);

const byDigits = (lows: Float64Array, order: Uint32Array, start: number, end: number, least: number, range: number): void => {
  const count = end - start;
  const bits = count < manyMin ? 8 : 11;
  const mask = (1 << bits) - 1;
  // Keys and places, and the same again to sort into.
  const lent = lendWords(count * 4);
  let keys = lent.subarray(0, count);
  let otherKeys = lent.subarray(count, count * 2);
  let places = lent.subarray(count * 2, count * 3);
  let otherPlaces = lent.subarray(count * 3);
  for (let index = 0; index < count; index += 1) {
    keys[index] = (lows[start + index] as number) - least;
    places[index] = start + index;
  }
  for (let shift = 0; shift < 32 && range >= 2 ** shift; shift += bits) {
    next.fill(0, 0, mask + 2);
    for (let index = 0; index < count; index += 1) {
      const digit = ((keys[index] as number) >>> shift) & mask;
      next[digit + 1] = (next[digit + 1] as number) + 1;
    }
    for (let digit = 1; digit <= mask; digit += 1) next[digit] = (next[digit] as number) + (next[digit - 1] as number);
    for (let index = 0; index < count; index += 1) {
      const key = keys[index] as number;
      const digit = (key >>> shift) & mask;
      const into = next[digit] as number;
      next[digit] = into + 1;
      otherKeys[into] = key;
      otherPlaces[into] = places[index] as number;
    }
    [keys, otherKeys] = [otherKeys, keys];
    [places, otherPlaces] = [otherPlaces, places];
  }
  for (let index = 0; index < count; index += 1) lows[start + index] = (keys[index] as number) + least;
  order.set(places, start);
  giveBack(lent);
};
