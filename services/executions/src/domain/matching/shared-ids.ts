/**
 * Which rows may share their id with others. Ids that rise from row to row, as many systems number their records, share nothing. Others
 * are hashed: nearly all ids occur once, and most of them show it by a bit that no other id has, of four for every row, so that
 * the bits stay in a processor's cache. Those that do not are asked twice more, by other parts of their hashes, and hardly one
 * is left that shares nothing. It runs once for each side, where JavaScript is compiled for as long as it runs, so it is
 * WebAssembly.
 */
import {
  block,
  branch,
  branchIf,
  type Code,
  compile,
  createFunction,
  createMemory,
  i32,
  i64,
  type Local,
  loop,
  repeatWhile,
  reserve,
  when,
} from '@settler/wasm/module';
import { createWorkspaces } from './columns/scratch.ts';
import type { TextColumn } from './columns/text-column.ts';

/** Of each row that has an id: the row, and the id's hash. */
const entryBytes = 8;
const hashAt = 4;

const factor = i64.of(-0x61c8_8646_80b5_83ebn);

const advance = (place: Local, by: Code): Code => place.set(i32.add(place.get, by));

/** Ids are read a word at a time, also where less is left. */
const wordBytes = 8;

/** How many bits of the last word of an id lie behind it. */
const bitsBehind = (at: Local, end: Local): Code =>
  i64.fromInteger(i32.subtract(i32.of(64), i32.shiftLeft(i32.subtract(end.get, at.get), i32.of(3))));

/** From the offsets of rows, and what makes addresses of them, to entries; answers where these end. */
const hashCode = () => {
  const { parameters, local, toCode } = createFunction(5);
  const [offsets, shift, row, rowsEnd, into] = parameters as [Local, Local, Local, Local, Local];
  const [at, end, word, hash] = [local('i32'), local('i32'), local('i64'), local('i64')];
  const addressAt = (offset: number): Code => i32.add(i32.load(offset, offsets.get), shift.get);
  const hashId = [
    ...hash.set(i64.fromInteger(i32.subtract(end.get, at.get))),
    ...repeatWhile(
      i32.isLess(at.get, end.get),
      word.set(i64.load(0, at.get)),
      when(i32.isBelow(i32.subtract(end.get, at.get), i32.of(wordBytes)), word.set(i64.shiftLeft(word.get, bitsBehind(at, end)))),
      hash.set(i64.multiply(i64.xor(hash.get, word.get), factor)),
      hash.set(i64.xor(hash.get, i64.shiftRight(hash.get, i64.of(32n)))),
      advance(at, i32.of(wordBytes)),
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

/** From the offsets of rows, and what makes addresses of them, to how many of so many ids are above the one before: longer, or as long and greater. */
const risingCode = () => {
  const { parameters, local, toCode } = createFunction(3);
  const [offsets, shift, count] = parameters as [Local, Local, Local];
  const [rows, before, at, end] = [local('i32'), local('i32'), local('i32'), local('i32')];
  const [word, wordBefore, place] = [local('i64'), local('i64'), local('i64')];
  const addressAt = (offset: number): Code => i32.add(i32.load(offset, offsets.get), shift.get);
  const byteOf = (of: Local): Code => i32.and(i64.toInteger(i64.shiftRight(of.get, place.get)), i32.of(0xff));
  const sameLength = [
    // Where the last word was the same too, so are the ids.
    ...loop(
      branchIf(3, i32.isZero(i32.isLess(at.get, end.get))),
      word.set(i64.load(0, at.get)),
      wordBefore.set(i64.load(0, before.get)),
      when(
        i32.isBelow(i32.subtract(end.get, at.get), i32.of(wordBytes)),
        word.set(i64.shiftLeft(word.get, bitsBehind(at, end))),
        wordBefore.set(i64.shiftLeft(wordBefore.get, bitsBehind(at, end))),
      ),
      advance(at, i32.of(wordBytes)),
      advance(before, i32.of(wordBytes)),
      branchIf(0, i64.isZero(i64.xor(word.get, wordBefore.get))),
    ),
    // The lowest byte that differs is the first.
    ...place.set(i64.and(i64.trailingZeros(i64.xor(word.get, wordBefore.get)), i64.of(0x38n))),
    ...branchIf(2, i32.isZero(i32.isBelow(byteOf(wordBefore), byteOf(word)))),
  ];
  return toCode(
    block(
      loop(
        branchIf(1, i32.isEqual(rows.get, count.get)),
        before.set(addressAt(0)),
        at.set(addressAt(4)),
        end.set(addressAt(8)),
        when(
          i32.isZero(i32.isBelow(i32.subtract(at.get, before.get), i32.subtract(end.get, at.get))),
          branchIf(2, i32.isUnequal(i32.subtract(at.get, before.get), i32.subtract(end.get, at.get))),
          sameLength,
        ),
        advance(offsets, i32.of(4)),
        advance(rows, i32.of(1)),
        branch(0),
      ),
    ),
    rows.get,
  );
};

/** Bits that were met, and beside each word of them those that were met again. */
const pairBytes = 8;
const againAt = 4;
const bitsPerPair = 32;

/** What both that go over entries begin with: the pair that a hash leads to once it is rotated and so many bits of it are shifted out, and which bit of it. */
const sieving = (bodyOf: (entry: Local, into: Local, pair: Local, place: Local) => readonly Code[]) => {
  const { parameters, local, toCode } = createFunction(6);
  const [entry, entriesEnd, into, table, rotation, unused] = parameters as [Local, Local, Local, Local, Local, Local];
  const [place, pair] = [local('i32'), local('i32')];
  return toCode(
    repeatWhile(
      i32.isBelow(entry.get, entriesEnd.get),
      place.set(i32.shiftRight(i32.rotateLeft(i32.load(hashAt, entry.get), rotation.get), unused.get)),
      pair.set(i32.add(table.get, i32.shiftLeft(i32.shiftRight(place.get, i32.of(5)), i32.of(3)))),
      // Of what a shift is by only five bits count.
      ...bodyOf(entry, into, pair, place),
      advance(entry, i32.of(entryBytes)),
    ),
    into.get,
  );
};

const markCode = () =>
  sieving((_entry, _into, pair, place) => {
    const bit = i32.shiftLeft(i32.of(1), place.get);
    return [
      i32.store(againAt, pair.get, i32.or(i32.load(againAt, pair.get), i32.and(i32.load(0, pair.get), bit))),
      i32.store(0, pair.get, i32.or(i32.load(0, pair.get), bit)),
    ];
  });

/** Copies the entries whose bits were met again, and answers where the copies end. Each is written, and the next one over it if it is not one of them: which are, no processor guesses. */
const keepCode = () =>
  sieving((entry, into, pair, place) => [
    i32.store(0, into.get, i32.load(0, entry.get)),
    i32.store(hashAt, into.get, i32.load(hashAt, entry.get)),
    advance(into, i32.shiftLeft(i32.and(i32.shiftRight(i32.load(againAt, pair.get), place.get), i32.of(1)), i32.of(3))),
  ]);

const instantiate = compile({ rising: risingCode(), hash: hashCode(), mark: markCode(), keep: keepCode() });

const rowsPerCall = 4096;

/** Beyond it memory goes back to the system: one large run must not hold it for all the small ones. */
const bytesKeptMax = 32 * 1024 * 1024;

const workspaceFor = createWorkspaces(() => {
  const memory = createMemory(0);
  return { memory, run: instantiate(memory) };
}, bytesKeptMax);

const bitsFor = (rows: number): number => Math.min(31, Math.max(10, Math.ceil(Math.log2(rows * 4))));

/** Of a million rows as many as share something, and a few hundred more. In order. */
export const rowsThatMayShare = ({ bytes, offsets }: TextColumn): Uint32Array => {
  const length = offsets.length - 1;
  const bits = bitsFor(length);
  const tableBytes = (2 ** bits / bitsPerPair) * pairBytes;
  const entriesAt = tableBytes;
  const offsetsAt = entriesAt + length * entryBytes;
  const textsAt = offsetsAt + (rowsPerCall + 1) * 4;
  const { memory, run } = workspaceFor(textsAt + wordBytes);

  /** So many rows, where functions find them; answers what makes addresses of their offsets. */
  const bring = (row: number, last: number): number => {
    const [from, to] = [offsets[row] as number, offsets[last] as number];
    reserve(memory, textsAt + to - from + wordBytes);
    new Uint32Array(memory.buffer, offsetsAt, rowsPerCall + 1).set(offsets.subarray(row, last + 1));
    new Uint8Array(memory.buffer, textsAt).set(bytes.subarray(from, to));
    return textsAt - from;
  };

  for (let row = 0, rising = 0, pairs = 0; rising === pairs; row += rising) {
    pairs = Math.min(length - 1 - row, rowsPerCall - 1);
    if (pairs <= 0) return new Uint32Array(0);
    rising = run.rising(offsetsAt, bring(row, row + pairs + 1), pairs);
  }
  let end = entriesAt;
  for (let row = 0; row < length; row += rowsPerCall) {
    const last = Math.min(length, row + rowsPerCall);
    end = run.hash(offsetsAt, bring(row, last), row, last, end);
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
