/**
 * Rows with their keys packed beside them, in partitions that fit a processor's cache. Two keys are then compared by words that stand
 * together; to follow each of a million rows to its text would be to wait for memory a million times.
 */
import { finishHashes, hashCodes, hashTexts } from '../columns/hash.ts';
import { giveBack, lendWords } from '../columns/scratch.ts';
import type { TextColumn } from '../columns/text-column.ts';
import { restOf, viewOf } from '../columns/text-words.ts';

/** Of one side: texts, or numbers of which one says that there is nothing. */
export type KeyColumn =
  | { readonly kind: 'texts'; readonly texts: TextColumn }
  | { readonly kind: 'codes'; readonly codes: Int32Array; readonly absent: number };

export interface Records {
  /** Of each record its row, its hash, and the words of its keys; lent. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Where each partition begins, counted in records, and where the last one ends. */
  readonly starts: Uint32Array;
}

export const hashAt = 1;
export const keyAt = 2;

const recordsPerPartition = 2_048;
const partitionBitsMax = 12;

/** So many partitions, as a power of two, that a table over one of them fits a cache. */
export const partitionBitsFor = (rows: number): number =>
  Math.min(partitionBitsMax, Math.max(0, Math.ceil(Math.log2(rows / recordsPerPartition))));

export const mostIn = (starts: Uint32Array): number => {
  let most = 0;
  for (let partition = 1; partition < starts.length; partition += 1) {
    most = Math.max(most, (starts[partition] as number) - (starts[partition - 1] as number));
  }
  return most;
};

/** A power of two, at least twice as many as what is to be found in them. */
export const slotsFor = (records: number): number => 2 ** Math.ceil(Math.log2(Math.max(8, records * 2)));

/** Keys of more words than these are compared by following them to their texts. */
const wordsMax = 16;

/** How many words each key has in a record: as many as its longest text needs, or none where that is too many. */
export const widthsOf = (keys: readonly (readonly KeyColumn[])[]): number[] => {
  let left = wordsMax;
  return keys.map((columns) => {
    const words = Math.max(...columns.map(longest));
    if (words > left) return 0;
    left -= words;
    return words;
  });
};

const longest = (column: KeyColumn): number => {
  if (column.kind === 'codes') return 1;
  const { offsets } = column.texts;
  let bytes = 0;
  for (let row = 1; row < offsets.length; row += 1) {
    const length = (offsets[row] as number) - (offsets[row - 1] as number);
    if (length > bytes) bytes = length;
  }
  return Math.ceil(bytes / 4);
};

/** Rows with their hashes; those that lack a key are not among them, since absent equals nothing. */
export interface HashedRows {
  /** Lent, unless they are all that were given. */
  readonly rows: Uint32Array;
  /** Lent. */
  readonly hashes: Uint32Array<ArrayBuffer>;
}

export const hashedRows = (columns: readonly KeyColumn[], rows: Uint32Array): HashedRows => {
  const present = columns.reduce(withKey, rows);
  const hashes = lendWords(present.length);
  hashes.fill(0);
  for (const column of columns) {
    if (column.kind === 'texts') hashTexts(column.texts, present, hashes);
    else hashCodes(column.codes, present, hashes);
  }
  finishHashes(hashes);
  return { rows: present, hashes };
};

/** The records of all rows at once. */
export const recordsOf = (columns: readonly KeyColumn[], widths: readonly number[], rows: Uint32Array, bits: number): Records => {
  const hashed = hashedRows(columns, rows);
  const records = packed(columns, widths, hashed, bits, 0);
  giveBack(hashed.hashes);
  return records;
};

/** The records of some rows, whose hashes are overwritten; `skipped`: how many upper bits those have in common. */
export const packed = (
  columns: readonly KeyColumn[],
  widths: readonly number[],
  { rows, hashes }: HashedRows,
  bits: number,
  skipped: number,
): Records => {
  const stride = strideOf(widths);
  const starts = startsOf(hashes, bits, skipped);
  const words = lendWords(rows.length * stride);
  const places = placed(rows, hashes, starts, words, stride, bits, skipped);
  let at = keyAt;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] as number;
    if (column.kind === 'codes') packCodes(column.codes, rows, places, words, at);
    else if (width > 0) packTexts(column.texts, rows, places, words, at, width);
    at += width;
  }
  return { words, starts };
};

export const strideOf = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width, keyAt);

/** Mostly all rows have the key, and are not to be copied. */
const withKey = (rows: Uint32Array, column: KeyColumn): Uint32Array => {
  const lacking =
    column.kind === 'codes' ? countWithoutCode(rows, column.codes, column.absent) : countWithoutText(rows, column.texts.offsets);
  if (lacking === 0) return rows;
  if (column.kind === 'codes') return rows.filter((row) => column.codes[row] !== column.absent);
  const { offsets } = column.texts;
  return rows.filter((row) => offsets[row] !== offsets[row + 1]);
};

const countWithoutCode = (rows: Uint32Array, codes: Int32Array, absent: number): number => {
  let count = 0;
  for (let index = 0; index < rows.length; index += 1) if (codes[rows[index] as number] === absent) count += 1;
  return count;
};

const countWithoutText = (rows: Uint32Array, offsets: Uint32Array): number => {
  let count = 0;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    if (offsets[row] === offsets[row + 1]) count += 1;
  }
  return count;
};

/** By the bits of a hash below those that are skipped. A shift by 32 would be one by 0, so there are two. */
export const partitionOf = (hash: number, bits: number, skipped: number): number => ((hash << skipped) >>> 1) >>> (31 - bits);

/** Where each partition begins, and where the last one ends. */
export const startsOf = (hashes: Uint32Array, bits: number, skipped: number): Uint32Array => {
  const starts = new Uint32Array((1 << bits) + 1);
  for (let index = 0; index < hashes.length; index += 1) {
    const next = partitionOf(hashes[index] as number, bits, skipped) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let partition = 1; partition < starts.length; partition += 1) {
    starts[partition] = (starts[partition] as number) + (starts[partition - 1] as number);
  }
  return starts;
};

/** Puts rows and hashes into their partitions, and where each of them lies in place of its hash. */
const placed = (
  rows: Uint32Array,
  hashes: Uint32Array,
  starts: Uint32Array,
  words: Uint32Array,
  stride: number,
  bits: number,
  skipped: number,
): Uint32Array => {
  const next = starts.map((start) => start * stride);
  for (let index = 0; index < rows.length; index += 1) {
    const hash = hashes[index] as number;
    const partition = partitionOf(hash, bits, skipped);
    const place = next[partition] as number;
    next[partition] = place + stride;
    words[place] = rows[index] as number;
    words[place + hashAt] = hash;
    hashes[index] = place;
  }
  return hashes;
};

const packCodes = (codes: Int32Array, rows: Uint32Array, places: Uint32Array, words: Uint32Array, at: number): void => {
  for (let index = 0; index < rows.length; index += 1) words[(places[index] as number) + at] = codes[rows[index] as number] as number;
};

const packTexts = (
  { bytes, offsets }: TextColumn,
  rows: Uint32Array,
  places: Uint32Array,
  words: Uint32Array,
  first: number,
  width: number,
): void => {
  const view = viewOf(bytes);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    const end = offsets[row + 1] as number;
    let at = offsets[row] as number;
    let place = (places[index] as number) + first;
    const beyond = place + width;
    for (; end - at >= 4; at += 4, place += 1) words[place] = view.getUint32(at, true);
    if (at < end) {
      words[place] = restOf(view, at, end);
      place += 1;
    }
    for (; place < beyond; place += 1) words[place] = 0xffffffff;
  }
};
