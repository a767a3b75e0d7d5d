/**
 * Memory for a moment, used again and again. Where it is fresh, the system finds and clears each page as it is first touched, which
 * costs more than a join spends on the rows that go into it. What is lent holds whatever was there before.
 */
import { type Memory, reserve } from '@settler/wasm/module';

const kept: ArrayBuffer[] = [];

/** Beyond it memory goes back to the system: what lies idle counts as memory of the run. */
const bytesKeptMax = 192 * 1024 * 1024;
const bytesMin = 64 * 1024;

/** What is many times too large is for somebody who needs it. */
const timesTooLarge = 4;

const lend = (bytes: number): ArrayBuffer => {
  let best = -1;
  let bestBytes = Math.max(bytesMin, bytes * timesTooLarge) + 1;
  for (const [index, { byteLength }] of kept.entries()) {
    if (byteLength < bytes || byteLength >= bestBytes) continue;
    best = index;
    bestBytes = byteLength;
  }
  const [known] = best === -1 ? [] : kept.splice(best, 1);
  return known ?? new ArrayBuffer(roundedUp(bytes));
};

/** To one of a few sizes, so that what one has borrowed will do for the next. At most a quarter too much, which nobody touches. */
const roundedUp = (bytes: number): number => {
  if (bytes <= bytesMin) return bytesMin;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
};

export const lendWords = (length: number): Uint32Array<ArrayBuffer> => new Uint32Array(lend(length * 4), 0, length);
export const lendIntegers = (length: number): Int32Array<ArrayBuffer> => new Int32Array(lend(length * 4), 0, length);
export const lendShorts = (length: number): Int16Array<ArrayBuffer> => new Int16Array(lend(length * 2), 0, length);
export const lendBytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(lend(length), 0, length);
export const lendHalfWords = (length: number): Uint16Array<ArrayBuffer> => new Uint16Array(lend(length * 2), 0, length);
export const lendDoubles = (length: number): Float64Array<ArrayBuffer> => new Float64Array(lend(length * 8), 0, length);

/** For good: whoever gives an array back keeps no part of it. What is forgotten is the collector's. */
export const giveBack = (...arrays: readonly { readonly buffer: ArrayBuffer }[]): void => {
  for (const { buffer } of arrays) kept.push(buffer);
  let bytes = kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  while (bytes > bytesKeptMax) bytes -= kept.shift()?.byteLength ?? 0;
};

const forgets: (() => void)[] = [];

/**
 * A workspace in WebAssembly with memory for at least so many bytes, until the next call: that of the last one where there is one. One
 * that is larger than `bytesMax` is not kept.
 */
export const createWorkspaces = <Workspace extends { readonly memory: Memory }>(create: () => Workspace, bytesMax: number) => {
  let last: Workspace | undefined;
  const forget = (): void => {
    last = undefined;
  };
  forgets.push(forget);
  return (bytes: number): Workspace => {
    const workspace = last ?? create();
    reserve(workspace.memory, bytes);
    last = workspace.memory.buffer.byteLength > bytesMax ? undefined : workspace;
    return workspace;
  };
};

/** A run is over, and the next one may be small. */
export const forgetMemory = (): void => {
  kept.length = 0;
  for (const forget of forgets) forget();
};
