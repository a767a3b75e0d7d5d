/** Hashes of rows over the bytes of their texts. They only narrow down: whoever uses one compares the texts themselves too. */
import type { TextColumn } from './text-column.ts';

const seed = 0x811c9dc5;

/** Mixes the texts of `rows` into their hashes: 0 at first, and again for each further column of a key. */
export const hashTexts = ({ bytes, offsets }: TextColumn, rows: Uint32Array | Int32Array, count: number, hashes: Uint32Array): void => {
  for (let index = 0; index < count; index += 1) {
    const row = rows[index] as number;
    const end = offsets[row + 1] as number;
    let hash = (hashes[index] as number) ^ seed;
    for (let at = offsets[row] as number; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    hashes[index] = finished(hash);
  }
};

export const hashCodes = (codes: Int32Array, rows: Uint32Array | Int32Array, count: number, hashes: Uint32Array): void => {
  for (let index = 0; index < count; index += 1)
    hashes[index] = finished((hashes[index] as number) ^ Math.imul(codes[rows[index] as number] as number, 0x9e3779b1));
};

/** FNV leaves its upper bits poorly mixed, and partitions are taken from them. */
const finished = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};
