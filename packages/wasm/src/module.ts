/**
 * As much of WebAssembly as our kernels need, written down as bytes: an instruction is what its operands leave on the stack and then
 * its code. Opcodes and sections are those of the core specification 2.0, chapter 5. A module is made of it when it is
 * first used, so that there is neither a step to build it nor a file that nobody can read.
 */

export type Code = readonly number[];

const unsigned = (value: number): Code => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]);
const signed = (value: number): Code => (value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]);

type Instruction = (...operands: readonly Code[]) => Code;
const plain =
  (...opcode: Code): Instruction =>
  (...operands) => [...operands.flat(), ...opcode];
const simd = (opcode: number): Instruction => plain(0xfd, ...unsigned(opcode));
/** The address is the first operand, to which `offset` is added. Nothing is promised of its alignment. */
const memory =
  (...opcode: Code) =>
  (offset: number, ...operands: readonly Code[]): Code => [...operands.flat(), ...opcode, 0, ...unsigned(offset)];

export const i32 = {
  of: (value: number): Code => [0x41, ...signed(value)],
  load: memory(0x28),
  loadByte: memory(0x2d),
  loadHalf: memory(0x2f),
  store: memory(0x36),
  storeByte: memory(0x3a),
  isZero: plain(0x45),
  isEqual: plain(0x46),
  isLess: plain(0x48),
  /** Of numbers without a sign, as addresses are. */
  isBelow: plain(0x49),
  isAtLeast: plain(0x4e),
  trailingZeros: plain(0x68),
  countOnes: plain(0x69),
  add: plain(0x6a),
  subtract: plain(0x6b),
  and: plain(0x71),
  or: plain(0x72),
  xor: plain(0x73),
  shiftLeft: plain(0x74),
  /** Of a number without a sign. */
  shiftRight: plain(0x76),
};

const sixteen = (bytes: readonly number[]): Code => {
  if (bytes.length !== 16) throw new Error(`a vector has sixteen bytes, not ${bytes.length}`);
  return bytes;
};

export const v128 = {
  of: (...bytes: readonly number[]): Code => [0xfd, 0x0c, ...sixteen(bytes)],
  load: memory(0xfd, 0x00),
  /** Four halves of words, which become words. */
  loadHalves: memory(0xfd, 0x04),
  /** The same word four times, or the same double twice. */
  fillWords: memory(0xfd, 0x09),
  fillDoubles: memory(0xfd, 0x0a),
  /** Into the first of four words; the others become 0. */
  loadFirst: memory(0xfd, 0x5c),
  /** Into one of the four words of what is the last operand. */
  loadInto: (word: number, offset: number, address: Code, words: Code): Code => [...memory(0xfd, 0x56)(offset, address, words), word],
  store: memory(0xfd, 0x0b),
  and: simd(0x4e),
  /** The bits of the first operand that the second has not. */
  without: simd(0x4f),
  or: simd(0x50),
  xor: simd(0x51),
  isAny: simd(0x53),
};

export const i8x16 = {
  /** Those of two vectors, one after the other, that the numbers say. */
  choose: (places: readonly number[], one: Code, other: Code): Code => [...one, ...other, 0xfd, 0x0d, ...sixteen(places)],
  /** Those of the first vector that the second says. */
  pick: simd(0x0e),
  fill: simd(0x0f),
  isEqual: simd(0x23),
  countOnes: simd(0x62),
  /** The highest bit of each of the sixteen, in one number. */
  highestBits: simd(0x64),
  subtract: simd(0x71),
};
export const i16x8 = { addPairs: simd(0x7c) };
export const i32x4 = {
  addPairs: simd(0x7e),
  fill: simd(0x11),
  isGreater: simd(0x3b),
  /** Of numbers without a sign. */
  isAtMost: simd(0x3e),
  /** Of each of the four, in one number. */
  highestBits: simd(0xa4),
  shiftLeft: simd(0xab),
  add: simd(0xae),
  subtract: simd(0xb1),
  larger: simd(0xb8),
};
/** Comparing answers all bits of what holds. */
export const f64x2 = {
  isLess: simd(0x49),
  isAtMost: simd(0x4b),
  /** Of each of the two, in one number. */
  highestBits: simd(0xc4),
};

/** Once, and again for as long as the condition holds at the end. */
export const repeatWhile = (condition: Code, ...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0, 0x0b];

/** For as long as the condition holds, which may be not once. */
export const whileTrue = (condition: Code, ...body: readonly Code[]): Code => when(condition, repeatWhile(condition, ...body));

export const when = (condition: Code, ...body: readonly Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];

export interface Local {
  readonly get: Code;
  readonly set: (value: Code) => Code;
}

const types = { i32: 0x7f, v128: 0x7b };

/** A function of so many 32-bit integers, which leaves what it finds in the memory. */
export const createFunction = (parameterCount: number) => {
  const declared: number[] = [];
  let isTelling = false;
  const local = (index: number): Local => ({
    get: [0x20, ...unsigned(index)],
    set: (value) => [...value, 0x21, ...unsigned(index)],
  });
  return {
    parameters: Array.from({ length: parameterCount }, (_, index) => local(index)),
    local: (type: keyof typeof types): Local => local(parameterCount + declared.push(types[type]) - 1),
    /** Calls what `createInstance` was given, with a 32-bit integer. */
    tell: (value: Code): Code => {
      isTelling = true;
      return [...value, 0x10, 0];
    },
    /**
     * A module that exports the function as `run`, and its memory, which begins with so many pages of 64 KB. The body ends with a
     * 32-bit integer, which it answers.
     */
    toModule: (pages: number, ...body: readonly Code[]): Uint8Array => {
      const run = [0x60, ...list(Array(parameterCount).fill([types.i32])), ...list([[types.i32]])];
      const tell = [0x60, ...list([[types.i32]]), ...list([])];
      return Uint8Array.from([
        ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        ...section(1, run, tell),
        ...(isTelling ? section(2, [...name('host'), ...name('tell'), 0x00, 1]) : []),
        ...section(3, [0]),
        ...section(5, [0x00, ...unsigned(pages)]),
        ...section(7, [...name('memory'), 0x02, 0], [...name('run'), 0x00, isTelling ? 1 : 0]),
        ...section(10, sized([...list(declared.map((type) => [1, type])), ...body.flat(), 0x0b])),
      ]);
    },
  };
};

const list = (entries: readonly Code[]): Code => [...unsigned(entries.length), ...entries.flat()];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const section = (id: number, ...entries: readonly Code[]): Code => [id, ...sized(list(entries))];
const name = (text: string): Code => sized([...text].map((letter) => letter.charCodeAt(0)));

interface Memory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => void;
}

/** A global of Node and of browsers, which the types of neither are loaded for. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

export const createInstance = (bytes: Uint8Array, tell: (value: number) => void = () => {}) => {
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { tell } }).exports as {
    memory: Memory;
    run: (...parameters: number[]) => number;
  };
  return {
    run,
    memory: memory.buffer,
    /** The memory with room for so many bytes, in place of what it was before. */
    reserve: (bytesNeeded: number): ArrayBuffer => {
      const pages = Math.ceil((bytesNeeded - memory.buffer.byteLength) / 0x10000);
      if (pages > 0) memory.grow(pages);
      return memory.buffer;
    },
  };
};
