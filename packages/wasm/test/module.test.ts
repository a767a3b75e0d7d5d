import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFunction, createInstance, i8x16, i32, type Local, repeatWhile, v128, when, whileTrue } from '../src/module.ts';

const constant = (value: number): number => createInstance(createFunction(0).toModule(1, i32.of(value))).run();

describe('a module', () => {
  it('has every whole number of 32 bits', () => {
    for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8_191, 8_192, -8_193, 2 ** 31 - 1, -(2 ** 31)])
      expect(constant(value)).toBe(value);
    fc.assert(fc.property(fc.integer(), (value) => constant(value) === value));
  });

  it('repeats, decides, and leaves what it finds in the memory', () => {
    const { parameters, local, toModule } = createFunction(1);
    const [count] = parameters as [Local];
    const [at, sum] = [local('i32'), local('i32')];
    const { memory, run } = createInstance(
      toModule(
        1,
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

  it('tells its host, and has more memory where it is asked for', () => {
    const { parameters, local, tell, toModule } = createFunction(1);
    const [count] = parameters as [Local];
    const at = local('i32');
    const told: number[] = [];
    const { run, reserve } = createInstance(
      toModule(
        1,
        whileTrue(i32.isLess(at.get, count.get), tell(at.get), at.set(i32.add(at.get, i32.of(1)))),
        i32.loadByte(0, i32.of(99_999)),
      ),
      (value) => told.push(value),
    );
    expect(() => run(0)).toThrow('out of bounds');
    new Uint8Array(reserve(100_000))[99_999] = 7;
    expect([run(0), run(3), told]).toEqual([7, 7, [0, 1, 2]]);
    expect(reserve(1).byteLength).toBe(2 * 0x10000);
  });

  it('looks at sixteen bytes together', () => {
    const { parameters, local, toModule } = createFunction(2);
    const [at, byte] = parameters as [Local, Local];
    const bytes = local('v128');
    const { memory, run } = createInstance(
      toModule(1, bytes.set(v128.load(0, at.get)), i8x16.highestBits(i8x16.isEqual(bytes.get, i8x16.fill(byte.get)))),
    );
    new Uint8Array(memory).set([7, 0, 9, 7, 255], 33);
    expect(run(33, 7)).toBe(0b1001);
    expect(run(33, 255)).toBe(0b10000);
    expect(run(33, 8)).toBe(0);
  });
});
