/** The hash join of a pass: blocks of records that agree in every exact condition, and whose currencies may meet. */
import type { RecordBatch } from './batch.ts';
import type { ExactCondition } from './conditions/exact.ts';

export interface Rows {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

export interface Block {
  /** What the records have in common, for a person to recognise it. */
  readonly key: string;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
}

/** A record that lacks one of the fields is in no block. */
export const blocksOf = (exact: readonly ExactCondition[], source: RecordBatch, target: RecordBatch, rows: Rows): Block[] => {
  const sources = grouped(
    rows.source,
    exact.map((condition) => condition.source),
    source,
  );
  const targets = grouped(
    rows.target,
    exact.map((condition) => condition.target),
    target,
  );
  const blocks: Block[] = [];
  for (const [key, ours] of sources) {
    const theirs = targets.get(key);
    if (theirs === undefined) continue;
    for (const [one, rowsOfOne] of ours) {
      for (const [other, rowsOfOther] of theirs) {
        // Different currencies never match. A record without one has no amount either, so it may meet any.
        if (one !== other && one !== '' && other !== '') continue;
        blocks.push({ key: [one || other, key].join(' ').trim().slice(0, 200), sources: rowsOfOne, targets: rowsOfOther });
      }
    }
  }
  return blocks;
};

type Group = Map<string, number[]>;

/** By the fields' texts, then by currency. */
const grouped = (
  rows: readonly number[],
  columns: readonly (readonly (string | undefined)[])[],
  batch: RecordBatch,
): Map<string, Group> => {
  const groups = new Map<string, Group>();
  const [only] = columns;
  for (const row of rows) {
    const key = columns.length === 1 && only !== undefined ? only[row] : keyOf(columns, row);
    if (key === undefined) continue;
    const group: Group = groups.get(key) ?? new Map();
    groups.set(key, group);
    const currency = batch.currencies[row] ?? '';
    const members = group.get(currency);
    if (members === undefined) group.set(currency, [row]);
    else members.push(row);
  }
  return groups;
};

/** One text for several: a separator alone could stand in the texts themselves, and make two different keys one. */
const keyOf = (columns: readonly (readonly (string | undefined)[])[], row: number): string | undefined => {
  const parts = columns.map((column) => column[row]);
  return parts.includes(undefined) ? undefined : columns.length === 0 ? '' : JSON.stringify(parts);
};
