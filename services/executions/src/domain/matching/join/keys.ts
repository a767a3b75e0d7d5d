/**
 * The hash join: rows that agree in every key. Partition by partition a table of the targets is built and the sources are looked up
 * in it, all within a processor's cache.
 */
import type { Side } from '../../side.ts';
import { giveBack, lendWords } from '../columns/scratch.ts';
import { areEqual } from '../columns/text-column.ts';
import {
  type HashedRows,
  hashAt,
  hashedRows,
  type KeyColumn,
  mostIn,
  packed,
  partitionBitsFor,
  partitionOf,
  type Records,
  slotsFor,
  startsOf,
  strideOf,
  widthsOf,
} from './records.ts';

export interface Key {
  readonly source: KeyColumn;
  readonly target: KeyColumn;
}

export interface Found {
  readonly pair: (source: number, target: number) => void;
  /** Rows of one key, where they are so many that pairing all of them would not do. The arrays are the caller's to keep. */
  readonly block: (sources: Uint32Array, targets: Uint32Array) => void;
  /** The most pairs of one key that are handed over one by one. */
  readonly pairsMax: number;
}

/** What a side has in records at a time, in words: the rest of a large side waits as rows and hashes, which are a fraction of it. */
const wordsPerPart = 2 ** 20;
const partBitsMax = 8;

export const joinKeys = (keys: readonly Key[], sourceRows: Uint32Array, targetRows: Uint32Array, found: Found): void => {
  const sourceColumns = keys.map(({ source }) => source);
  const targetColumns = keys.map(({ target }) => target);
  const widths = widthsOf(keys.map(({ source, target }) => [source, target]));
  const long = keys.filter((_, index) => widths[index] === 0);
  const stride = strideOf(widths);
  const partBits = Math.min(partBitsMax, Math.max(0, Math.ceil(Math.log2((targetRows.length * stride) / wordsPerPart))));
  const bits = partitionBitsFor(targetRows.length / 2 ** partBits);
  const sourceParts = inParts(hashedRows(sourceColumns, sourceRows), partBits);
  const targetParts = inParts(hashedRows(targetColumns, targetRows), partBits);
  for (let part = 0; part < 1 << partBits; part += 1) {
    const sources = packed(sourceColumns, widths, sourceParts.at(part), bits, partBits);
    const targets = packed(targetColumns, widths, targetParts.at(part), bits, partBits);
    const table = createTable(sources, targets, stride, long);
    for (let partition = 0; partition < 1 << bits; partition += 1) {
      const first = sources.starts[partition] as number;
      const last = sources.starts[partition + 1] as number;
      const targetFirst = targets.starts[partition] as number;
      const targetLast = targets.starts[partition + 1] as number;
      if (first === last || targetFirst === targetLast) continue;
      table.build(targetFirst, targetLast);
      table.probe(first, last);
      table.emit(found);
    }
    giveBack(sources.words, targets.words);
  }
  sourceParts.giveBack();
  targetParts.giveBack();
};

/** Rows by the upper bits of their hashes, those of a part in the order in which they were. */
const inParts = ({ rows, hashes }: HashedRows, bits: number) => {
  if (bits === 0) return { at: () => ({ rows, hashes }), giveBack: () => giveBack(hashes) };
  const starts = startsOf(hashes, bits, 0);
  const next = starts.slice();
  const parted = { rows: lendWords(rows.length), hashes: lendWords(rows.length) };
  for (let index = 0; index < rows.length; index += 1) {
    const hash = hashes[index] as number;
    const part = partitionOf(hash, bits, 0);
    const place = next[part] as number;
    next[part] = place + 1;
    parted.rows[place] = rows[index] as number;
    parted.hashes[place] = hash;
  }
  giveBack(hashes);
  return {
    at: (part: number): HashedRows => ({
      rows: parted.rows.subarray(starts[part], starts[part + 1]),
      hashes: parted.hashes.subarray(starts[part], starts[part + 1]),
    }),
    giveBack: () => giveBack(parted.rows, parted.hashes),
  };
};

/**
 * The table of one partition at a time. A slot holds the first target of a key; further targets and the sources of the same key hang
 * on chains behind it. Places are counted from the beginning of the partition.
 */
const createTable = (sources: Records, targets: Records, stride: number, long: readonly Key[]) => {
  const ours = sources.words;
  const theirs = targets.words;
  const targetsMax = mostIn(targets.starts);
  const slots = new Int32Array(slotsFor(targetsMax));
  const nextTarget = new Int32Array(targetsMax);
  const nextSource = new Int32Array(mostIn(sources.starts));
  /** By the first target of a key. */
  const firstSource = new Int32Array(targetsMax);
  const targetCounts = new Uint32Array(targetsMax);
  const sourceCounts = new Uint32Array(targetsMax);
  let mask = 0;
  let base = 0;
  let count = 0;
  let sourceBase = 0;

  const same = (words: Uint32Array, one: number, other: number, side: Side): boolean => {
    for (let word = hashAt; word < stride; word += 1) if (words[one + word] !== theirs[other + word]) return false;
    return long.length === 0 || long.every((key) => sameText(key[side], words[one] as number, key.target, theirs[other] as number));
  };

  return {
    build: (first: number, last: number): void => {
      base = first * stride;
      count = last - first;
      mask = slotsFor(count) - 1;
      slots.fill(-1, 0, mask + 1);
      firstSource.fill(-1, 0, count);
      sourceCounts.fill(0, 0, count);
      for (let target = 0, at = base; target < count; target += 1, at += stride) {
        nextTarget[target] = -1;
        let slot = (theirs[at + hashAt] as number) & mask;
        let head = slots[slot] as number;
        while (head !== -1 && !same(theirs, at, base + head * stride, 'target')) {
          slot = (slot + 1) & mask;
          head = slots[slot] as number;
        }
        if (head === -1) {
          slots[slot] = target;
          targetCounts[target] = 1;
          continue;
        }
        nextTarget[target] = nextTarget[head] as number;
        nextTarget[head] = target;
        targetCounts[head] = (targetCounts[head] as number) + 1;
      }
    },
    probe: (first: number, last: number): void => {
      sourceBase = first * stride;
      for (let source = 0, at = sourceBase; source < last - first; source += 1, at += stride) {
        let slot = (ours[at + hashAt] as number) & mask;
        let head = slots[slot] as number;
        while (head !== -1 && !same(ours, at, base + head * stride, 'source')) {
          slot = (slot + 1) & mask;
          head = slots[slot] as number;
        }
        if (head === -1) continue;
        nextSource[source] = firstSource[head] as number;
        firstSource[head] = source;
        sourceCounts[head] = (sourceCounts[head] as number) + 1;
      }
    },
    emit: ({ pair, block, pairsMax }: Found): void => {
      for (let head = 0; head < count; head += 1) {
        const start = firstSource[head] as number;
        if (start === -1) continue;
        if ((sourceCounts[head] as number) * (targetCounts[head] as number) > pairsMax) {
          block(
            chain(start, nextSource, ours, sourceBase, stride, sourceCounts[head] as number),
            chain(head, nextTarget, theirs, base, stride, targetCounts[head] as number),
          );
          continue;
        }
        for (let source = start; source !== -1; source = nextSource[source] as number) {
          const row = ours[sourceBase + source * stride] as number;
          for (let target = head; target !== -1; target = nextTarget[target] as number) pair(row, theirs[base + target * stride] as number);
        }
      }
    },
  };
};

const chain = (first: number, next: Int32Array, words: Uint32Array, base: number, stride: number, count: number): Uint32Array => {
  const members = new Uint32Array(count);
  for (let index = 0, at = first; index < count; index += 1, at = next[at] as number) members[index] = words[base + at * stride] as number;
  return members;
};

const sameText = (one: KeyColumn, row: number, other: KeyColumn, otherRow: number): boolean =>
  one.kind === 'texts' && other.kind === 'texts' && areEqual(one.texts, row, other.texts, otherRow);
