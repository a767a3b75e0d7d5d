/** Amounts with two decimals, such as `5114.10` and `-0.05`, as whole numbers of hundredths. */
import { type Code, either, f64, i8x16, i16x8, i32, i32x4, type Local, v128 } from '@settler/wasm/module';
import { readingCode } from './rows.ts';

const zero = 48;
const minus = 45;

const lanes = (lane: (index: number) => number): Code => v128.of(...Array.from({ length: 16 }, (_, index) => lane(index)));
const halfWords = (...numbers: readonly number[]): Code => v128.of(...numbers.flatMap((number) => [number, 0]));
const each = (number: number): Code => halfWords(...Array(8).fill(number));

/** The point is the fourteenth of sixteen bytes. */
const pointLane = 13;
const isPointLane = lanes((index) => (index === pointLane ? 255 : 0));
/** What is left of digits without what all of them have, at most; nothing is left of the point. */
const most = lanes((index) => (index === pointLane ? 0 : 9));
const laneNumbers = lanes((index) => index);

/** Of the point, and whether to turn the sign around. The sixteen bytes before each cell's end must be there. */
export const amountsCode = () =>
  readingCode(8, 2, ({ start, end, into, options, local, leaveIf }) => {
    const [point, negate] = options as [Local, Local];
    const [isNegative, length] = [local('i32'), local('i32')];
    const [pattern, digits] = [local('v128'), local('v128')];
    const value = local('f64');
    const tens = i16x8.multiply(v128.and(digits.get, each(0xff)), each(10));
    const ones = i16x8.shiftRight(digits.get, i32.of(8));
    // Each four digits, but of the last four bytes the three around the point.
    const word = (index: number) => i32x4.lane(index, digits.get);
    const before = [
      pattern.set(v128.or(v128.without(i8x16.fill(i32.of(zero)), isPointLane), v128.and(i8x16.fill(point.get), isPointLane))),
    ];
    const read = [
      isNegative.set(i32.isEqual(i32.load8(0, start.get), i32.of(minus))),
      length.set(i32.subtract(i32.subtract(end.get, start.get), isNegative.get)),
      // Fifteen digits are exact in a double, as the largest number of two words is.
      leaveIf(i32.isBelow(i32.of(12), i32.subtract(length.get, i32.of(4)))),
      digits.set(
        v128.and(
          v128.xor(v128.load(0, i32.subtract(end.get, i32.of(16))), pattern.get),
          i8x16.isAtLeast(laneNumbers, i8x16.fill(i32.subtract(i32.of(16), length.get))),
        ),
      ),
      leaveIf(i32.isZero(i8x16.areAllTrue(i8x16.isAtMost(digits.get, most)))),
      digits.set(i32x4.addProducts(i16x8.add(tens, ones), halfWords(100, 1, 100, 1, 100, 1, 10, 1))),
      value.set(
        f64.add(
          f64.multiply(f64.fromInteger(i32.add(i32.multiply(word(0), i32.of(10_000)), word(1))), f64.of(1e7)),
          f64.fromInteger(i32.add(i32.multiply(word(2), i32.of(1_000)), word(3))),
        ),
      ),
      f64.store(0, into.get, either(f64.subtract(f64.of(0), value.get), value.get, i32.xor(isNegative.get, negate.get))),
    ];
    return { before, each: read };
  });
