/** Edges that share records, directly or through others: what one pair takes matters to its own component alone. */
import { at, type Edge } from './graph.ts';

export const componentsOf = (edges: readonly Edge[]): Edge[][] => {
  const sourceCount = edges.reduce((most, { source }) => Math.max(most, source + 1), 0);
  const targetCount = edges.reduce((most, { target }) => Math.max(most, target + 1), 0);
  const parents = Int32Array.from({ length: sourceCount + targetCount }, (_, vertex) => vertex);
  for (const { source, target } of edges) {
    const one = rootOf(parents, source);
    const other = rootOf(parents, sourceCount + target);
    parents[Math.max(one, other)] = Math.min(one, other);
  }
  return [...Map.groupBy(edges, ({ source }) => rootOf(parents, source)).values()];
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
