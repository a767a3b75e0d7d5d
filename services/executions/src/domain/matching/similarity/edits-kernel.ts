/**
 * How many edits lie between one text and each of many, eight at a time: the bits of a column (Myers 1999, in Hyyrö's form of 2003) lie
 * in a lane of 32 bits, and four lanes in a register of WebAssembly's SIMD. Two registers take turns, because each step waits for the
 * one before. A lane whose text is over keeps what it has until the longest of the eight is over too.
 *
 * Of a million pairs of names it takes 75 to 85 ms, where two texts at a time in plain words of JavaScript took 138 to 145 ms. Texts are
 * copied into the memory, because there the letters of eight of them are looked up without a check of bounds for each.
 */
import {
  type Code,
  compile,
  createFunction,
  createMemory,
  i8x16,
  i16x8,
  i32,
  i32x4,
  type Local,
  repeatWhile,
  v128,
} from '@settler/wasm/module';
import type { Letters } from './letters.ts';

/** Texts that are compared with one at a time. */
export const lanesMax = 256;

/** A text is up to 32 addresses, those of the places of its letters, and its own address has room for its length. */
const textBytes = 4 * 32;
const lengthBits = textBytes - 1;
/** Texts that are kept in the memory, 1 MB of them: blocks that are compared one after another find most of theirs there. */
const copiesMax = 8 * 1024;

const othersAt = 0;
const foundAt = othersAt + 4 * lanesMax;
/** Where each letter stands in the one text, as bits; all 0 between two runs. */
const placesAt = foundAt + 4 * lanesMax;
const copiesAt = placesAt + 4 * 0x10000;

const emptyText = copiesAt;

export interface EditsKernel {
  /** Where a text lies, for `others`; copied if it is not there any more. */
  readonly keep: (letters: Letters) => number;
  readonly others: Int32Array;
  /** Compares a text of 1 to 32 units with the first `count` of the others. */
  readonly run: (one: Letters, count: number) => void;
  /** Of each of the others, as `longerIn` and `editsIn` read it. */
  readonly found: Int32Array;
}

/** What is found is two numbers in one, to be looked up by: the longer length and the edits. */
const editsBits = 6;
export const longerIn = (found: number): number => found >> editsBits;
export const editsIn = (found: number): number => found & ((1 << editsBits) - 1);
export const foundMax = (32 << editsBits) | 32;

/** One for each thread, whatever number of conditions it judges. */
export const editsKernel = (): EditsKernel => {
  current ??= createKernel();
  return current;
};
let current: EditsKernel | undefined;

const createKernel = (): EditsKernel => {
  const memory = createMemory(copiesAt + copiesMax * textBytes);
  const { edits } = compile({ edits: editsCode() })(memory);
  const others = new Int32Array(memory.buffer, othersAt, lanesMax);
  const copies = new Int32Array(memory.buffer, copiesAt, (copiesMax * textBytes) / 4);
  // None of those that are still waiting to be compared may be overwritten.
  const freshMax = copiesMax - 2 * lanesMax;
  let copied = 0;

  const copy = (letters: Letters): void => {
    const { units, from, to } = letters;
    const at = ((copied & (copiesMax - 1)) * textBytes) / 4;
    for (let index = from; index < to; index += 1) copies[at + index - from] = 4 * (units[index] as number);
    letters.copy = copied;
    copied += 1;
  };
  const keep = (letters: Letters): number => {
    if (copied - letters.copy > freshMax) copy(letters);
    return (copiesAt + (letters.copy & (copiesMax - 1)) * textBytes) | (letters.to - letters.from);
  };
  return {
    keep,
    others,
    found: new Int32Array(memory.buffer, foundAt, lanesMax),
    run: (one, count) => {
      for (let lane = count; lane % lanes !== 0; lane += 1) others[lane] = emptyText;
      const length = one.to - one.from;
      edits(keep(one) & ~lengthBits, length, -1 >>> (32 - length), 4 * count);
    },
  };
};

const registers = 2;
const lanes = 4 * registers;

const editsCode = () => {
  const { parameters, local, toCode } = createFunction(4);
  const [one, length, rows, bytes] = parameters as [Local, Local, Local, Local];
  const [unit, bit, at] = [local('i32'), local('i32'), local('i32')];
  const [step, single] = [local('v128'), local('v128')];
  const group = Array.from({ length: registers }, (_, register) => ({
    offset: 16 * register,
    texts: Array.from({ length: 4 }, () => local('i32')),
    lengths: local('v128'),
    isOn: local('v128'),
    more: local('v128'),
    less: local('v128'),
    equal: local('v128'),
    diagonal: local('v128'),
    still: local('v128'),
  }));
  type Register = (typeof group)[number];

  const advance = (text: Local, units: number): Code => text.set(i32.add(text.get, i32.of(4 * units)));
  const place = (text: Local, unit = 0): Code => i32.load(4 * unit, text.get);
  // Four units a turn: what lies behind a text until then is some older one's, and its bits lie above those that count.
  const turn = [0, 1, 2, 3];
  const eachTurn = (...body: readonly Code[]) => [
    ...unit.set(one.get),
    ...repeatWhile(i32.isLess(unit.get, i32.add(one.get, i32.shiftLeft(length.get, i32.of(2)))), ...body, advance(unit, turn.length)),
  ];
  const mark = [
    ...bit.set(i32.of(1)),
    ...eachTurn(
      ...turn.map((next) =>
        i32.store(placesAt, place(unit, next), i32.or(i32.load(placesAt, place(unit, next)), i32.shiftLeft(bit.get, i32.of(next)))),
      ),
      bit.set(i32.shiftLeft(bit.get, i32.of(turn.length))),
    ),
  ];
  const wipe = eachTurn(...turn.map((next) => i32.store(placesAt, place(unit, next), i32.of(0))));

  const begin = ({ offset, texts, lengths, isOn, more, less }: Register) => [
    ...texts.flatMap((text, lane) => text.set(i32.and(i32.load(othersAt + offset + 4 * lane, at.get), i32.of(~lengthBits)))),
    ...lengths.set(v128.and(v128.load(othersAt + offset, at.get), i32x4.fill(i32.of(lengthBits)))),
    ...isOn.set(i32x4.isGreater(lengths.get, i32x4.fill(i32.of(0)))),
    ...more.set(i32x4.fill(i32.of(-1))),
    ...less.set(i32x4.fill(i32.of(0))),
  ];
  const advanceBy =
    (unit: number) =>
    ({ texts, lengths, isOn, more, less, equal, diagonal, still }: Register) => [
      ...equal.set(
        texts.reduce<Code>(
          (words, text, word) =>
            word === 0 ? v128.loadFirst(placesAt, place(text, unit)) : v128.loadInto(word, placesAt, place(text, unit), words),
          [],
        ),
      ),
      // Of a lane that is over no letter is equal, and nothing is shifted: it stays as it is.
      ...equal.set(v128.and(equal.get, isOn.get)),
      ...diagonal.set(v128.or(v128.or(v128.xor(i32x4.add(v128.and(equal.get, more.get), more.get), more.get), equal.get), less.get)),
      ...still.set(v128.without(v128.or(diagonal.get, more.get), less.get)),
      ...still.set(i32x4.add(still.get, v128.and(still.get, isOn.get))),
      ...more.set(v128.or(i32x4.shiftLeft(v128.and(diagonal.get, more.get), i32.of(1)), v128.without(still.get, diagonal.get))),
      ...less.set(v128.without(diagonal.get, still.get)),
      ...isOn.set(i32x4.isGreater(lengths.get, step.get)),
    ];
  // Down the last column, from its top, which is as far as the text is long.
  const end = ({ offset, lengths, more, less }: Register) => {
    const ones = (bits: Local) => i8x16.countOnes(v128.and(bits.get, i32x4.fill(rows.get)));
    const edits = i32x4.add(lengths.get, i32x4.addPairs(i16x8.addPairs(i8x16.subtract(ones(more), ones(less)))));
    const longer = i32x4.larger(lengths.get, i32x4.fill(length.get));
    return v128.store(foundAt + offset, at.get, v128.or(i32x4.shiftLeft(longer, i32.of(editsBits)), edits));
  };

  return toCode(
    mark,
    single.set(i32x4.fill(i32.of(1))),
    at.set(i32.of(0)),
    repeatWhile(
      i32.isLess(at.get, bytes.get),
      ...group.map(begin),
      step.set(single.get),
      repeatWhile(
        v128.isAny(group.map(({ isOn }) => isOn.get).reduce((some, isOn) => v128.or(some, isOn))),
        ...[0, 1].flatMap((unit) => [...group.map(advanceBy(unit)), step.set(i32x4.add(step.get, single.get))]),
        ...group.flatMap(({ texts }) => texts.map((text) => advance(text, 2))),
      ),
      ...group.map(end),
      at.set(i32.add(at.get, i32.of(4 * lanes))),
    ),
    wipe,
    at.get,
  );
};
