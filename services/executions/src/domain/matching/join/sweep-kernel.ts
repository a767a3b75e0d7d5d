/**
 * Where two lanes meet, in WebAssembly: each source looks at four targets at a time, from the first that is not below its window on.
 * How far windows move, how many targets lie in one and which of them have the right day is what a processor guesses wrongly; here
 * only the last four of a window are a guess. The lanes lie in the memory, sorted by amount in all their columns.
 */
import {
  type Code,
  compile,
  createFunction,
  createMemory,
  f64x2,
  i8x16,
  i32,
  i32x4,
  type Local,
  repeatWhile,
  tell,
  v128,
  when,
  whileTrue,
} from '@settler/wasm/module';
import { createWorkspaces } from '../columns/scratch.ts';

/** One side's columns; what they hold at first is of an earlier sweep. */
export interface LaneColumns {
  /** Of a source the least that it accepts. */
  readonly lows: Float64Array;
  /** The most that a source accepts. */
  readonly highs?: Float64Array;
  readonly rows: Uint32Array;
  /** Days since the first one of the row's lane. */
  readonly days: Uint16Array;
}

export interface SweepMemory {
  readonly sources: LaneColumns;
  readonly targets: LaneColumns;
  /** By the day of a source in its lane: the first and the last day that it accepts, as days in the target's lane. */
  readonly firstDays: Int32Array;
  readonly lastDays: Int32Array;
  /** The sources from `start` to `end`, and the targets from `begin` to `beyond`, whose lane has so many days. */
  readonly meet: (start: number, end: number, begin: number, beyond: number, daysPerLane: number, pair: Pair) => void;
}

export type Pair = (source: number, target: number) => void;

const daysMax = 65_536;
const pairsMax = 8_192;
const pairBytes = 8;
/** So many targets are looked at together, also behind the last one. */
const step = 4;

const compactAt = 0;
const pairsAt = compactAt + (1 << step) * 16;
const firstDaysAt = pairsAt + (pairsMax + step) * pairBytes;
const lastDaysAt = firstDaysAt + daysMax * 4;
const lanesAt = lastDaysAt + daysMax * 4;

/** Beyond it the memory goes with the sweep: what lies idle counts as memory of the run. */
const bytesKeptMax = 64 * 1024 * 1024;

/** Memory for so many sources and targets, until the next call. A thread sweeps one pair of sides at a time. */
export const sweepMemory = (sourceCount: number, targetCount: number): SweepMemory => {
  const lowsAt = lanesAt;
  const highsAt = lowsAt + sourceCount * 8;
  const otherLowsAt = highsAt + sourceCount * 8;
  const rowsAt = otherLowsAt + targetCount * 8 + step * 8;
  const otherRowsAt = rowsAt + sourceCount * 4;
  const daysAt = otherRowsAt + targetCount * 4 + step * 4;
  const otherDaysAt = daysAt + sourceCount * 2;
  const end = otherDaysAt + targetCount * 2 + step * 2;
  const { memory, meet, found } = kernelFor(end);
  const { buffer } = memory;
  const pairs = new Uint32Array(buffer, pairsAt, pairsMax * 2);
  return {
    sources: {
      lows: new Float64Array(buffer, lowsAt, sourceCount),
      highs: new Float64Array(buffer, highsAt, sourceCount),
      rows: new Uint32Array(buffer, rowsAt, sourceCount),
      days: new Uint16Array(buffer, daysAt, sourceCount),
    },
    targets: {
      lows: new Float64Array(buffer, otherLowsAt, targetCount),
      rows: new Uint32Array(buffer, otherRowsAt, targetCount),
      days: new Uint16Array(buffer, otherDaysAt, targetCount),
    },
    firstDays: new Int32Array(buffer, firstDaysAt, daysMax),
    lastDays: new Int32Array(buffer, lastDaysAt, daysMax),
    meet: (start, last, begin, beyond, daysPerLane, pair) => {
      found.take = (count) => handOver(pairs, count, pair);
      found.take(meet(start, last, begin, beyond, daysPerLane, highsAt, rowsAt, daysAt, otherLowsAt, otherRowsAt, otherDaysAt));
    },
  };
};

const handOver = (pairs: Uint32Array, count: number, pair: Pair): void => {
  for (let index = 0; index < count; index += 1) pair(pairs[2 * index] as number, pairs[2 * index + 1] as number);
};

const createKernel = () => {
  const found = { take: (_count: number): void => {} };
  const memory = createMemory(lanesAt);
  const { meet } = compile({ meet: meetCode() })(memory, (count) => found.take(count));
  // Which of four words are there, as the bytes that bring them to the front.
  const compact = new Uint8Array(memory.buffer, compactAt, (1 << step) * 16);
  for (let bits = 0; bits < 1 << step; bits += 1) {
    const words = [0, 1, 2, 3].filter((word) => (bits >>> word) & 1);
    for (const [place, word] of words.entries())
      for (let byte = 0; byte < 4; byte += 1) compact[bits * 16 + place * 4 + byte] = word * 4 + byte;
  }
  return { memory, meet, found };
};
const kernelFor = createWorkspaces(createKernel, bytesKeptMax);

const meetCode = () => {
  const { parameters, local, toCode } = createFunction(11);
  const [at, end, begin, beyond, daysPerLane, highs, rows, days, otherLows, otherRows, otherDays] = parameters as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [day, first, last, target, into] = [local('i32'), local('i32'), local('i32'), local('i32'), local('i32')];
  const [atMost, below, within, isMore] = [local('i32'), local('i32'), local('i32'), local('i32')];
  const [least, most, lows, higher, found, one] = [
    local('v128'),
    local('v128'),
    local('v128'),
    local('v128'),
    local('v128'),
    local('v128'),
  ];
  const fourWords = v128.of(...[0, 1, 2, 3].flatMap((word) => [word, 0, 0, 0]));
  const fourFrom = (byte: number): number[] => [byte, byte + 1, byte + 2, byte + 3];
  const times = (index: Code, bits: number): Code => i32.shiftLeft(index, i32.of(bits));
  const place = (column: Code, index: Code, bits: number): Code => i32.add(column, times(index, bits));
  /** Of the four amounts those for which it holds, the first in the lowest bit. */
  const bitsOf = (holds: (amounts: Code) => Code): Code =>
    i32.or(f64x2.highestBits(holds(lows.get)), times(f64x2.highestBits(holds(higher.get)), 2));
  const isInLane = i32x4.highestBits(i32x4.isGreater(i32x4.fill(i32.subtract(beyond.get, target.get)), fourWords));
  const isInTime = i32x4.highestBits(
    i32x4.isAtMost(
      i32x4.subtract(v128.loadHalves(0, place(otherDays.get, target.get, 1)), i32x4.fill(first.get)),
      i32x4.fill(i32.subtract(last.get, first.get)),
    ),
  );
  const count = i32.shiftRight(i32.subtract(into.get, i32.of(pairsAt)), i32.of(3));
  // The source with each of the two first words that were found, and with each of the two others.
  const paired = (word: number): Code =>
    i8x16.choose([0, 1, 2, 3, ...fourFrom(16 + 4 * word), 0, 1, 2, 3, ...fourFrom(20 + 4 * word)], one.get, found.get);

  return toCode(
    into.set(i32.of(pairsAt)),
    whileTrue(
      i32.and(i32.isLess(at.get, end.get), i32.isLess(begin.get, beyond.get)),
      day.set(times(i32.load16(0, place(days.get, at.get, 1)), 2)),
      first.set(i32.load(firstDaysAt, day.get)),
      last.set(i32.load(lastDaysAt, day.get)),
      when(
        i32.and(i32.isAtLeast(last.get, i32.of(0)), i32.isLess(first.get, daysPerLane.get)),
        least.set(v128.fillDoubles(lanesAt, times(at.get, 3))),
        most.set(v128.fillDoubles(0, place(highs.get, at.get, 3))),
        one.set(v128.fillWords(0, place(rows.get, at.get, 2))),
        target.set(begin.get),
        repeatWhile(
          isMore.get,
          lows.set(v128.load(0, place(otherLows.get, target.get, 3))),
          higher.set(v128.load(16, place(otherLows.get, target.get, 3))),
          within.set(isInLane),
          atMost.set(
            i32.and(
              bitsOf((amounts) => f64x2.isAtMost(amounts, most.get)),
              within.get,
            ),
          ),
          below.set(
            i32.and(
              bitsOf((amounts) => f64x2.isLess(amounts, least.get)),
              within.get,
            ),
          ),
          begin.set(i32.add(begin.get, i32.countOnes(below.get))),
          within.set(i32.and(i32.and(atMost.get, i32.xor(below.get, i32.of(15))), isInTime)),
          found.set(i8x16.pick(v128.load(0, place(otherRows.get, target.get, 2)), v128.load(compactAt, times(within.get, 4)))),
          v128.store(0, into.get, paired(0)),
          v128.store(16, into.get, paired(2)),
          into.set(i32.add(into.get, times(i32.countOnes(within.get), 3))),
          when(i32.isLess(i32.of(pairsAt + (pairsMax - step) * pairBytes), into.get), tell(count), into.set(i32.of(pairsAt))),
          target.set(i32.add(target.get, i32.of(step))),
          // All that are below the window are at most its end too.
          isMore.set(i32.and(atMost.get, i32.of(1 << (step - 1)))),
        ),
      ),
      at.set(i32.add(at.get, i32.of(1))),
    ),
    count,
  );
};
