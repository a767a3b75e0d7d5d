/**
 * One id, several rows. Equal content again is a repetition; other content under one id leaves nobody knowing which of them is true.
 */
import { compareContents, invalid, type RecordBatch, repeated, usable } from './batch.ts';
import { finishHashes, hashTexts } from './columns/hash.ts';
import { giveBack, lendWords } from './columns/scratch.ts';
import { areEqual, type TextColumn, textAt } from './columns/text-column.ts';
import { hashAt, keyAt, mostIn, partitionBitsFor, recordsOf, slotsFor } from './join/records.ts';

/** Of what this input delivers; an open item of an earlier run does not make it a repetition. */
export const judgeRepeatedIds = (
  batch: RecordBatch,
  judge: (row: number, state: typeof invalid | typeof repeated, reason: string) => void,
): void => {
  for (const all of groupsOfOneId(batch)) {
    const rows = all.filter((row) => row < batch.carriedFrom);
    if (rows.length < 2) continue;
    const [first = 0] = rows;
    const id = textAt(batch.texts.get('id') as Parameters<typeof textAt>[0], first).slice(0, 80);
    const isContradictory = rows.some((row) => compareContents(batch, row, first) !== 0);
    for (const row of isContradictory ? rows : rows.slice(1)) {
      if (isContradictory) judge(row, invalid, `the id ${id} occurs ${rows.length} times with different content`);
      else judge(row, repeated, `the id ${id} occurred before with the same content`);
    }
  }
};

/** Rows that share their id with others, in groups, each in the order of its lines. */
export const groupsOfOneId = ({ length, texts, states, lines }: RecordBatch): number[][] => {
  const id = texts.get('id');
  if (id === undefined) return [];
  const rows = lendWords(length);
  const few = mayShare(id, usableRows(states, rows));
  // Of no words: nearly all ids differ, and so do their hashes.
  const { words, starts } = recordsOf([{ kind: 'texts', texts: id }], [0], few, partitionBitsFor(few.length));
  const groups = new Map<number, number[]>();
  const slots = new Int32Array(slotsFor(mostIn(starts)));
  for (let partition = 1; partition < starts.length; partition += 1) {
    const first = (starts[partition - 1] as number) * keyAt;
    const last = (starts[partition] as number) * keyAt;
    const mask = slotsFor((last - first) / keyAt) - 1;
    slots.fill(-1, 0, mask + 1);
    for (let at = first; at < last; at += keyAt) {
      const hash = words[at + hashAt] as number;
      const row = words[at] as number;
      let slot = hash & mask;
      let known = slots[slot] as number;
      while (known !== -1 && (words[known + hashAt] !== hash || !areEqual(id, words[known] as number, id, row))) {
        slot = (slot + 1) & mask;
        known = slots[slot] as number;
      }
      if (known === -1) slots[slot] = at;
      else {
        // A million rows of one id are one group, and each is added to it once.
        const group = groups.get(known);
        if (group === undefined) groups.set(known, [words[known] as number, row]);
        else group.push(row);
      }
    }
  }
  giveBack(rows, words);
  return [...groups.values()].map((same) => same.sort((one, other) => (lines[one] as number) - (lines[other] as number) || one - other));
};

// Each loop by itself: most of them run once for each side, and are compiled while they run, together with whatever stands around them.
const usableRows = (states: Uint8Array, into: Uint32Array): Uint32Array => {
  let count = 0;
  for (let row = 0; row < into.length; row += 1) {
    into[count] = row;
    if (states[row] === usable) count += 1;
  }
  return into.subarray(0, count);
};

/**
 * The rows that another may share its id with, in the same memory. Nearly all ids occur once; most of them show it by a bit that no
 * other id has, of eight for every row, and need not be put beside the others, which takes twice as long.
 */
const mayShare = (id: TextColumn, rows: Uint32Array): Uint32Array => {
  const bits = Math.min(32, Math.max(10, Math.ceil(Math.log2(rows.length * 8))));
  const hashes = lendWords(rows.length).fill(0);
  const seen = lendWords(2 ** (bits - 5)).fill(0);
  const seenAgain = lendWords(2 ** (bits - 5)).fill(0);
  hashTexts(id, rows, hashes);
  finishHashes(hashes);
  mark(hashes, 32 - bits, seen, seenAgain);
  const few = marked(rows, hashes, 32 - bits, seenAgain);
  giveBack(hashes, seen, seenAgain);
  return few;
};

const mark = (hashes: Uint32Array, shift: number, seen: Uint32Array, seenAgain: Uint32Array): void => {
  for (let index = 0; index < hashes.length; index += 1) {
    const hash = (hashes[index] as number) >>> shift;
    const bit = 1 << hash;
    const known = seen[hash >>> 5] as number;
    if ((known & bit) === 0) seen[hash >>> 5] = known | bit;
    else seenAgain[hash >>> 5] = (seenAgain[hash >>> 5] as number) | bit;
  }
};

const marked = (rows: Uint32Array, hashes: Uint32Array, shift: number, marks: Uint32Array): Uint32Array => {
  let count = 0;
  for (let index = 0; index < hashes.length; index += 1) {
    const hash = (hashes[index] as number) >>> shift;
    rows[count] = rows[index] as number;
    count += ((marks[hash >>> 5] as number) >>> hash) & 1;
  }
  return rows.subarray(0, count);
};
