/** A column of texts that grows by rows. The functions that fill it in bulk work on its parts; it is their place to be. */
import type { TextCells } from '../columns.ts';

export interface TextHeap {
  bytes: Buffer;
  view: DataView;
  /** `offsets[rows]` bytes are used. */
  offsets: Uint32Array;
  rows: number;
}

/** Cells are copied in pairs of words, so many bytes together, so that as many may be read and written after the last. */
export const wordBytes = 16;

export const textHeap = (bytes = 1024): TextHeap => {
  const buffer = Buffer.allocUnsafeSlow(bytes + wordBytes);
  return { bytes: buffer, view: viewOf(buffer), offsets: new Uint32Array(256), rows: 0 };
};

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

/** Makes room for more rows, and answers where their offsets are to be written. */
export const reserveRows = (heap: TextHeap, more: number): Uint32Array => {
  const needed = heap.rows + more + 1;
  if (needed > heap.offsets.length) {
    const grown = new Uint32Array(Math.max(needed, heap.offsets.length * 2));
    grown.set(heap.offsets.subarray(0, heap.rows + 1));
    heap.offsets = grown;
  }
  return heap.offsets;
};

/** Makes room for `more` bytes after the `used` first, which stay, and answers where they are to be written. */
export const reserveBytes = (heap: TextHeap, used: number, more: number): DataView => {
  if (used + more + wordBytes > heap.bytes.length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(used + more + wordBytes, heap.bytes.length * 2));
    heap.bytes.copy(grown, 0, 0, used);
    heap.bytes = grown;
    heap.view = viewOf(grown);
  }
  return heap.view;
};

/**
 * Twice as fast as byte after byte, and several times as fast as a call of the runtime, for texts as short as those of cells. A compiled
 * loop makes no objects of these integers; doubles, which are copied as fast, may not keep the bits of what is no number.
 */
export const copyWords = (from: DataView, start: number, end: number, to: DataView, used: number): void => {
  for (let at = start, into = used; at < end; at += wordBytes, into += wordBytes) {
    to.setBigInt64(into, from.getBigInt64(at, true), true);
    to.setBigInt64(into + 8, from.getBigInt64(at + 8, true), true);
  }
};

/** One row more. */
export const addText = (heap: TextHeap, text: string): void => {
  const used = heap.offsets[heap.rows] as number;
  // A UTF-16 code unit takes three bytes of UTF-8 at most.
  reserveBytes(heap, used, text.length * 3);
  heap.rows++;
  heap.offsets[heap.rows] = used + heap.bytes.write(text, used);
};

/** The first rows, until they are dropped. */
export const textsOf = ({ bytes, offsets }: TextHeap, rows: number): TextCells => ({
  bytes: bytes.subarray(0, offsets[rows]),
  offsets: offsets.subarray(0, rows + 1),
});

/** Drops the first rows. The memory stays: what the next chunk needs, the last one has. */
export const dropTexts = (heap: TextHeap, rows: number): void => {
  const { bytes, offsets } = heap;
  const dropped = offsets[rows] as number;
  bytes.copyWithin(0, dropped, offsets[heap.rows]);
  heap.rows -= rows;
  for (let row = 0; row <= heap.rows; row++) offsets[row] = (offsets[rows + row] as number) - dropped;
};
