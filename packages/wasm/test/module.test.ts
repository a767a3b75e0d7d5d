import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  block,
  branch,
  branchIf,
  type Code,
  compile,
  createFunction,
  createMemory,
  either,
  type FunctionCode,
  f64,
  f64x2,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  type Local,
  loop,
  repeatWhile,
  reserve,
  tell,
  v128,
  when,
  whileTrue,
} from '../src/module.ts';

/** With a memory of its own. */
const runnable = (run: FunctionCode) => {
  const memory = createMemory(1);
  return { ...compile({ run })(memory), memory: memory.buffer };
};
const answerOf = (...body: readonly Code[]): number => runnable(createFunction(0).toCode(...body)).run();
const constant = (value: number): number => answerOf(i32.of(value));

describe('a module', () => {
  it('has every whole number of 32 bits', () => {
    for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8_191, 8_192, -8_193, 2 ** 31 - 1, -(2 ** 31)])
      expect(constant(value)).toBe(value);
    fc.assert(fc.property(fc.integer(), (value) => constant(value) === value));
  });

  it('repeats, decides, and leaves what it finds in the memory', () => {
    const { parameters, local, toCode } = createFunction(1);
    const [count] = parameters as [Local];
    const [at, sum] = [local('i32'), local('i32')];
    const { memory, run } = runnable(
      toCode(
        repeatWhile(
          i32.isLess(at.get, count.get),
          at.set(i32.add(at.get, i32.of(1))),
          // The odd ones alone.
          when(i32.and(at.get, i32.of(1)), sum.set(i32.add(sum.get, at.get))),
        ),
        i32.store(300, i32.of(4), sum.get),
        sum.get,
      ),
    );
    expect(run(9)).toBe(25);
    expect(new Int32Array(memory)[(300 + 4) / 4]).toBe(25);
    // Once, whatever the condition says.
    expect(run(0)).toBe(1);
  });

  it('tells whoever uses it, and has more memory where it is asked for', () => {
    const { parameters, local, toCode } = createFunction(1);
    const [count] = parameters as [Local];
    const at = local('i32');
    const told: number[] = [];
    const memory = createMemory(1);
    const { run } = compile({
      run: toCode(whileTrue(i32.isLess(at.get, count.get), tell(at.get), at.set(i32.add(at.get, i32.of(1)))), i32.load8(0, i32.of(99_999))),
    })(memory, (value) => told.push(value));
    expect(() => run(0)).toThrow('out of bounds');
    reserve(memory, 100_000);
    new Uint8Array(memory.buffer)[99_999] = 7;
    expect([run(0), run(3), told]).toEqual([7, 7, [0, 1, 2]]);
    reserve(memory, 1);
    expect(memory.buffer.byteLength).toBe(2 * 0x10000);
  });

  it('compares, chooses and brings together what lies in vectors', () => {
    const { local, toCode } = createFunction(0);
    const numbers = v128.of(...[1, 2, 3, 4].flatMap((word) => [word, 0, 0, 0]));
    const doubles = local('v128');
    const { memory, run } = runnable(
      toCode(
        f64.store(64, i32.of(0), f64.of(1.5)),
        f64.store(72, i32.of(0), f64.of(-2)),
        doubles.set(v128.load(64, i32.of(0))),
        v128.store(0, i32.of(0), i32x4.subtract(v128.loadHalves(96, i32.of(0)), numbers)),
        v128.store(
          16,
          i32.of(0),
          i8x16.choose([0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 28, 29, 30, 31], numbers, v128.fillWords(72, i32.of(4))),
        ),
        v128.store(32, i32.of(0), i8x16.pick(numbers, v128.of(12, 13, 14, 15, 0, 1, 2, 3, 255, 255, 255, 255, 4, 5, 6, 7))),
        i32.store(48, i32.of(0), f64x2.highestBits(f64x2.isLess(doubles.get, v128.fillDoubles(64, i32.of(0))))),
        i32.store(52, i32.of(0), f64x2.highestBits(f64x2.isAtMost(doubles.get, v128.fillDoubles(64, i32.of(0))))),
        i32.store(56, i32.of(0), i32x4.highestBits(i32x4.isAtMost(numbers, i32x4.fill(i32.of(2))))),
        i32.store8(60, i32.of(0), i32.of(0x1ff)),
        i32.add(i32.isAtLeast(i32.of(-1), i32.of(0)), i32.load16(60, i32.of(0))),
      ),
    );
    new Uint16Array(memory, 96, 4).set([10, 20, 30, 40]);
    expect(run()).toBe(255);
    const high = new Int32Array(Float64Array.of(-2).buffer)[1];
    expect([...new Int32Array(memory, 0, 16)].slice(0, 12)).toEqual([9, 18, 27, 36, 1, high, 2, high, 4, 1, 0, 2]);
    expect([...new Int32Array(memory, 48, 3)]).toEqual([0b10, 0b11, 0b0011]);
  });

  it('looks at sixteen bytes together', () => {
    const { parameters, local, toCode } = createFunction(2);
    const [at, byte] = parameters as [Local, Local];
    const bytes = local('v128');
    const { memory, run } = runnable(
      toCode(bytes.set(v128.load(0, at.get)), i8x16.highestBits(i8x16.isEqual(bytes.get, i8x16.fill(byte.get)))),
    );
    new Uint8Array(memory).set([7, 0, 9, 7, 255], 33);
    expect(run(33, 7)).toBe(0b1001);
    expect(run(33, 255)).toBe(0b10000);
    expect(run(33, 8)).toBe(0);
  });

  it('has several functions, which share a memory that grows', () => {
    const store = createFunction(2);
    const [at, value] = store.parameters as [Local, Local];
    const load = createFunction(1);
    const [from] = load.parameters as [Local];
    const instantiate = compile({
      store: store.toCode(i32.store(0, at.get, value.get), i32.of(0)),
      load: load.toCode(i32.load8(0, from.get)),
    });
    const [memory, other] = [createMemory(1), createMemory(1)];
    const { store: put, load: take } = instantiate(memory);
    expect(() => put(0x10000, 1)).toThrow('out of bounds');
    reserve(memory, 0x10001);
    put(0x10000, 0x1ff);
    expect([take(0x10000), take(0x10001), instantiate(other).load(0)]).toEqual([255, 1, 0]);
  });

  it('leaves blocks, and begins loops again', () => {
    const { parameters, local, toCode } = createFunction(1);
    const [wanted] = parameters as [Local];
    const [power, turns] = [local('i32'), local('i32')];
    const { turnsTo } = compile({
      turnsTo: toCode(
        power.set(i32.of(1)),
        block(
          loop(
            branchIf(1, i32.isZero(i32.isBelow(power.get, wanted.get))),
            power.set(i32.shiftLeft(power.get, i32.of(1))),
            turns.set(i32.add(turns.get, i32.of(1))),
            when(i32.isUnequal(turns.get, i32.of(9)), branch(1)),
          ),
        ),
        turns.get,
      ),
    })(createMemory(1));
    expect([1, 2, 1000, -1].map((number) => turnsTo(number))).toEqual([0, 1, 9, 9]);
  });

  it('has every whole number of 64 bits, and reckons with them', () => {
    const upperHalf = (value: bigint): number => answerOf(i64.toInteger(i64.shiftRight(i64.of(value), i64.of(32n))));
    const lowerHalf = (value: Code): number => answerOf(i64.toInteger(value));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect([upperHalf(value), lowerHalf(i64.of(value))]).toEqual([
          Number(BigInt.asIntN(32, value >> 32n)),
          Number(BigInt.asIntN(32, value)),
        ]);
      }),
      { numRuns: 50 },
    );
    const wide = i64.multiply(i64.fromInteger(i32.of(-1)), i64.fromInteger(i32.of(-1)));
    expect(lowerHalf(i64.shiftRight(wide, i64.of(32n)))).toBe(-2);
    expect(lowerHalf(i64.shiftRight(i64.shiftLeft(i64.xor(i64.of(5n), i64.of(3n)), i64.of(40n)), i64.of(39n)))).toBe(12);
    expect(lowerHalf(i64.load(0, i32.of(0)))).toBe(0);
    expect(lowerHalf(i64.and(i64.trailingZeros(i64.of(1n << 45n)), i64.of(0x38n)))).toBe(40);
    expect(answerOf(i64.isZero(i64.of(1n << 40n)))).toBe(0);
    expect(answerOf(i32.countOnes(i32.of(-2)))).toBe(31);
    expect(answerOf(i32.rotateLeft(i32.of(-0x7fffffff), i32.of(4)))).toBe(24);
  });

  it('reckons with whole numbers, doubles and vectors', () => {
    const whole = (of: (one: Code, other: Code) => Code) => (one: number, other: number) => answerOf(of(i32.of(one), i32.of(other)));
    expect([whole(i32.multiply)(-3, 5), whole(i32.xor)(12, 10), whole(i32.shiftRight)(-1, 28), whole(i32.isEqual)(4, 4)]).toEqual([
      -15, 6, 15, 1,
    ]);
    const { local, toCode } = createFunction(0);
    const [double, bytes] = [local('f64'), local('v128')];
    const halfWords = (...numbers: readonly number[]) => v128.of(...numbers.flatMap((number) => [number & 255, number >> 8]));
    const numbers = halfWords(1, 2, 3, 4, 5, 6, 7, 512);
    const { memory, run } = runnable(
      toCode(
        double.set(f64.subtract(f64.multiply(f64.fromInteger(i32.of(-3)), f64.of(1.5)), f64.of(0.25))),
        f64.store(8, i32.of(0), f64.add(either(double.get, f64.of(7), i32.of(1)), either(double.get, f64.of(7), i32.of(0)))),
        bytes.set(i16x8.add(i16x8.multiply(numbers, numbers), i16x8.shiftRight(numbers, i32.of(1)))),
        v128.store(16, i32.of(0), bytes.get),
        i32.store(32, i32.of(0), i32x4.lane(1, i32x4.addProducts(numbers, numbers))),
        i8x16.highestBits(i8x16.isAtMost(numbers, i8x16.fill(i32.of(4)))),
      ),
    );
    const isAtMostFour = run();
    expect(new Float64Array(memory)[1]).toBe(2.25);
    expect([...new Uint16Array(memory, 16, 8)]).toEqual([1, 5, 10, 18, 27, 39, 52, 256]);
    expect(new Int32Array(memory)[8]).toBe(25);
    expect(isAtMostFour).toBe(0b1110101011111111);
    const are = (condition: Code) => answerOf(i8x16.areAllTrue(condition));
    expect([0, 1].map((least) => are(i8x16.isAtLeast(numbers, i8x16.fill(i32.of(least)))))).toEqual([1, 0]);
  });
});
