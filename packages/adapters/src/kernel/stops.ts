/**
 * Where the bytes are that mean something in CSV: delimiters, quotes, line ends, and NUL, which has no place there. To ask every byte
 * is most of the work of a scan, and vectors look at 32 of them together: that takes a fifth of what four at a time take in
 * JavaScript's integers.
 */
import { type Code, createFunction, i8x16, i32, type Local, repeatWhile, v128, when } from '@settler/wasm/module';

/** So many bytes are looked at together, also where fewer are left. */
export const stepBytes = 32;

/** Most of them hold no more. */
export const stopsTogether = 6;
const stopBytes = 4;

/** From the addresses of the first byte and behind the last, the delimiter, and where to write addresses, to where the last one ends. */
export const stopsCode = () => {
  const { parameters, local, toCode } = createFunction(4);
  const [from, to, delimiter, into] = parameters as [Local, Local, Local, Local];
  const [bits, end, bytes, delimiters] = [local('i32'), local('i32'), local('v128'), local('v128')];
  const isByte = (byte: number): Code => i8x16.isEqual(bytes.get, i8x16.fill(i32.of(byte)));
  const stopsAmong = (): Code =>
    i8x16.highestBits([0, 10, 13, 34].map(isByte).reduce((one, other) => v128.or(one, other), i8x16.isEqual(bytes.get, delimiters.get)));
  // Of the first bit there is, which is then taken away.
  const writeStop = (index: number): Code => [
    ...i32.store(index * stopBytes, into.get, i32.add(from.get, i32.trailingZeros(bits.get))),
    ...bits.set(i32.and(bits.get, i32.subtract(bits.get, i32.of(1)))),
  ];
  // So many without a question, because a processor cannot guess where they end; what is too much is written over.
  const writeStops = [
    ...end.set(i32.add(into.get, i32.multiply(i32.of(stopBytes), i32.countOnes(bits.get)))),
    ...Array.from({ length: stopsTogether }, (_, index) => writeStop(index)).flat(),
    ...when(
      bits.get,
      into.set(i32.add(into.get, i32.of(stopsTogether * stopBytes))),
      repeatWhile(bits.get, writeStop(0), into.set(i32.add(into.get, i32.of(stopBytes)))),
    ),
    ...into.set(end.get),
  ];
  return toCode(
    delimiters.set(i8x16.fill(delimiter.get)),
    repeatWhile(
      i32.isBelow(from.get, to.get),
      bytes.set(v128.load(0, from.get)),
      bits.set(stopsAmong()),
      bytes.set(v128.load(16, from.get)),
      bits.set(i32.or(bits.get, i32.shiftLeft(stopsAmong(), i32.of(16)))),
      writeStops,
      from.set(i32.add(from.get, i32.of(stepBytes))),
    ),
    into.get,
  );
};
