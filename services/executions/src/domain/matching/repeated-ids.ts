/**
 * One id, several rows. Equal content again is a repetition; other content under one id leaves nobody knowing which of them is true.
 */
import { compareContents, invalid, type RecordBatch, repeated, usable } from './batch.ts';
import { giveBack } from './columns/scratch.ts';
import { areEqual, textAt } from './columns/text-column.ts';
import { hashAt, keyAt, mostIn, partitionBitsFor, recordsOf, slotsFor } from './join/records.ts';
import { rowsThatMayShare } from './shared-ids.ts';

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
export const groupsOfOneId = ({ texts, states, lines }: RecordBatch): number[][] => {
  const id = texts.get('id');
  if (id === undefined) return [];
  const few = rowsThatMayShare(id).filter((row) => states[row] === usable);
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
  giveBack(words);
  return [...groups.values()].map((same) => same.sort((one, other) => (lines[one] as number) - (lines[other] as number) || one - other));
};
