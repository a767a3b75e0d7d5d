/**
 * Rules that are tried on what a run has stored: who kept a match in it keeps that, and nobody else does. Keys of older runs are not asked:
 * an open item has left none in its run, and by those it would be matched.
 */
import { type Side, sides } from '../side.ts';
import { type RecordBatch, recordAt, usable } from './batch.ts';
import type { IsFree, Kept, KeptMatches } from './kept-matches.ts';

/** `runAt`: when the run was made that has stored them. Whom somebody has taken apart in it, or in a newer one, is free. */
export const keptAgain = (
  stored: KeptMatches,
  batches: Readonly<Record<Side, RecordBatch>>,
  { isFree, runAt }: { readonly isFree: IsFree; readonly runAt: number },
): KeptMatches => {
  const [source = [], target = []] = sides.map((side) => {
    const batch = batches[side];
    const takesPart = ({ row }: Pick<Kept, 'row'>): boolean => batch.states[row] === usable && !batch.supersedes.has(row);
    const held = stored[side].filter(takesPart);
    const others = stored[side].filter((kept) => !takesPart(kept));
    return [...held, ...inPlaceOf(others, held, batch, takesPart)].filter(({ row }) => !isFree(side, row, runAt));
  });
  return { source, target };
};

/** One that repeats it may stand before it, and a match by hand may have taken it for another: whoever else says the same keeps its match. */
const inPlaceOf = (
  others: readonly Kept[],
  held: readonly Kept[],
  batch: RecordBatch,
  takesPart: (kept: Pick<Kept, 'row'>) => boolean,
): Kept[] => {
  if (others.length === 0) return [];
  const isHeld = new Set(held.map(({ row }) => row));
  const wanted = Map.groupBy(others, ({ row }) => JSON.stringify(recordAt(batch, row)));
  // Most rows differ in these already, and to put a row into words takes ten times as long.
  const [amounts, days] = [new Set(others.map(({ row }) => batch.amounts[row])), new Set(others.map(({ row }) => batch.days[row]))];
  const found: Kept[] = [];
  for (let row = 0; row < batch.carriedFrom; row += 1) {
    if (!amounts.has(batch.amounts[row]) || !days.has(batch.days[row]) || isHeld.has(row) || !takesPart({ row })) continue;
    const kept = wanted.get(JSON.stringify(recordAt(batch, row)))?.pop();
    if (kept !== undefined) found.push({ ...kept, row });
  }
  return found;
};
