/**
 * Where the bytes are that mean something in CSV: delimiters, quotes, line ends, and NUL, which has no place there. To ask every byte
 * is most of the work of a scan, and WebAssembly has the only vectors that JavaScript can reach: 32 bytes at a time take a fifth of
 * what four at a time take in JavaScript's integers.
 *
 * It is one short function, put together here from its instructions, which are called as in the standard's index of instructions.
 */

/** So much is looked at in one call. */
export const windowBytes = 32 * 1024;

/** What was found last: the first `count` of `positions`. */
export type Stops = { readonly positions: Int32Array; count: number };

/** So many bytes are looked at together, also where fewer are left. */
const stepBytes = 32;
const stopBytes = 4;

// The positions come first in the memory, the bytes after them.
const windowAt = (windowBytes + stepBytes) * stopBytes;
const pages = Math.ceil((windowAt + windowBytes + stepBytes) / 65_536);

type Code = readonly number[];

const i32 = 0x7f;
const v128 = 0x7b;
const nothing = 0x40;
const end = 0x0b;

/** LEB128, as all whole numbers are written. */
const whole = (value: number): Code => (value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...whole(value >> 7)]);
const listOf = (...items: Code[]): Code => [...whole(items.length), ...items.flat()];
const sized = (code: Code): Code => [...whole(code.length), ...code];
const name = (text: string): Code => sized([...Buffer.from(text)]);

const number = (value: number): Code => [0x41, ...whole(value)];
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const both =
  (operator: Code) =>
  (one: Code, other: Code): Code => [...one, ...other, ...operator];
const isBelow = both([0x49]);
const add = both([0x6a]);
const subtract = both([0x6b]);
const and = both([0x71]);
const or = both([0x72]);
const shiftLeft = both([0x74]);
const trailingZeros = (value: Code): Code => [...value, 0x68];
const store = (address: Code, value: Code): Code => [...address, ...value, 0x36, 0, 0];
const doWhile = (code: Code, condition: Code): Code => [0x03, nothing, ...code, ...condition, 0x0d, 0, end];
const when = (condition: Code, code: Code): Code => [...condition, 0x04, nothing, ...code, end];

const loadSixteen = (address: Code, offset: number): Code => [...address, 0xfd, 0x00, 0, offset];
const sixteenOf = (byte: Code): Code => [...byte, 0xfd, 0x0f];
const equal = both([0xfd, 0x23]);
const either = both([0xfd, 0x50]);
/** The top bit of each of the sixteen. */
const topBits = (bytes: Code): Code => [...bytes, 0xfd, 0x64];

// Its parameters, then what else it keeps.
const [from, to, delimiter, into, position, bits, bytes, delimiters] = [0, 1, 2, 3, 4, 5, 6, 7];

const meaning = [0, 10, 13, 34].map((byte) => equal(get(bytes), sixteenOf(number(byte))));
const stopsAmong = (offset: number): Code => [
  ...set(bytes, loadSixteen(get(from), offset)),
  ...topBits(meaning.reduce(either, equal(get(bytes), get(delimiters)))),
];

/** Of the first bit there is, which is then taken away. */
const writeStop: Code = [
  ...store(get(into), add(get(position), trailingZeros(get(bits)))),
  ...set(into, add(get(into), number(stopBytes))),
  ...set(bits, and(get(bits), subtract(get(bits), number(1)))),
];

const step: Code = [
  ...set(bits, or(stopsAmong(0), shiftLeft(stopsAmong(16), number(16)))),
  ...when(get(bits), doWhile(writeStop, get(bits))),
  ...set(from, add(get(from), number(stepBytes))),
  ...set(position, add(get(position), number(stepBytes))),
];

/** From the beginning and end of the bytes, the delimiter, where to write, and what the first position is called, to where the last stop ends. */
const find: Code = [...set(delimiters, sixteenOf(get(delimiter))), ...doWhile(step, isBelow(get(from), get(to))), ...get(into), end];

/** What is used of it: the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly find: (from: number, to: number, delimiter: number, into: number, position: number) => number;
    };
  };
};

const section = (id: number, ...items: Code[]): Code => [id, ...sized(listOf(...items))];

const module = new WebAssembly.Module(
  Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, ...listOf([i32], [i32], [i32], [i32], [i32]), ...listOf([i32])]),
    ...section(3, [0]),
    ...section(5, [0, ...whole(pages)]),
    ...section(7, [...name('memory'), 2, 0], [...name('find'), 0, 0]),
    ...section(10, sized([...listOf([1, i32], [2, v128]), ...find])),
  ]),
);
const exported = new WebAssembly.Instance(module).exports;

const window = new Uint8Array(exported.memory.buffer, windowAt);
const positions = new Int32Array(exported.memory.buffer, 0, windowAt / stopBytes);
const stops: Stops = { positions, count: 0 };

/** Of at most `windowBytes`, and not none. What it answers lasts until it is asked again, by whomever. */
export const findStops = (block: Uint8Array, first: number, last: number, separator: number): Stops => {
  window.set(block.subarray(first, last));
  let count = exported.find(windowAt, windowAt + last - first, separator, 0, first) / stopBytes;
  // Behind the end lies what an earlier window has left there.
  while (count > 0 && (positions[count - 1] as number) >= last) count--;
  stops.count = count;
  return stops;
};
