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
  const parents = untied(edges.length * 2);
  for (const { source, target } of edges) tie(parents, vertexOf(vertexOfSource, source), vertexOf(vertexOfTarget, target));
  return [...Map.groupBy(edges, ({ source }) => rootOf(parents, vertexOf(vertexOfSource, source))).values()];
};

/** So many vertices, each alone. */
export const untied = (count: number): Int32Array => {
  const parents = new Int32Array(count);
  for (let vertex = 0; vertex < count; vertex += 1) parents[vertex] = vertex;
  return parents;
};

export const tie = (parents: Int32Array, one: number, other: number): void => {
  const [root, otherRoot] = [rootOf(parents, one), rootOf(parents, other)];
  parents[Math.max(root, otherRoot)] = Math.min(root, otherRoot);
};

/** The same for all vertices that are tied. Halves the path on its way up, which keeps every later climb short. */
export const rootOf = (parents: Int32Array, vertex: number): number => {
  let root = vertex;
  while (at(parents, root) !== root) {
    parents[root] = at(parents, at(parents, root));
    root = at(parents, root);
  }
  return root;
};
