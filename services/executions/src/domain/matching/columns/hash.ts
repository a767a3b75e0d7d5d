/** Hashes of rows over the bytes of their texts. They only narrow down: whoever uses one compares the texts themselves too. */
import type { TextColumn } from './text-column.ts';
import { restOf, viewOf } from './text-words.ts';

/** One word more of a key: a step of MurmurHash3. */
const mixed = (hash: number, word: number): number => {
  const once = Math.imul(word, 0xcc9e2d51);
  const both = hash ^ Math.imul((once << 15) | (once >>> 17), 0x1b873593);
  return (Math.imul((both << 13) | (both >>> 19), 5) + 0xe6546b64) | 0;
};

/** Mixes the texts of `rows` into their hashes: 0 at first, and again for each further column of a key. */
export const hashTexts = ({ bytes, offsets }: TextColumn, rows: Uint32Array, hashes: Uint32Array): void => {
  const view = viewOf(bytes);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    const end = offsets[row + 1] as number;
    let at = offsets[row] as number;
    let hash = (hashes[index] as number) ^ (end - at);
    for (; end - at >= 4; at += 4) hash = mixed(hash, view.getUint32(at, true));
    if (at < end) hash = mixed(hash, restOf(view, at, end));
    hashes[index] = hash;
  }
};

export const hashCodes = (codes: Int32Array, rows: Uint32Array, hashes: Uint32Array): void => {
  for (let index = 0; index < rows.length; index += 1)
    hashes[index] = mixed(hashes[index] as number, codes[rows[index] as number] as number);
};

/** Mixes every bit into every other: partitions are taken from the upper ones, slots from the lower ones. */
export const finishHashes = (hashes: Uint32Array): void => {
  for (let index = 0; index < hashes.length; index += 1) {
    let hash = hashes[index] as number;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hashes[index] = hash ^ (hash >>> 16);
  }
};
