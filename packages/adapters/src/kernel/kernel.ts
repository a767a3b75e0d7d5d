/**
 * What is done for each cell, in WebAssembly: its loops check no bounds, have vectors, and are compiled in a moment, where JavaScript's
 * are optimized while most of a file goes by. It does what is plain and leaves the rest to JavaScript, so that it needs to
 * know nothing of what a mapping can ask for. Each reader has a memory of its own, because they take turns.
 */
import { compile, createMemory, reserve as reserveBytes } from '@settler/wasm/module';
import { amountsCode } from './amounts.ts';
import { cellsCode } from './cells.ts';
import { currenciesCode } from './currencies.ts';
import { dayPlaceCode, daysCode, knownDaysBytes } from './days.ts';
import { agreeingCode, exponentPlaces } from './exponents.ts';
import { stopsCode } from './stops.ts';
import { copyBytes, textsCode, traits } from './texts.ts';

const instantiate = compile({
  stops: stopsCode(),
  cells: cellsCode(),
  texts: textsCode(),
  amounts: amountsCode(),
  currencies: currenciesCode(),
  days: daysCode(),
  dayPlace: dayPlaceCode(),
  agreeing: agreeingCode(),
});

export interface Kernel {
  readonly run: ReturnType<typeof instantiate>;
  /** The whole memory: addresses are indexes. Another one once something was reserved. */
  bytes: Buffer;
  /** Where there is room for the values of `rowsPerCall` rows, and for so many bytes of their texts, until the next call. */
  readonly values: number;
  readonly texts: number;
  /** What functions look things up in. */
  readonly traits: number;
  readonly knownDays: number;
  readonly knownExponents: number;
  /** Memory for good, at an address of whole words. More of it, for what has grown, is elsewhere. */
  readonly reserve: (bytes: number) => number;
}

export const rowsPerCall = 4096;
export const textBytesPerCall = 64 * 1024;

const alignment = 16;

export const createKernel = (): Kernel => {
  const memory = createMemory(1024 * 1024);
  // Something is before everything, to be read together with what begins there.
  let used = copyBytes;
  const reserve = (bytes: number): number => {
    const address = used;
    used = Math.ceil((used + bytes) / alignment) * alignment;
    const { buffer } = memory;
    reserveBytes(memory, used + copyBytes);
    if (memory.buffer !== buffer) kernel.bytes = Buffer.from(memory.buffer);
    return address;
  };
  const kernel: Kernel = {
    run: instantiate(memory),
    bytes: Buffer.from(memory.buffer),
    values: reserve(8 * rowsPerCall),
    texts: reserve(textBytesPerCall + copyBytes),
    traits: reserve(traits.length),
    knownDays: reserve(knownDaysBytes),
    knownExponents: reserve(4 * exponentPlaces),
    reserve,
  };
  kernel.bytes.set(traits, kernel.traits);
  // Nothing is known, not even that what is no currency has no decimals.
  kernel.bytes.fill(0xff, kernel.knownExponents, kernel.knownExponents + 4 * exponentPlaces);
  return kernel;
};

type NumberArray = Float64Array | Int32Array | Uint32Array;

/** Numbers in the memory, until it grows. */
export const numbersAt = <Values extends NumberArray>(
  { bytes }: Kernel,
  create: new (buffer: ArrayBufferLike, address: number, length: number) => Values,
  address: number,
  length: number,
): Values => new create(bytes.buffer, address, length);
