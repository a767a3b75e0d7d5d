/**
 * The hash join: rows that agree in every key. Hashes put rows into partitions that fit a processor's cache, where a table of the
 * partition's targets is built and its sources are looked up. Hashes only narrow down; what decides are the texts.
 */
import { hashCodes, hashTexts } from '../columns/hash.ts';
import { areEqual, type TextColumn } from '../columns/text-column.ts';

/** Of one side: texts, or numbers of which one says that there is nothing. */
export type KeyColumn =
  | { readonly kind: 'texts'; readonly texts: TextColumn }
  | { readonly kind: 'codes'; readonly codes: Int32Array; readonly absent: number };

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

const rowsPerPartition = 2_048;
const partitionBitsMax = 12;

export const joinKeys = (keys: readonly Key[], sourceRows: Uint32Array, targetRows: Uint32Array, found: Found): void => {
  const bits = Math.min(partitionBitsMax, Math.max(0, Math.ceil(Math.log2(targetRows.length / rowsPerPartition))));
  const sources = partitioned(
    keys.map(({ source }) => source),
    sourceRows,
    bits,
  );
  const targets = partitioned(
    keys.map(({ target }) => target),
    targetRows,
    bits,
  );
  const table = createTable(keys, sources, targets);
  for (let partition = 0; partition < 1 << bits; partition += 1) {
    const first = sources.starts[partition] as number;
    const last = sources.starts[partition + 1] as number;
    const targetFirst = targets.starts[partition] as number;
    const targetLast = targets.starts[partition + 1] as number;
    if (first === last || targetFirst === targetLast) continue;
    table.build(targetFirst, targetLast);
    table.probe(first, last);
    table.emit(targetFirst, targetLast, found);
  }
};

interface Partitioned {
  /** Rows and their hashes, partition after partition. */
  readonly rows: Uint32Array;
  readonly hashes: Uint32Array;
  readonly starts: Uint32Array;
}

/** Rows that lack a key are in no partition: absent equals nothing. */
const partitioned = (columns: readonly KeyColumn[], rows: Uint32Array, bits: number): Partitioned => {
  const present = new Uint32Array(rows.length);
  let count = 0;
  for (const row of rows) {
    if (!hasAll(columns, row)) continue;
    present[count] = row;
    count += 1;
  }
  const hashes = new Uint32Array(count);
  for (const column of columns) {
    if (column.kind === 'texts') hashTexts(column.texts, present, count, hashes);
    else hashCodes(column.codes, present, count, hashes);
  }
  const starts = new Uint32Array((1 << bits) + 1);
  if (bits === 0) {
    starts[1] = count;
    return { rows: present.subarray(0, count), hashes, starts };
  }
  const shift = 32 - bits;
  const places = new Uint32Array(1 << bits);
  for (let index = 0; index < count; index += 1) {
    const partition = (hashes[index] as number) >>> shift;
    places[partition] = (places[partition] as number) + 1;
  }
  for (let partition = 0, start = 0; partition < 1 << bits; partition += 1) {
    const size = places[partition] as number;
    starts[partition] = start;
    places[partition] = start;
    start += size;
    starts[partition + 1] = start;
  }
  const sortedRows = new Uint32Array(count);
  const sortedHashes = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) {
    const hash = hashes[index] as number;
    const partition = hash >>> shift;
    const place = places[partition] as number;
    places[partition] = place + 1;
    sortedRows[place] = present[index] as number;
    sortedHashes[place] = hash;
  }
  return { rows: sortedRows, hashes: sortedHashes, starts };
};

const hasAll = (columns: readonly KeyColumn[], row: number): boolean => {
  for (const column of columns) {
    if (column.kind === 'texts') {
      const { offsets } = column.texts;
      if (offsets[row] === offsets[row + 1]) return false;
    } else if (column.codes[row] === column.absent) return false;
  }
  return true;
};

/**
 * The table of one partition at a time. A slot holds the first target of a key; further targets and the sources of the same key hang
 * on chains behind it.
 */
const createTable = (keys: readonly Key[], sources: Partitioned, targets: Partitioned) => {
  let slots = new Int32Array(0);
  let mask = 0;
  const nextTarget = new Int32Array(targets.rows.length).fill(-1);
  const nextSource = new Int32Array(sources.rows.length).fill(-1);
  /** By the first target of a key. */
  const firstSource = new Int32Array(targets.rows.length).fill(-1);
  const targetCounts = new Uint32Array(targets.rows.length);
  const sourceCounts = new Uint32Array(targets.rows.length);
  const [only] = keys;
  const onlyTexts =
    keys.length === 1 && only?.source.kind === 'texts' && only.target.kind === 'texts'
      ? ([only.source.texts, only.target.texts] as const)
      : undefined;

  const sameTargets = (one: number, other: number): boolean => {
    const row = targets.rows[one] as number;
    const otherRow = targets.rows[other] as number;
    if (onlyTexts !== undefined) return areEqual(onlyTexts[1], row, onlyTexts[1], otherRow);
    return keys.every(({ target }) => agree(target, row, target, otherRow));
  };
  const same = (source: number, target: number): boolean => {
    const row = sources.rows[source] as number;
    const otherRow = targets.rows[target] as number;
    if (onlyTexts !== undefined) return areEqual(onlyTexts[0], row, onlyTexts[1], otherRow);
    for (const key of keys) if (!agree(key.source, row, key.target, otherRow)) return false;
    return true;
  };

  return {
    build: (first: number, last: number): void => {
      const size = 2 ** Math.ceil(Math.log2(Math.max(8, (last - first) * 2)));
      if (slots.length < size) slots = new Int32Array(size);
      mask = size - 1;
      slots.fill(-1, 0, size);
      for (let target = first; target < last; target += 1) {
        const hash = targets.hashes[target] as number;
        for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
          const head = slots[slot] as number;
          if (head === -1) {
            slots[slot] = target;
            targetCounts[target] = 1;
            break;
          }
          if (targets.hashes[head] !== hash || !sameTargets(head, target)) continue;
          nextTarget[target] = nextTarget[head] as number;
          nextTarget[head] = target;
          targetCounts[head] = (targetCounts[head] as number) + 1;
          break;
        }
      }
    },
    probe: (first: number, last: number): void => {
      for (let source = first; source < last; source += 1) {
        const hash = sources.hashes[source] as number;
        for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
          const head = slots[slot] as number;
          if (head === -1) break;
          if (targets.hashes[head] !== hash || !same(source, head)) continue;
          nextSource[source] = firstSource[head] as number;
          firstSource[head] = source;
          sourceCounts[head] = (sourceCounts[head] as number) + 1;
          break;
        }
      }
    },
    emit: (first: number, last: number, { pair, block, pairsMax }: Found): void => {
      for (let head = first; head < last; head += 1) {
        const start = firstSource[head] as number;
        if (start === -1) continue;
        if ((sourceCounts[head] as number) * (targetCounts[head] as number) > pairsMax) {
          block(
            chain(start, nextSource, sources.rows, sourceCounts[head] as number),
            chain(head, nextTarget, targets.rows, targetCounts[head] as number),
          );
          continue;
        }
        for (let source = start; source !== -1; source = nextSource[source] as number) {
          const row = sources.rows[source] as number;
          for (let target = head; target !== -1; target = nextTarget[target] as number) pair(row, targets.rows[target] as number);
        }
      }
    },
  };
};

const chain = (first: number, next: Int32Array, rows: Uint32Array, count: number): Uint32Array => {
  const members = new Uint32Array(count);
  for (let index = 0, at = first; index < count; index += 1, at = next[at] as number) members[index] = rows[at] as number;
  return members;
};

const agree = (one: KeyColumn, row: number, other: KeyColumn, otherRow: number): boolean => {
  if (one.kind === 'texts') return other.kind === 'texts' && areEqual(one.texts, row, other.texts, otherRow);
  return other.kind === 'codes' && one.codes[row] === other.codes[otherRow];
};
