/**
 * Where the bytes are that mean something in CSV: delimiters, quotes, line ends, and NUL, which has no place there. To ask every byte
 * is most of the work of a scan, and WebAssembly has the only vectors that JavaScript can reach: 32 bytes at a time take a fifth of
 * what four at a time take in JavaScript's integers.
 */
import { type Code, createFunction, createInstance, i8x16, i32, type Local, repeatWhile, v128, when } from '@settler/wasm/module';

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

const moduleBytes = (): Uint8Array => {
  // From the beginning and end of the bytes, the delimiter, where to write, and what the first position is called, to where the last stop ends.
  const { parameters, local, toModule } = createFunction(5);
  const [from, to, delimiter, into, position] = parameters as [Local, Local, Local, Local, Local];
  const [bits, bytes, delimiters] = [local('i32'), local('v128'), local('v128')];
  const isByte = (byte: number): Code => i8x16.isEqual(bytes.get, i8x16.fill(i32.of(byte)));
  const stopsAmong = (): Code =>
    i8x16.highestBits([0, 10, 13, 34].map(isByte).reduce((one, other) => v128.or(one, other), i8x16.isEqual(bytes.get, delimiters.get)));
  // Of the first bit there is, which is then taken away.
  const writeStop = [
    ...i32.store(0, into.get, i32.add(position.get, i32.trailingZeros(bits.get))),
    ...into.set(i32.add(into.get, i32.of(stopBytes))),
    ...bits.set(i32.and(bits.get, i32.subtract(bits.get, i32.of(1)))),
  ];
  return toModule(
    pages,
    delimiters.set(i8x16.fill(delimiter.get)),
    repeatWhile(
      i32.isBelow(from.get, to.get),
      bytes.set(v128.load(0, from.get)),
      bits.set(stopsAmong()),
      bytes.set(v128.load(16, from.get)),
      bits.set(i32.or(bits.get, i32.shiftLeft(stopsAmong(), i32.of(16)))),
      when(bits.get, repeatWhile(bits.get, writeStop)),
      from.set(i32.add(from.get, i32.of(stepBytes))),
      position.set(i32.add(position.get, i32.of(stepBytes))),
    ),
    into.get,
  );
};
const { memory, run } = createInstance(moduleBytes());

const window = new Uint8Array(memory, windowAt);
const positions = new Int32Array(memory, 0, windowAt / stopBytes);
const stops: Stops = { positions, count: 0 };

/** Of at most `windowBytes`, and not none. What it answers lasts until it is asked again, by whomever. */
export const findStops = (block: Uint8Array, first: number, last: number, separator: number): Stops => {
  window.set(block.subarray(first, last));
  let count = run(windowAt, windowAt + last - first, separator, 0, first) / stopBytes;
  // Behind the end lies what an earlier window has left there.
  while (count > 0 && (positions[count - 1] as number) >= last) count--;
  stops.count = count;
  return stops;
};
