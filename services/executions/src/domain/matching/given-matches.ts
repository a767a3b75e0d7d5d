/**
 * Matches by hand in a run: a match holds where the input delivers all of its records as they were. Where one of them says something else
 * now, nobody has decided about that, and all of them take part like any record. Where one is not there, the others wait for it: they are
 * settled, and must not take a counterpart away from another record.
 */
import { type Side, sides } from '../side.ts';
import { compareContents, type RecordBatch } from './batch.ts';
import type { Given } from './reconcile.ts';

/** A match by its records: their places among those that the sides were given. */
export interface GivenMatch {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

export type GivenFate = 'held' | 'changed' | 'absent';

export interface GivenMatches {
  readonly held: readonly (Given & { readonly match: number })[];
  readonly waiting: { readonly source: readonly number[]; readonly target: readonly number[] };
  /** In the order of the matches. */
  readonly fates: readonly GivenFate[];
}

export const findGiven = (matches: readonly GivenMatch[], batches: Readonly<Record<Side, RecordBatch>>): GivenMatches => {
  const deliveredOf = { source: deliveredRows(batches.source), target: deliveredRows(batches.target) };
  const held: (Given & { match: number })[] = [];
  const waiting = { source: [] as number[], target: [] as number[] };
  const fates = matches.map((match, index): GivenFate => {
    const delivered = sides.map((side) =>
      match[side].map((place) => {
        const given = batches[side].givenFrom + place;
        const row = deliveredOf[side].get(given);
        return { row, isChanged: row !== undefined && compareContents(batches[side], row, given) !== 0 };
      }),
    );
    if (delivered.flat().some(({ isChanged }) => isChanged)) return 'changed';
    const [source = [], target = []] = delivered.map((records) => records.flatMap(({ row }) => (row === undefined ? [] : [row])));
    if (source.length < match.source.length || target.length < match.target.length) {
      waiting.source.push(...source);
      waiting.target.push(...target);
      return 'absent';
    }
    held.push({ source, target, match: index });
    return 'held';
  });
  return { held, waiting, fates };
};

const deliveredRows = ({ supersedes, givenFrom }: RecordBatch): ReadonlyMap<number, number> =>
  new Map([...supersedes].flatMap(([delivered, carried]) => (carried >= givenFrom ? [[carried, delivered] as const] : [])));
