/** Cells copied one behind the other, with where each ends, as long as their first and last bytes, and their lengths, are plain. */
import { type Code, either, i32, type Local, repeatWhile, v128 } from '@settler/wasm/module';
import { readingCode } from './rows.ts';

/** So many bytes are copied together, so that as many may be read and written behind a cell. */
export const copyBytes = 32;

const half = copyBytes / 2;

/** What the first byte of a cell may be, and what the last. */
export const mayBeSpace = 1;
export const isNotPlainLast = 2;

// ASCII's own white space, and the bytes that any other begins with in UTF-8. What a cell ends with beyond ASCII may be white space or not.
export const traits = Uint8Array.from(
  { length: 256 },
  (_, byte) =>
    (byte <= 32 || [0xc2, 0xe1, 0xe2, 0xe3, 0xef].includes(byte) ? mayBeSpace : 0) | (byte <= 32 || byte >= 0x80 ? isNotPlainLast : 0),
);

/**
 * What is written for each row is where its text ends: its address and `shift`. The texts go to `heap`, and not beyond `heapEnd`. What
 * `traits` says of a cell's first byte must not have a bit of `first`, nor of its last byte one of `last`.
 */
export const textsCode = () =>
  readingCode(4, 8, ({ start, end, into, options, local, leaveIf }) => {
    const [heap, heapEnd, shift, traits, first, last, lengthMin, lengthMax] = options as [
      ...[heap: Local, heapEnd: Local, shift: Local, traits: Local],
      ...[first: Local, last: Local, lengthMin: Local, lengthMax: Local],
    ];
    const [length, to] = [local('i32'), local('i32')];
    const traitsOf = (address: Code, mask: Local): Code => i32.and(i32.load8(0, i32.add(traits.get, i32.load8(0, address))), mask.get);
    const each = [
      length.set(i32.subtract(end.get, start.get)),
      leaveIf(i32.isBelow(i32.subtract(heapEnd.get, heap.get), length.get)),
      leaveIf(i32.isBelow(i32.subtract(lengthMax.get, lengthMin.get), i32.subtract(length.get, lengthMin.get))),
      // Of an empty cell these are its neighbours' bytes.
      leaveIf(either(i32.or(traitsOf(start.get, first), traitsOf(i32.subtract(end.get, i32.of(1)), last)), i32.of(0), length.get)),
      to.set(heap.get),
      // Two vectors without a question are faster than one and a guess at whether there is more, which for names is often wrong.
      repeatWhile(
        i32.isBelow(start.get, end.get),
        v128.store(0, to.get, v128.load(0, start.get)),
        v128.store(half, to.get, v128.load(half, start.get)),
        start.set(i32.add(start.get, i32.of(copyBytes))),
        to.set(i32.add(to.get, i32.of(copyBytes))),
      ),
      heap.set(i32.add(heap.get, length.get)),
      i32.store(0, into.get, i32.add(heap.get, shift.get)),
    ];
    return { each };
  });
