/**
 * Records that a person has taken apart: a decision about what they say, so every record that says just that is meant, and one that says
 * something else by now is not.
 */
import { type Side, sides } from '../side.ts';
import { type Fields, type RecordBatch, recordAt, usable } from './batch.ts';
import { createBatchBuilder } from './batch-builder.ts';
import { isPresent, textAt } from './columns/text-column.ts';
import type { IsFree } from './kept-matches.ts';

/** Those that differed before somebody matched them may be found to differ again; to match they may not. */
interface Kind {
  readonly mayDiffer?: boolean;
}

/** The records of a match that was undone: none of one side belongs to any of the other. */
export type Separated = Readonly<Record<Side, readonly Fields[]>> & Kind;
export type ApartRows = Readonly<Record<Side, readonly number[]>> & Kind;

type Outcome = 'matched' | 'mismatched';

export interface Apart {
  /** Whether the two cannot be that with each other. */
  readonly isPair: (outcome: Outcome, source: number, target: number) => boolean;
  /** Whether any of the sources cannot be that with any of the targets. */
  readonly isAmong: (outcome: Outcome, sources: readonly number[], targets: readonly number[]) => boolean;
}

/** Undefined where there are none: nobody asks then. Each source of a separation is kept from each of its targets. */
export const apartIn = (separations: readonly ApartRows[]): Apart | undefined => {
  const keptFrom = new Map<number, { readonly targets: ReadonlySet<number>; readonly mayDiffer: boolean }[]>();
  for (const { source, target, mayDiffer = false } of separations) {
    const targets = new Set(target);
    if (targets.size > 0) for (const row of source) listed(keptFrom, row).push({ targets, mayDiffer });
  }
  if (keptFrom.size === 0) return undefined;
  const isPair: Apart['isPair'] = (outcome, source, target) =>
    keptFrom.get(source)?.some(({ targets, mayDiffer }) => targets.has(target) && (outcome === 'matched' || !mayDiffer)) === true;
  return {
    isPair,
    isAmong: (outcome, sources, targets) =>
      sources.some((row) => keptFrom.has(row) && targets.some((other) => isPair(outcome, row, other))),
  };
};

const listed = <Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] => {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
};

/** The rows of each separation, in order; none of a record that is not here, or says something else. */
export const findApart = (separations: readonly Separated[], batches: Readonly<Record<Side, RecordBatch>>): ApartRows[] => {
  if (separations.length === 0) return [];
  const rowsOf = (side: Side) =>
    rowsSaying(
      separations.map(({ [side]: records }) => records),
      batches[side],
    );
  const [sources, targets] = [rowsOf('source'), rowsOf('target')];
  return separations.map(({ mayDiffer = false }, index) => ({ source: sources[index] ?? [], target: targets[index] ?? [], mayDiffer }));
};

/**
 * What was taken apart is free of what runs have matched until then. What a newer run has matched was another decision.
 * `runsAt`: of each, when the run was made whose match it was.
 */
export const freeBy = (apart: readonly ApartRows[], runsAt: readonly number[]): IsFree => {
  const freeUntil = { source: new Map<number, number>(), target: new Map<number, number>() };
  for (const [index, rows] of apart.entries()) {
    const runAt = runsAt[index] as number;
    for (const side of sides)
      for (const row of rows[side]) freeUntil[side].set(row, Math.max(runAt, freeUntil[side].get(row) ?? Number.NEGATIVE_INFINITY));
  }
  return (side, row, runAt) => runAt <= (freeUntil[side].get(row) ?? Number.NEGATIVE_INFINITY);
};

const rowsSaying = (groups: readonly (readonly Fields[])[], batch: RecordBatch): number[][] => {
  const found: number[][] = groups.map(() => []);
  const wanted = new Map<string, number[]>();
  // As a run reads them, so that both are told in the same words.
  const builder = createBatchBuilder({ idMapped: false });
  for (const records of groups) builder.addRows(records.map((record) => ({ record })));
  const asked = builder.build();
  let row = 0;
  for (const [index, records] of groups.entries()) {
    for (const end = row + records.length; row < end; row += 1) listed(wanted, JSON.stringify(recordAt(asked, row))).push(index);
  }
  // Most rows differ in these already, and to put a row into words takes ten times as long.
  const [amounts, days] = [new Set(asked.amounts), new Set(asked.days)];
  const ids = new Set(groups.flatMap((records) => records.map(({ id }) => id)));
  const id = batch.texts.get('id');
  for (let at = 0; at < batch.length; at += 1) {
    if (batch.states[at] !== usable || !amounts.has(batch.amounts[at] as number) || !days.has(batch.days[at] as number)) continue;
    if (id !== undefined && isPresent(id, at) && !ids.has(textAt(id, at))) continue;
    for (const index of new Set(wanted.get(JSON.stringify(recordAt(batch, at))))) found[index]?.push(at);
  }
  return found;
};
