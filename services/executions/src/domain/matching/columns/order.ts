/** Sorting rows by whole numbers: least significant digit first, eleven bits at a time, in time that grows with the rows alone. */
import { giveBack, lendWords } from './scratch.ts';

const digitBits = 11;
const digits = 1 << digitBits;

/**
 * The positions 0 … length−1 in ascending order of their keys; equal keys keep the order of their positions. Positions that are given
 * are put into that order where they are. Each key is fetched once and travels with its position: to fetch it again for every digit,
 * from wherever its row is, would be most of the work.
 */
export const orderOf = (keys: Uint32Array, positions: Uint32Array = countedUp(keys.length)): Uint32Array => {
  const { length } = positions;
  const lent = [lendWords(length), lendWords(length), lendWords(length)] as const;
  let from: Keyed = { keys: lent[0], positions };
  let into: Keyed = { keys: lent[1], positions: lent[2] };
  let all = 0;
  let common = -1;
  for (let index = 0; index < length; index += 1) {
    const position = positions[index] as number;
    const key = keys[position] as number;
    all |= key;
    common &= key;
    from.keys[index] = key;
  }
  // Digits that are the same everywhere put nothing in order.
  const differing = all ^ common;
  for (let shift = 0; shift < 32; shift += digitBits) {
    if (((differing >>> shift) & (digits - 1)) === 0) continue;
    sortByDigit(from, into, shift);
    [from, into] = [into, from];
  }
  if (from.positions !== positions) positions.set(from.positions);
  giveBack(...lent);
  return positions;
};

interface Keyed {
  readonly keys: Uint32Array;
  readonly positions: Uint32Array;
}

const sortByDigit = ({ keys, positions }: Keyed, into: Keyed, shift: number): void => {
  const intoKeys = into.keys;
  const intoPositions = into.positions;
  const places = new Uint32Array(digits + 1);
  for (let index = 0; index < keys.length; index += 1) {
    const next = (((keys[index] as number) >>> shift) & (digits - 1)) + 1;
    places[next] = (places[next] as number) + 1;
  }
  for (let digit = 1; digit < digits; digit += 1) places[digit] = (places[digit] as number) + (places[digit - 1] as number);
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as number;
    const digit = (key >>> shift) & (digits - 1);
    const place = places[digit] as number;
    places[digit] = place + 1;
    intoKeys[place] = key;
    intoPositions[place] = positions[index] as number;
  }
};

export const countedUp = (length: number): Uint32Array => {
  const positions = new Uint32Array(length);
  for (let index = 0; index < length; index += 1) positions[index] = index;
  return positions;
};
