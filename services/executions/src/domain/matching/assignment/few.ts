/**
 * Components of a few edges, which are nearly all there are: every way to pair is looked at, which is less than it takes to set up the
 * search for larger ones. The outcome is the same.
 */
import type { Edge, TieOrder } from './graph.ts';

/** Each more would double the ways. */
export const fewEdgesMax = 6;

export interface Pair {
  readonly edge: Edge;
  /** What the best way would lose in score without it. */
  readonly margin: number;
}

export const createFewSolver = (order: TieOrder): ((component: readonly Edge[]) => Pair[]) => {
  const inOrder = (one: Edge, other: Edge): number => order.source(one.source, other.source) || order.target(one.target, other.target);
  /** In millionths, as everything here. */
  const scores = new Int32Array(fewEdgesMax);
  /** Of each edge those that it excludes, as bits. The first edge is the highest bit. */
  const excluded = new Uint8Array(fewEdgesMax);
  const bestWithout = new Int32Array(fewEdgesMax);

  return (component) => {
    const edges = component.length === 1 ? component : component.toSorted(inOrder);
    const { length } = edges;
    const bitOf = (index: number): number => 1 << (length - 1 - index);
    for (const [index, { source, target, score }] of edges.entries()) {
      scores[index] = Math.round(score * 1e6);
      let bits = 0;
      for (const [other, edge] of edges.entries())
        if (other !== index && (edge.source === source || edge.target === target)) bits |= bitOf(other);
      excluded[index] = bits;
      bestWithout[index] = 0;
    }
    let [best, bestPairs, bestWay] = [-1, 0, 0];
    // Downwards: of equally good ways the one comes first in which the first record has its first counterpart.
    for (let way = (1 << length) - 1; way >= 0; way -= 1) {
      let [total, pairs] = [0, 0];
      for (let index = 0; index < length && total >= 0; index += 1) {
        if ((way & bitOf(index)) === 0) continue;
        total = (way & (excluded[index] as number)) === 0 ? total + (scores[index] as number) : -1;
        pairs += 1;
      }
      if (total < 0) continue;
      if (total > best || (total === best && pairs > bestPairs)) [best, bestPairs, bestWay] = [total, pairs, way];
      for (let index = 0; index < length; index += 1) {
        if ((way & bitOf(index)) === 0 && total > (bestWithout[index] as number)) bestWithout[index] = total;
      }
    }
    return edges.flatMap((edge, index) =>
      (bestWay & bitOf(index)) === 0 ? [] : [{ edge, margin: (best - (bestWithout[index] as number)) / 1e6 }],
    );
  };
};
