/** A component as a sparse graph: records numbered in the order that settles ties, edges sorted by source and then target. */
import type { Side } from '../../side.ts';

export interface Edge {
  /** Rows of the two batches. */
  readonly source: number;
  readonly target: number;
  /** 0 to 1, in millionths. */
  readonly score: number;
}

/** Where solutions are equally good, rows that come first in this order are served first. Never 0 for two different rows. */
export interface TieOrder {
  readonly source: (one: number, other: number) => number;
  readonly target: (one: number, other: number) => number;
}

export interface Graph {
  readonly edges: readonly Edge[];
  readonly sourceCount: number;
  readonly targetCount: number;
  readonly sourceOf: Int32Array;
  readonly targetOf: Int32Array;
  readonly weights: Float64Array;
  /** Edges of source s: `firstOfSource[s]` up to `firstOfSource[s + 1]`. */
  readonly firstOfSource: Int32Array;
  /** Edges of target t: `byTarget[i]` for i from `firstOfTarget[t]` up to `firstOfTarget[t + 1]`. */
  readonly firstOfTarget: Int32Array;
  readonly byTarget: Int32Array;
}

/**
 * A pair weighs its score in millionths times this, plus one: more score always counts more than more pairs, and both are one
 * integer that a double holds exactly. It bounds the pairs of a graph, and so its edges.
 */
export const scoreUnit = 32_768;
export const edgesMax = scoreUnit - 1;

/** For indexes that come from the graph itself, and so are always inside. */
export const at = (array: Int32Array | Float64Array, index: number): number => array[index] as number;

export const graphOf = (component: readonly Edge[], order: TieOrder): Graph => {
  const { source: sources, target: targets } = numbered(component, order);
  // Looked up once for each edge: a component may have as many as there are pairs of its records.
  const sourceNumbers = Int32Array.from(component, ({ source }) => sources.get(source) as number);
  const targetNumbers = Int32Array.from(component, ({ target }) => targets.get(target) as number);
  const places = sortedBy(sourceNumbers, sources.size, sortedBy(targetNumbers, targets.size));
  const edges = Array.from(places, (place) => component[place] as Edge);
  const sourceOf = places.map((place) => at(sourceNumbers, place));
  const targetOf = places.map((place) => at(targetNumbers, place));
  return {
    edges,
    sourceCount: sources.size,
    targetCount: targets.size,
    sourceOf,
    targetOf,
    weights: Float64Array.from(edges, ({ score }) => Math.round(score * 1e6) * scoreUnit + 1),
    firstOfSource: firstsOf(sourceOf, sources.size),
    firstOfTarget: firstsOf(targetOf, targets.size),
    byTarget: sortedBy(targetOf, targets.size),
  };
};

/** The records of a component, numbered in the order of ties. */
const numbered = (component: readonly Edge[], order: TieOrder): Readonly<Record<Side, ReadonlyMap<number, number>>> => ({
  source: numbersOfRows(
    component.map(({ source }) => source),
    order.source,
  ),
  target: numbersOfRows(
    component.map(({ target }) => target),
    order.target,
  ),
});

const numbersOfRows = (rows: readonly number[], compare: (one: number, other: number) => number): Map<number, number> =>
  new Map([...new Set(rows)].sort(compare).map((row, number) => [row, number]));

const firstsOf = (vertexOf: Int32Array, count: number): Int32Array => {
  const firsts = new Int32Array(count + 1);
  for (const vertex of vertexOf) firsts[vertex + 1] = at(firsts, vertex + 1) + 1;
  for (let vertex = 0; vertex < count; vertex += 1) firsts[vertex + 1] = at(firsts, vertex + 1) + at(firsts, vertex);
  return firsts;
};

/** Edges by their vertex; those of one in the order in which they were. */
const sortedBy = (vertexOf: Int32Array, count: number, edges: Iterable<number> = vertexOf.keys()): Int32Array => {
  const next = firstsOf(vertexOf, count);
  const sorted = new Int32Array(vertexOf.length);
  for (const edge of edges) {
    const vertex = at(vertexOf, edge);
    sorted[at(next, vertex)] = edge;
    next[vertex] = at(next, vertex) + 1;
  }
  return sorted;
};
