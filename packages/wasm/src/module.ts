/**
 * As much of WebAssembly as our kernels need, written down as bytes: an instruction is what its operands leave on the stack and then
 * its code. Opcodes and sections are those of the core specification 2.0, chapter 5. A module is made of it when it is
 * first used, so that there is neither a step to build it nor a file that nobody can read.
 */

export type Code = readonly number[];

const unsigned = (value: number): Code => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]);
const signed = (value: number): Code => (value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]);
const signedLong = (value: bigint): Code =>
  value >= -0x40n && value < 0x40n ? [Number(value & 0x7fn)] : [Number(value & 0x7fn) | 0x80, ...signedLong(value >> 7n)];

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
  /** One byte or two, without a sign. */
  load8: memory(0x2d),
  load16: memory(0x2f),
  store: memory(0x36),
  store8: memory(0x3a),
  isZero: plain(0x45),
  isEqual: plain(0x46),
  isUnequal: plain(0x47),
  isLess: plain(0x48),
  /** Of numbers without a sign, as addresses are. */
  isBelow: plain(0x49),
  isAtLeast: plain(0x4e),
  trailingZeros: plain(0x68),
  countOnes: plain(0x69),
  add: plain(0x6a),
  subtract: plain(0x6b),
  multiply: plain(0x6c),
  and: plain(0x71),
  or: plain(0x72),
  xor: plain(0x73),
  shiftLeft: plain(0x74),
  /** Zeros come in. */
  shiftRight: plain(0x76),
  rotateLeft: plain(0x77),
};

export const i64 = {
  of: (value: bigint): Code => [0x42, ...signedLong(value)],
  load: memory(0x29),
  isZero: plain(0x50),
  trailingZeros: plain(0x7a),
  and: plain(0x83),
  xor: plain(0x85),
  multiply: plain(0x7e),
  shiftLeft: plain(0x86),
  /** Zeros come in. */
  shiftRight: plain(0x88),
  /** Of a number of 32 bits without a sign, and back to its lower half. */
  fromInteger: plain(0xad),
  toInteger: plain(0xa7),
};

export const f64 = {
  of: (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  store: memory(0x39),
  add: plain(0xa0),
  subtract: plain(0xa1),
  multiply: plain(0xa2),
  fromInteger: plain(0xb7),
};

/** The first operand where the third is not 0, else the second. */
export const either: Instruction = plain(0x1b);

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
  /** Of numbers without a sign, as those of the other comparison are. */
  isAtMost: simd(0x2a),
  isAtLeast: simd(0x2c),
  countOnes: simd(0x62),
  areAllTrue: simd(0x63),
  /** The highest bit of each of the sixteen, in one number. */
  highestBits: simd(0x64),
  subtract: simd(0x71),
};
export const i16x8 = {
  addPairs: simd(0x7c),
  shiftRight: simd(0x8d),
  add: simd(0x8e),
  multiply: simd(0x95),
};
export const i32x4 = {
  /** One of the four. */
  lane: (lane: number, words: Code): Code => [...simd(0x1b)(words), lane],
  /** Of pairs of sixteen bits, multiplied and added. */
  addProducts: simd(0xba),
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

/**
 * Where `branch` goes: with 0 to the innermost block, loop or `when` around it, with 1 to the one around that. From a loop it goes to the
 * beginning, from all others to the end; a loop that comes to its end is over.
 */
export const block = (...body: readonly Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b];
export const loop = (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b];
export const branch = (outwards: number): Code => [0x0c, outwards];
export const branchIf = (outwards: number, condition: Code): Code => [...condition, 0x0d, outwards];

export interface Local {
  readonly get: Code;
  readonly set: (value: Code) => Code;
}

const types = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };

/** Tells whoever uses the module a 32-bit integer, in the middle of a function. */
export const tell = (value: Code): Code => [...value, 0x10, 0];

/** A function of so many 32-bit integers, which leaves what it finds in the memory. */
export const createFunction = (parameterCount: number) => {
  const declared: number[] = [];
  const local = (index: number): Local => ({
    get: [0x20, ...unsigned(index)],
    set: (value) => [...value, 0x21, ...unsigned(index)],
  });
  return {
    parameters: Array.from({ length: parameterCount }, (_, index) => local(index)),
    local: (type: keyof typeof types): Local => local(parameterCount + declared.push(types[type]) - 1),
    /** The body ends with a 32-bit integer, which the function answers. */
    toCode: (...body: readonly Code[]): FunctionCode => ({
      parameterCount,
      code: sized([...list(declared.map((type) => [1, type])), ...body.flat(), 0x0b]),
    }),
  };
};

/** A function for `compile`. */
export interface FunctionCode {
  readonly parameterCount: number;
  readonly code: Code;
}

const list = (entries: readonly Code[]): Code => [...unsigned(entries.length), ...entries.flat()];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const section = (id: number, ...entries: readonly Code[]): Code => [id, ...sized(list(entries))];
const name = (text: string): Code => sized([...text].map((letter) => letter.charCodeAt(0)));

/** Pages of 64 KB. What was made of `buffer` before it grew has nothing in it any more. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

/** A global of Node and of browsers, which the types of neither are loaded for. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const pageBytes = 0x10000;

/** Of at least so many bytes. */
export const createMemory = (bytes: number): Memory => new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });

/** Where there is not room for so many bytes, more of it. */
export const reserve = (memory: Memory, bytes: number): void => {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
};

/** Functions that each answer a number, compiled once, for as many memories as there are to work on. */
export const compile = <Name extends string>(functions: Readonly<Record<Name, FunctionCode>>) => {
  const all = Object.entries<FunctionCode>(functions);
  const telling: Code = [0x60, ...list([[types.i32]]), ...list([])];
  const module = new WebAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(
        1,
        telling,
        ...all.map(([, { parameterCount }]) => [0x60, ...list(Array(parameterCount).fill([types.i32])), ...list([[types.i32]])]),
      ),
      ...section(2, [...name('outside'), ...name('memory'), 0x02, 0x00, 0], [...name('outside'), ...name('tell'), 0x00, 0]),
      // The first type and the first function are those of telling.
      ...section(3, ...all.map((_, index) => unsigned(1 + index))),
      ...section(7, ...all.map(([exported], index) => [...name(exported), 0x00, ...unsigned(1 + index)])),
      ...section(10, ...all.map(([, { code }]) => code)),
    ]),
  );
  return (memory: Memory, told: (value: number) => void = () => {}) =>
    new WebAssembly.Instance(module, { outside: { memory, tell: told } }).exports as Readonly<
      Record<Name, (...parameters: number[]) => number>
    >;
};
