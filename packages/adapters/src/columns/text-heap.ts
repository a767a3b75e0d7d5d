/** A column of texts that grows by rows. The functions that fill it in bulk work on its parts; it is their place to be. */
import type { TextCells } from '../columns.ts';

export interface TextHeap {
  bytes: Buffer;
  /** `offsets[rows]` bytes are used. */
  offsets: Uint32Array;
  rows: number;
}

export const textHeap = (): TextHeap => ({ bytes: Buffer.allocUnsafeSlow(1024), offsets: new Uint32Array(256), rows: 0 });

/** Makes room for more rows. */
export const reserveRows = (heap: TextHeap, more: number): void => {
  const needed = heap.rows + more + 1;
  if (needed > heap.offsets.length) {
    const grown = new Uint32Array(Math.max(needed, heap.offsets.length * 2));
    grown.set(heap.offsets.subarray(0, heap.rows + 1));
    heap.offsets = grown;
  }
};

/** Makes room for `more` bytes after the `used` first, which stay, and answers where they are to be written. */
const reserveBytes = (heap: TextHeap, used: number, more: number): Buffer => {
  if (used + more > heap.bytes.length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(used + more, heap.bytes.length * 2));
    heap.bytes.copy(grown, 0, 0, used);
    heap.bytes = grown;
  }
  return heap.bytes;
};

/** Short texts are copied byte after byte: to call the runtime takes 32 ns, as long as some thirty of them. */
const shortBytes = 32;

/** One row more: the bytes from `start` to `end`. Here as below, there must be room for the row. */
export const addBytes = (heap: TextHeap, bytes: Uint8Array, start: number, end: number): void => {
  const used = heap.offsets[heap.rows] as number;
  const into = reserveBytes(heap, used, end - start);
  if (end - start > shortBytes) into.set(bytes.subarray(start, end), used);
  else for (let at = start; at < end; at++) into[used + at - start] = bytes[at] as number;
  heap.rows++;
  heap.offsets[heap.rows] = used + end - start;
};

/** Rows whose texts follow each other from `start` on, and where in the heap each ends. */
export const addTexts = (heap: TextHeap, bytes: Uint8Array, start: number, ends: Uint32Array): void => {
  const used = heap.offsets[heap.rows] as number;
  const more = (ends.at(-1) ?? used) - used;
  reserveBytes(heap, used, more).set(bytes.subarray(start, start + more), used);
  heap.offsets.set(ends, heap.rows + 1);
  heap.rows += ends.length;
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
