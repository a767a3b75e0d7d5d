/** Edges that share records, directly or through others: what one pair takes matters to its own component alone. */
import { at, type Edge } from './graph.ts';

export const componentsOf = (edges: readonly Edge[]): Edge[][] => {
  // Rows of a few edges may come from anywhere among millions, so vertices are numbered as they are met.
  const vertexOfSource = new Map<number, number>();
  const vertexOfTarget = new Map<number, number>();
  const vertexOf = (known: Map<number, number>, row: number): number => {
    const vertex = known.get(row) ?? vertexOfSource.size + vertexOfTarget.size;
    known.set(row, vertex);
    return vertex;
  };
  const parents = new Int32Array(edges.length * 2);
  for (let vertex = 0; vertex < parents.length; vertex += 1) parents[vertex] = vertex;
  for (const { source, target } of edges) {
    const one = rootOf(parents, vertexOf(vertexOfSource, source));
    const other = rootOf(parents, vertexOf(vertexOfTarget, target));
    parents[Math.max(one, other)] = Math.min(one, other);
  }
  return [...Map.groupBy(edges, ({ source }) => rootOf(parents, vertexOf(vertexOfSource, source))).values()];
};

/** Halves the path on its way up, which keeps every later climb short. */
const rootOf = (parents: Int32Array, vertex: number): number => {
  let root = vertex;
  while (at(parents, root) !== root) {
    parents[root] = at(parents, at(parents, root));
    root = at(parents, root);
  }
  return root;
};
