/**
 * Which rows may share their id with others. Nearly all ids occur once, and most of them show it by a bit that no other id has, of
 * four for every row, so that the bits stay in a processor's cache. Those that do not are asked twice more, by other parts of their
 * hashes, and hardly one is left that shares nothing. It runs once for each side, where JavaScript is compiled for as long as it runs, so it is WebAssembly.
 */
import {
  type Code,
  compile,
  createFunction,
  createMemory,
  i32,
  i64,
  type Local,
  type Memory,
  repeatWhile,
  when,
} from '@settler/wasm/module';
import type { TextColumn } from './columns/text-column.ts';

/** Of each row that has an id: the row, and the id's hash. */
const entryBytes = 8;
const hashAt = 4;

const factor = i64.of(-0x61c8_8646_80b5_83ebn);

const advance = (place: Local, by: Code): Code => place.set(i32.add(place.get, by));

/** From the offsets of rows, and what makes addresses of them, to entries; answers where these end. */
const hashCode = () => {
  const { parameters, local, toCode } = createFunction(5);
  const [offsets, shift, row, rowsEnd, into] = parameters as [Local, Local, Local, Local, Local];
  const [at, end, word, hash] = [local('i32'), local('i32'), local('i64'), local('i64')];
  const addressAt = (offset: number): Code => i32.add(i32.load(offset, offsets.get), shift.get);
  const isRest = i32.isBelow(i32.subtract(end.get, at.get), i32.of(8));
  const bitsBehind = i64.fromInteger(i32.subtract(i32.of(64), i32.shiftLeft(i32.subtract(end.get, at.get), i32.of(3))));
  const hashId = [
    ...hash.set(i64.fromInteger(i32.subtract(end.get, at.get))),
    ...repeatWhile(
      i32.isLess(at.get, end.get),
      word.set(i64.load(0, at.get)),
      // What lies behind the id is shifted out.
      when(isRest, word.set(i64.shiftLeft(word.get, bitsBehind))),
      hash.set(i64.multiply(i64.xor(hash.get, word.get), factor)),
      hash.set(i64.xor(hash.get, i64.shiftRight(hash.get, i64.of(32n)))),
      advance(at, i32.of(8)),
    ),
  ];
  return toCode(
    repeatWhile(
      i32.isBelow(row.get, rowsEnd.get),
      at.set(addressAt(0)),
      end.set(addressAt(4)),
      when(
        i32.isUnequal(at.get, end.get),
        hashId,
        i32.store(0, into.get, row.get),
        // The upper half of a product is where all bits of the factors meet.
        i32.store(hashAt, into.get, i64.toInteger(i64.shiftRight(i64.multiply(hash.get, factor), i64.of(32n)))),
        advance(into, i32.of(entryBytes)),
      ),
      advance(offsets, i32.of(4)),
      advance(row, i32.of(1)),
    ),
    into.get,
  );
};

/** Bits that were met, and beside each word of them those that were met again. */
const pairBytes = 8;
const againAt = 4;
const bitsPerPair = 32;

/** What both that go over entries begin with: the pair, and the bit in it, that a rotated hash leads to when so many bits of it are shifted out. */
const sieving = (bodyOf: (entry: Local, into: Local, pair: Local, bit: Local) => readonly Code[]) => {
  const { parameters, local, toCode } = createFunction(6);
  const [entry, entriesEnd, into, table, rotation, unused] = parameters as [Local, Local, Local, Local, Local, Local];
  const [place, pair, bit] = [local('i32'), local('i32'), local('i32')];
  return toCode(
    repeatWhile(
      i32.isBelow(entry.get, entriesEnd.get),
      place.set(i32.shiftRight(i32.rotateLeft(i32.load(hashAt, entry.get), rotation.get), unused.get)),
      pair.set(i32.add(table.get, i32.shiftLeft(i32.shiftRight(place.get, i32.of(5)), i32.of(3)))),
      // Of the shift only five bits count.
      bit.set(i32.shiftLeft(i32.of(1), place.get)),
      ...bodyOf(entry, into, pair, bit),
      advance(entry, i32.of(entryBytes)),
    ),
    into.get,
  );
};

const markCode = () =>
  sieving((_entry, _into, pair, bit) => [
    i32.store(againAt, pair.get, i32.or(i32.load(againAt, pair.get), i32.and(i32.load(0, pair.get), bit.get))),
    i32.store(0, pair.get, i32.or(i32.load(0, pair.get), bit.get)),
  ]);

/** Copies the entries whose bits were met again, and answers where the copies end. */
const keepCode = () =>
  sieving((entry, into, pair, bit) => [
    i32.store(0, into.get, i32.load(0, entry.get)),
    i32.store(hashAt, into.get, i32.load(hashAt, entry.get)),
    when(i32.and(i32.load(againAt, pair.get), bit.get), advance(into, i32.of(entryBytes))),
  ]);

const instantiate = compile({ hash: hashCode(), mark: markCode(), keep: keepCode() });

const pageBytes = 64 * 1024;
const rowsPerCall = 4096;

/** Beyond it memory goes back to the system: one large run must not hold it for all the small ones. */
const bytesKeptMax = 32 * 1024 * 1024;

type Workspace = { readonly memory: Memory; readonly run: ReturnType<typeof instantiate> };
let kept: Workspace | undefined;

const growTo = (memory: Memory, bytes: number): void => {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
};

/** That of the last side where there is one: the system would have to find and clear all of another. What is in it is in the way of nothing. */
const lend = (bytes: number): Workspace => {
  const memory = kept?.memory ?? createMemory(1);
  const workspace = kept ?? { memory, run: instantiate(memory) };
  growTo(memory, bytes);
  kept = memory.buffer.byteLength > bytesKeptMax ? undefined : workspace;
  return workspace;
};

/** Ids are hashed a word at a time, also where less is left. */
const wordBytes = 8;

const bitsFor = (rows: number): number => Math.min(31, Math.max(10, Math.ceil(Math.log2(rows * 4))));

/** Of a million rows as many as share something, and a few hundred more. In order. */
export const rowsThatMayShare = ({ bytes, offsets }: TextColumn): Uint32Array => {
  const length = offsets.length - 1;
  const bits = bitsFor(length);
  const tableBytes = (2 ** bits / bitsPerPair) * pairBytes;
  const entriesAt = tableBytes;
  const offsetsAt = entriesAt + length * entryBytes;
  const textsAt = offsetsAt + (rowsPerCall + 1) * 4;
  const { memory, run } = lend(textsAt + wordBytes);

  let end = entriesAt;
  for (let row = 0; row < length; row += rowsPerCall) {
    const last = Math.min(length, row + rowsPerCall);
    const [from, to] = [offsets[row] as number, offsets[last] as number];
    growTo(memory, textsAt + to - from + wordBytes);
    new Uint32Array(memory.buffer, offsetsAt, rowsPerCall + 1).set(offsets.subarray(row, last + 1));
    new Uint8Array(memory.buffer, textsAt).set(bytes.subarray(from, to));
    end = run.hash(offsetsAt, textsAt - from, row, last, end);
  }
  // In pieces, because a call ends in the code that it began in, and the first ones begin in code that was not optimized yet.
  for (const rotation of [0, 11, 21]) {
    const step = entryBytes * rowsPerCall;
    new Uint8Array(memory.buffer, 0, tableBytes).fill(0);
    for (let at = entriesAt; at < end; at += step) run.mark(at, Math.min(end, at + step), at, 0, rotation, 32 - bits);
    let kept = entriesAt;
    for (let at = entriesAt; at < end; at += step) kept = run.keep(at, Math.min(end, at + step), kept, 0, rotation, 32 - bits);
    end = kept;
  }
  return new Uint32Array(memory.buffer, entriesAt, (end - entriesAt) / 4).filter((_, index) => index % 2 === 0);
};
