/**
 * Transforms of ASCII as WebAssembly that is made for them: what looks at each byte has no check of bounds there, and is as fast the
 * first time as ever. The texts of a column go through its memory in blocks. What is not ASCII, or longer than a block, is for the
 * caller to transform.
 */
import {
  type Code,
  compile,
  createFunction,
  createMemory,
  i32,
  type Local,
  repeatWhile,
  v128,
  when,
  whileTrue,
} from '@settler/wasm/module';
import type { TextColumn } from './text-column.ts';

/** What becomes of each byte; `dropped` of those that are no more. */
export type ByteMap = Uint16Array;

interface MappingTransform {
  readonly map: ByteMap;
}

export type ByteTransform =
  | MappingTransform
  | { readonly stripPrefix: Uint8Array }
  | { readonly stripSuffix: Uint8Array }
  | 'trim'
  | 'stripLeadingZeros';

/** The first says what becomes of bytes as they are copied. */
export type ByteTransforms = readonly [MappingTransform, ...ByteTransform[]];

/** Its upper bit alone says that a byte is dropped, so that dropping one needs no branch. */
export const dropped = 0x8000;

export interface TransformedBlock {
  readonly rows: number;
  readonly bytes: Uint8Array;
  /** Where each text ends in `bytes`. */
  readonly ends: Uint32Array;
  /** The rows that are the caller's, counted within the block; they are empty in it. */
  readonly others: Uint32Array;
}

/** The rows from one on, as many as are transformed together. What is answered lasts until the next call. */
export type TransformBlock = (column: TextColumn, first: number) => TransformedBlock;

const rowsMax = 4_096;
const bytesMax = 64 * 1024;
/** Bytes are copied and compared some at a time, also behind the end of a text. */
const beyond = 16;

export const createByteTransforms = (transforms: ByteTransforms): TransformBlock => {
  const maps = transforms.flatMap((transform) => (typeof transform === 'object' && 'map' in transform ? [transform.map] : []));
  const places = placesFor(maps.length);
  const memory = createMemory(places.end);
  const { transform } = compile({ transform: transformCode(transforms, places) })(memory);
  const { buffer } = memory;
  for (const [index, map] of maps.entries()) new Uint16Array(buffer, index * mapBytes, map.length).set(map);
  const starts = new Uint32Array(buffer, places.starts, rowsMax + 1);
  const ends = new Uint32Array(buffer, places.ends, rowsMax);
  const others = new Uint32Array(buffer, places.others, rowsMax);
  const input = new Uint8Array(buffer, places.input, bytesMax);
  const output = new Uint8Array(buffer, places.output, bytesMax);

  return ({ bytes, offsets }, first) => {
    const start = offsets[first] as number;
    const last = lastOf(offsets, first, start + bytesMax);
    const rows = last - first;
    if (rows === 0) {
      others[0] = 0;
      ends[0] = 0;
      return { rows: 1, bytes: output.subarray(0, 0), ends: ends.subarray(0, 1), others: others.subarray(0, 1) };
    }
    starts.set(offsets.subarray(first, last + 1));
    input.set(bytes.subarray(start, offsets[last]));
    const count = transform(rows * 4, places.input - start);
    return { rows, bytes: output.subarray(0, ends[rows - 1]), ends: ends.subarray(0, rows), others: others.subarray(0, count) };
  };
};

/** The row behind the last one whose text ends by `most`. */
const lastOf = (offsets: Uint32Array, first: number, most: number): number => {
  let last = Math.min(offsets.length - 1, first + rowsMax);
  // Texts of one column are about as long as each other: mostly all fit, or about so many that it is soon found.
  if ((offsets[last] as number) <= most) return last;
  let least = first;
  while (last - least > 1) {
    const middle = (least + last) >>> 1;
    if ((offsets[middle] as number) <= most) least = middle;
    else last = middle;
  }
  return least;
};

const mapBytes = 128 * 2;

const placesFor = (maps: number) => {
  const starts = maps * mapBytes;
  const ends = starts + (rowsMax + 1) * 4;
  const others = ends + rowsMax * 4;
  const input = others + rowsMax * 4;
  const output = input + bytesMax + beyond;
  return { starts, ends, others, input, output, end: output + bytesMax + beyond };
};

const transformCode = ([, ...others]: ByteTransforms, places: ReturnType<typeof placesFor>) => {
  // Four times the rows, and what is to be added to where a text starts to have its address.
  const { parameters, local, toCode } = createFunction(2);
  const [rows, shift] = parameters as [Local, Local];
  const [row, used, othersAt] = [local('i32'), local('i32'), local('i32')];
  const [from, to, byte, seen] = [local('i32'), local('i32'), local('i32'), local('i32')];
  const [start, end] = [local('i32'), local('i32')];
  const increase = (one: Local, by: Code): Code => one.set(i32.add(one.get, by));
  const length = i32.subtract(end.get, start.get);
  let maps = 0;

  /** Maps the bytes between `from` and `to` to where `end` is. */
  const map = (): Code => {
    const table = maps * mapBytes;
    maps += 1;
    return whileTrue(
      i32.isBelow(from.get, to.get),
      byte.set(i32.load8(0, from.get)),
      seen.set(i32.or(seen.get, byte.get)),
      byte.set(i32.load16(table, i32.shiftLeft(i32.and(byte.get, i32.of(127)), i32.of(1)))),
      i32.store8(0, end.get, byte.get),
      increase(end, i32.subtract(i32.of(1), i32.shiftRight(byte.get, i32.of(15)))),
      increase(from, i32.of(1)),
    );
  };
  const areAt = (address: Code, bytes: Uint8Array): Code =>
    [...bytes].reduce<Code>((all, expected, index) => i32.and(all, i32.isEqual(i32.load8(index, address), i32.of(expected))), i32.of(1));
  const isSpace = (address: Code): Code =>
    // As `trim` of a string sees it, among ASCII.
    i32.or(i32.isEqual(i32.load8(0, address), i32.of(32)), i32.isBelow(i32.subtract(i32.load8(0, address), i32.of(9)), i32.of(5)));
  const isAtLeast = (least: number): Code => i32.isLess(i32.of(least - 1), length);
  const beforeEnd = (bytes: number): Code => i32.subtract(end.get, i32.of(bytes));
  const stepOf = (transform: ByteTransform): Code => {
    if (transform === 'trim')
      return [
        ...whileTrue(i32.and(isAtLeast(1), isSpace(start.get)), increase(start, i32.of(1))),
        ...whileTrue(i32.and(isAtLeast(1), isSpace(beforeEnd(1))), end.set(beforeEnd(1))),
      ];
    if (transform === 'stripLeadingZeros')
      return whileTrue(i32.and(isAtLeast(2), i32.isEqual(i32.load8(0, start.get), i32.of(48))), increase(start, i32.of(1)));
    if ('stripPrefix' in transform) {
      const { length: bytes } = transform.stripPrefix;
      return when(isAtLeast(bytes), when(areAt(start.get, transform.stripPrefix), increase(start, i32.of(bytes))));
    }
    if ('stripSuffix' in transform) {
      const { length: bytes } = transform.stripSuffix;
      return when(isAtLeast(bytes), when(areAt(beforeEnd(bytes), transform.stripSuffix), end.set(beforeEnd(bytes))));
    }
    return [...from.set(start.get), ...to.set(end.get), ...end.set(start.get), ...map()];
  };

  return toCode(
    used.set(i32.of(places.output)),
    repeatWhile(
      i32.isBelow(row.get, rows.get),
      from.set(i32.add(i32.load(places.starts, row.get), shift.get)),
      to.set(i32.add(i32.load(places.starts + 4, row.get), shift.get)),
      seen.set(i32.of(0)),
      start.set(used.get),
      end.set(used.get),
      map(),
      when(
        i32.and(seen.get, i32.of(128)),
        i32.store(places.others, othersAt.get, i32.shiftRight(row.get, i32.of(2))),
        increase(othersAt, i32.of(4)),
        end.set(start.get),
      ),
      ...others.map(stepOf),
      // To where the last text ends, if something was taken from the front.
      from.set(used.get),
      increase(used, length),
      when(
        i32.isBelow(from.get, start.get),
        whileTrue(
          i32.isBelow(from.get, used.get),
          v128.store(0, from.get, v128.load(0, start.get)),
          increase(from, i32.of(beyond)),
          increase(start, i32.of(beyond)),
        ),
      ),
      i32.store(places.ends, row.get, i32.subtract(used.get, i32.of(places.output))),
      increase(row, i32.of(4)),
    ),
    i32.shiftRight(othersAt.get, i32.of(2)),
  );
};
