/** Sorting rows by whole numbers: least significant digit first, eleven bits at a time, in time that grows with the rows alone. */

const digitBits = 11;
const digits = 1 << digitBits;

/** The positions 0 … length−1 in ascending order of their keys; equal keys keep the order of their positions. */
export const orderOf = (keys: Uint32Array, positions: Uint32Array = countedUp(keys.length)): Uint32Array => {
  let from = positions;
  let into = new Uint32Array(from.length);
  let all = 0;
  let common = 0xffffffff;
  for (const key of keys) {
    all |= key;
    common &= key;
  }
  // Digits that are the same everywhere put nothing in order.
  const differing = (all ^ common) >>> 0;
  const counts = new Uint32Array(digits);
  for (let shift = 0; shift < 32; shift += digitBits) {
    if (((differing >>> shift) & (digits - 1)) === 0) continue;
    counts.fill(0);
    for (let index = 0; index < from.length; index += 1) {
      const digit = ((keys[from[index] as number] as number) >>> shift) & (digits - 1);
      counts[digit] = (counts[digit] as number) + 1;
    }
    let start = 0;
    for (let digit = 0; digit < digits; digit += 1) {
      const count = counts[digit] as number;
      counts[digit] = start;
      start += count;
    }
    for (let index = 0; index < from.length; index += 1) {
      const position = from[index] as number;
      const digit = ((keys[position] as number) >>> shift) & (digits - 1);
      const place = counts[digit] as number;
      into[place] = position;
      counts[digit] = place + 1;
    }
    const swapped: Uint32Array = from === positions ? new Uint32Array(from.length) : from;
    from = into;
    into = swapped as Uint32Array<ArrayBuffer>;
  }
  return from;
};

export const countedUp = (length: number): Uint32Array => {
  const positions = new Uint32Array(length);
  for (let index = 0; index < length; index += 1) positions[index] = index;
  return positions;
};
