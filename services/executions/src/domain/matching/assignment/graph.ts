/** A component as a sparse graph: records numbered in the order that settles ties, edges sorted by source and then target. */
export interface Edge {
  /** Rows of the two batches. */
  readonly source: number;
  readonly target: number;
  /** 0 to 1, in millionths. */
  readonly score: number;
}

/** For every row its place among its side's records: where solutions are equally good, earlier places are served first. */
export interface TieOrder {
  readonly source: Int32Array;
  readonly target: Int32Array;
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
  const edges = component.toSorted(
    (one, other) =>
      at(order.source, one.source) - at(order.source, other.source) || at(order.target, one.target) - at(order.target, other.target),
  );
  const sources = numbered(edges.map(({ source }) => source));
  const byTargetOrder = component.map(({ target }) => target).sort((one, other) => at(order.target, one) - at(order.target, other));
  const targets = numbered(byTargetOrder);
  const sourceOf = Int32Array.from(edges, ({ source }) => sources.get(source) ?? 0);
  const targetOf = Int32Array.from(edges, ({ target }) => targets.get(target) ?? 0);
  const byTarget = Int32Array.from(edges, (_, edge) => edge).sort((one, other) => at(targetOf, one) - at(targetOf, other) || one - other);
  return {
    edges,
    sourceCount: sources.size,
    targetCount: targets.size,
    sourceOf,
    targetOf,
    weights: Float64Array.from(edges, ({ score }) => Math.round(score * 1e6) * scoreUnit + 1),
    firstOfSource: firstsOf(sourceOf, sources.size),
    firstOfTarget: firstsOf(targetOf, targets.size),
    byTarget,
  };
};

const numbered = (rows: readonly number[]): Map<number, number> => {
  const numbers = new Map<number, number>();
  for (const row of rows) if (!numbers.has(row)) numbers.set(row, numbers.size);
  return numbers;
};

const firstsOf = (vertexOf: Int32Array, count: number): Int32Array => {
  const firsts = new Int32Array(count + 1);
  for (const vertex of vertexOf) firsts[vertex + 1] = at(firsts, vertex + 1) + 1;
  for (let vertex = 0; vertex < count; vertex += 1) firsts[vertex + 1] = at(firsts, vertex + 1) + at(firsts, vertex);
  return firsts;
};
