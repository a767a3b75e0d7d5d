/** Groups: records that the pairs of a pass tie together, directly or through others. */
import { rootOf, tie, untied } from '../assignment/components.ts';
import { compareRows, type RecordBatch } from '../batch.ts';
import type { Judgement } from './judgement.ts';

export interface Group {
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  /** The mean of its pairs, in millionths. */
  readonly score: number;
  readonly isVerified: boolean;
  readonly pairs: GroupPairs;
}

/** The pairs that a group is made of: its piece of the columns that all groups of a pass share. */
export interface GroupPairs {
  readonly columns: { readonly sources: Int32Array; readonly targets: Int32Array };
  readonly first: number;
  readonly count: number;
}

interface Growing {
  readonly sources: number[];
  readonly targets: number[];
  score: number;
  count: number;
  isVerified: boolean;
}

/** In the order of their first pairs. Pairs stay in columns: as an object each, millions of them would be most of a run's memory. */
export const groupsOf = ({ agreeing, differing }: Judgement, source: RecordBatch, target: RecordBatch): Group[] => {
  const all = [agreeing, differing];
  const parents = untied(source.length + target.length);
  for (const { length, sources, targets } of all)
    for (let index = 0; index < length; index += 1) tie(parents, sources[index] as number, source.length + (targets[index] as number));
  const placeOf = new Int32Array(parents.length).fill(-1);
  const isKnown = new Uint8Array(parents.length);
  const groups: Growing[] = [];
  for (const edges of all) {
    const { length, sources, targets, scores } = edges;
    for (let index = 0; index < length; index += 1) {
      const [s, t] = [sources[index] as number, targets[index] as number];
      const root = rootOf(parents, s);
      if (placeOf[root] === -1) {
        placeOf[root] = groups.length;
        groups.push({ sources: [], targets: [], score: 0, count: 0, isVerified: true });
      }
      const group = groups[placeOf[root] as number] as Growing;
      if (isKnown[s] === 0) group.sources.push(s);
      if (isKnown[source.length + t] === 0) group.targets.push(t);
      isKnown[s] = 1;
      isKnown[source.length + t] = 1;
      group.score += scores[index] as number;
      group.count += 1;
      if (edges === differing) group.isVerified = false;
    }
  }
  const pairs = sortedInto(groups, all, (row) => placeOf[rootOf(parents, row)] as number);
  return groups.map(({ sources, targets, score, count, isVerified }, place) => ({
    sources: sources.sort((one, other) => compareRows(source, one, other)),
    targets: targets.sort((one, other) => compareRows(target, one, other)),
    score: Math.round(score / count),
    isVerified,
    pairs: pairs[place] as GroupPairs,
  }));
};

const sortedInto = (
  groups: readonly Growing[],
  all: readonly Judgement['agreeing'][],
  placeOf: (source: number) => number,
): GroupPairs[] => {
  const length = all.reduce((sum, edges) => sum + edges.length, 0);
  const columns = { sources: new Int32Array(length), targets: new Int32Array(length) };
  const next = new Int32Array(groups.length);
  let first = 0;
  const pairs = groups.map(({ count }, place) => {
    next[place] = first;
    first += count;
    return { columns, first: first - count, count };
  });
  for (const edges of all) {
    for (let index = 0; index < edges.length; index += 1) {
      const s = edges.sources[index] as number;
      const place = placeOf(s);
      const at = next[place] as number;
      columns.sources[at] = s;
      columns.targets[at] = edges.targets[index] as number;
      next[place] = at + 1;
    }
  }
  return pairs;
};
