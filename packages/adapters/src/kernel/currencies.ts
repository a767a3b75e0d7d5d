/** Currencies of three letters, as numbers of three bytes, the first letter in the highest. */
import { i32 } from '@settler/wasm/module';
import { readingCode } from './rows.ts';

const inEach = (byte: number) => i32.of(byte * 0x010101);

export const currenciesCode = () =>
  readingCode(4, 0, ({ start, end, into, local, leaveIf }) => {
    const letters = local('i32');
    const each = [
      leaveIf(i32.isUnequal(i32.subtract(end.get, start.get), i32.of(3))),
      // Without the bit in which a letter's cases differ they are upper case, and nothing else becomes a letter.
      letters.set(i32.and(i32.load(0, start.get), inEach(0xdf))),
      // No lower than `A` are bytes that reach the top bit with the one number, and no higher than `Z` those that do not with the other.
      leaveIf(
        i32.isUnequal(
          i32.and(i32.and(i32.add(letters.get, inEach(0x3f)), i32.xor(i32.add(letters.get, inEach(0x25)), i32.of(-1))), inEach(0x80)),
          inEach(0x80),
        ),
      ),
      i32.store(
        0,
        into.get,
        i32.or(
          i32.or(i32.shiftLeft(i32.and(letters.get, i32.of(0xff)), i32.of(16)), i32.and(letters.get, i32.of(0xff00))),
          i32.shiftRight(letters.get, i32.of(16)),
        ),
      ),
    ];
    return { each };
  });
