/**
 * By what a record is known when it is delivered again: who it is and what it says, both as hashes, and in which result it was. A million
 * matches have two million records, of which nobody wants to read the records themselves; two that differ say the same by their hashes of
 * 96 bits once in 10¹⁶ runs of that size.
 */
import { type Side, sides } from '../side.ts';
import type { RecordBatch } from './batch.ts';
import { isPresent, type TextColumn } from './columns/text-column.ts';

const identityWords = 2;
const contentWords = 3;
/** Where in a key stands what it says, and the number of its match. */
export const contentAt = identityWords;
export const matchAt = identityWords + contentWords;
export const wordsPerKey = matchAt + 1;

/** Set beside the place of a result that is no match: the run has found something else of its records. */
const openBit = 2 ** 31;
/**
 * What is noted of a record without an id, since it may be any of those that say the same: `another` is one more than were known before,
 * `openItem` one that was open, and therefore none of those that were matched.
 */
export const marks = { none: 0, openItem: 1, another: 2 } as const;
export type Mark = (typeof marks)[keyof typeof marks];
export type MarkOf = (side: Side, row: number) => Mark;
const marksFrom = 29;
export const placeIn = (word: number): number => word & (2 ** marksFrom - 1);
export const isOpenIn = (word: number): boolean => word >= openBit;
export const markIn = (word: number): Mark => ((word >>> marksFrom) & 3) as Mark;

/** Whether it is of a record without an id, which is who it is by what it says. */
export const isNameless = (keys: Keys, at: number): boolean =>
  keys[at] === keys[at + contentAt] && keys[at + 1] === keys[at + contentAt + 1];

/** The records of one side, one after another, with the place of their result within the piece. */
export type Keys = Uint32Array;

/** The records of a piece of results. */
export interface MatchKeys {
  readonly source: Keys;
  readonly target: Keys;
}

/** Writes who a row is and what it says. The same in every run, in whatever order its fields come. Who has no id is what it says. */
export type WriteKey = (row: number, into: Keys, at: number) => void;

const seeds = Int32Array.of(0x811c9dc5, 0x9747b28c, 0x1b873593);
// Those of MurmurHash3, which is what this is, three times over.
const factors = [0xcc9e2d51, 0x239b961b, 0x38b34ae5];
const secondFactors = [0x1b873593, 0xab0e9789, 0xa1e38b93];

const mix = (hash: Int32Array, word: number): void => {
  for (let lane = 0; lane < contentWords; lane += 1) {
    const first = Math.imul(word, factors[lane] as number);
    const mixed = (hash[lane] as number) ^ Math.imul((first << 15) | (first >>> 17), secondFactors[lane] as number);
    hash[lane] = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
  }
};

const mixText = (hash: Int32Array, { bytes, offsets }: TextColumn, row: number): void => {
  let from = offsets[row] as number;
  const end = offsets[row + 1] as number;
  mix(hash, end - from);
  for (; from + 4 <= end; from += 4) {
    const low = (bytes[from] as number) | ((bytes[from + 1] as number) << 8);
    mix(hash, low | ((bytes[from + 2] as number) << 16) | ((bytes[from + 3] as number) << 24));
  }
  for (; from < end; from += 1) mix(hash, bytes[from] as number);
};

export const createWriteKey = (side: Side, { texts, amounts, currencies, days }: RecordBatch): WriteKey => {
  const id = texts.get('id');
  const columns = [...texts]
    .filter(([name]) => name !== 'id')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, column]) => ({ name: hashOfName(name), column }));
  const amount = new Float64Array(1);
  const amountWords = new Int32Array(amount.buffer);
  const hash = new Int32Array(contentWords);
  const put = (words: number, into: Keys, at: number): void => {
    for (let word = 0; word < words; word += 1) into[at + word] = settled(hash[word] as number);
  };
  return (row, into, at) => {
    // One by one: to ask for all of them at once takes longer than to write them.
    for (let lane = 0; lane < contentWords; lane += 1) hash[lane] = seeds[lane] as number;
    mix(hash, side === 'source' ? 1 : 2);
    const hasId = id !== undefined && isPresent(id, row);
    if (hasId) {
      mixText(hash, id, row);
      put(identityWords, into, at);
    }
    amount[0] = amounts[row] as number;
    mix(hash, amountWords[0] as number);
    mix(hash, amountWords[1] as number);
    mix(hash, currencies[row] as number);
    mix(hash, days[row] as number);
    for (const { name, column } of columns) {
      if (!isPresent(column, row)) continue;
      mix(hash, name);
      mixText(hash, column, row);
    }
    put(contentWords, into, at + contentAt);
    if (!hasId) put(identityWords, into, at);
  };
};

const hashOfName = (name: string): number => {
  const hash = new Int32Array(contentWords);
  for (let at = 0; at < name.length; at += 1) mix(hash, name.charCodeAt(at));
  return settled(hash[0] as number);
};

/** Every bit of the word depends on every other. */
const settled = (word: number): number => {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** Takes note of the results of a piece, in their order. */
export const createKeyWriter = (batches: Readonly<Record<Side, RecordBatch>>, markOf: MarkOf) => {
  const write = { source: createWriteKey('source', batches.source), target: createWriteKey('target', batches.target) };
  const written = { source: createWords(), target: createWords() };
  return {
    /** `place`: within the piece. `isOpen`: it is no match. */
    add: (rows: Readonly<Record<Side, readonly number[]>>, place: number, isOpen = false): void => {
      for (const side of sides) {
        for (const row of rows[side]) {
          const { words, at } = written[side].next();
          write[side](row, words, at);
          words[at + matchAt] = place + (isOpen ? openBit : 0) + markOf(side, row) * 2 ** marksFrom;
        }
      }
    },
    take: (): MatchKeys => ({ source: written.source.take(), target: written.target.take() }),
  };
};

const createWords = () => {
  let words = new Uint32Array(wordsPerKey * 1_024);
  let used = 0;
  return {
    next: (): { readonly words: Uint32Array; readonly at: number } => {
      if (used === words.length) {
        const grown = new Uint32Array(words.length * 2);
        grown.set(words);
        words = grown;
      }
      used += wordsPerKey;
      return { words, at: used - wordsPerKey };
    },
    take: (): Uint32Array => {
      // In memory that threads share: whoever sends them to another one copies nothing.
      const taken = new Uint32Array(new SharedArrayBuffer(used * words.BYTES_PER_ELEMENT));
      taken.set(words.subarray(0, used));
      used = 0;
      return taken;
    },
  };
};
