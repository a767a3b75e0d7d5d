/**
 * One id, several rows. Equal content again is a repetition; other content under one id leaves nobody knowing which of them is true.
 */
import { compareContents, invalid, type RecordBatch, repeated, usable } from './batch.ts';
import { finishHashes, hashTexts } from './columns/hash.ts';
import { countedUp } from './columns/order.ts';
import { areEqual, isPresent, textAt } from './columns/text-column.ts';

export const judgeRepeatedIds = (
  batch: RecordBatch,
  judge: (row: number, state: typeof invalid | typeof repeated, reason: string) => void,
): void => {
  for (const rows of groupsOfOneId(batch)) {
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
const groupsOfOneId = ({ length, texts, states, lines }: RecordBatch): number[][] => {
  const id = texts.get('id');
  if (id === undefined) return [];
  const hashes = new Uint32Array(length);
  hashTexts(id, countedUp(length), hashes);
  finishHashes(hashes);
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, length * 2)))).fill(-1);
  const mask = slots.length - 1;
  const groups = new Map<number, number[]>();
  for (let row = 0; row < length; row += 1) {
    if (states[row] !== usable || !isPresent(id, row)) continue;
    for (let slot = (hashes[row] as number) & mask; ; slot = (slot + 1) & mask) {
      const first = slots[slot] as number;
      if (first === -1) {
        slots[slot] = row;
        break;
      }
      if (hashes[first] !== hashes[row] || !areEqual(id, first, id, row)) continue;
      const group = groups.get(first);
      if (group === undefined) groups.set(first, [first, row]);
      else group.push(row);
      break;
    }
  }
  return [...groups.values()].map((rows) => rows.sort((one, other) => (lines[one] as number) - (lines[other] as number) || one - other));
};
