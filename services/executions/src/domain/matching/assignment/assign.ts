/**
 * One-to-one assignment. Candidates form components, each solved on its own: greatest total score, then most pairs, then the first
 * records in the order of ties. Components beyond a size are solved greedily, by score and then that order, so that their cost stays
 * bounded.
 */
import { componentsOf } from './components.ts';
import { createFewSolver, fewEdgesMax } from './few.ts';
import { at, type Edge, edgesMax, graphOf, numbered, type TieOrder } from './graph.ts';
import { marginsOf } from './margins.ts';
import { solve } from './solve.ts';
import { settleTies } from './ties.ts';

export interface Assigned {
  readonly edge: Edge;
  /** What the solution would lose in score if this pair were forbidden. */
  readonly margin: number;
  /** The best other pair that either of the two records could have been in. */
  readonly runnerUp: Edge | undefined;
  /** Every edge of the component: what else could have been. */
  readonly rivals: readonly Edge[];
}

export const assign = (edges: readonly Edge[], order: TieOrder, optimalEdgesMax = edgesMax): Assigned[] => {
  const solveFew = createFewSolver(order);
  const better = byScore(order);
  return componentsOf(edges).flatMap((component) => {
    if (component.length > Math.min(optimalEdgesMax, edgesMax)) return greedily(component, order);
    if (component.length > fewEdgesMax) return optimally(component, order);
    return solveFew(component).map(({ edge, margin }) => ({
      edge,
      margin,
      runnerUp: runnerUpAmong(component, edge, better),
      rivals: component,
    }));
  });
};

/** Of any size, and so of a few edges too. */
export const optimally = (component: readonly Edge[], order: TieOrder): Assigned[] => {
  const graph = graphOf(component, order);
  const solution = solve(graph);
  settleTies(graph, solution);
  const margins = marginsOf(graph, solution);
  const runnerUpOf = runnersUp(graph.edges, byScore(order));
  return graph.edges.flatMap((edge, index) => {
    if (at(solution.ofSource, at(graph.sourceOf, index)) !== index) return [];
    return [{ edge, margin: at(margins, index), runnerUp: runnerUpOf(edge), rivals: component }];
  });
};

const greedily = (component: readonly Edge[], order: TieOrder): Assigned[] => {
  // So many are sorted by numbers, and not by looking at the records again and again.
  const { source: sourceNumbers, target: targetNumbers } = numbered(component, order);
  const numberIn = (numbers: ReadonlyMap<number, number>) => (one: number, other: number) =>
    (numbers.get(one) as number) - (numbers.get(other) as number);
  const better = byScore({ source: numberIn(sourceNumbers), target: numberIn(targetNumbers) });
  const runnerUpOf = runnersUp(component, better);
  const sources = new Set<number>();
  const targets = new Set<number>();
  return component.toSorted(better).flatMap((edge) => {
    if (sources.has(edge.source) || targets.has(edge.target)) return [];
    sources.add(edge.source);
    targets.add(edge.target);
    const runnerUp = runnerUpOf(edge);
    const margin = Math.max(0, Math.round((edge.score - (runnerUp?.score ?? 0)) * 1e6) / 1e6);
    return [{ edge, margin, runnerUp, rivals: component }];
  });
};

const byScore =
  (order: TieOrder) =>
  (one: Edge, other: Edge): number =>
    other.score - one.score || order.source(one.source, other.source) || order.target(one.target, other.target);

/** For a few edges, which are not worth an index. */
const runnerUpAmong = (component: readonly Edge[], own: Edge, better: (one: Edge, other: Edge) => number): Edge | undefined => {
  let best: Edge | undefined;
  for (const edge of component) {
    if (edge === own || (edge.source !== own.source && edge.target !== own.target)) continue;
    if (best === undefined || better(edge, best) < 0) best = edge;
  }
  return best;
};

/** Of each record the two best edges are enough: one of them is another one than its own. */
const runnersUp = (edges: readonly Edge[], better: (one: Edge, other: Edge) => number): ((edge: Edge) => Edge | undefined) => {
  const ofSource = new Map<number, Edge[]>();
  const ofTarget = new Map<number, Edge[]>();
  const keep = (best: Map<number, Edge[]>, row: number, edge: Edge): void => {
    best.set(row, [...(best.get(row) ?? []), edge].sort(better).slice(0, 2));
  };
  for (const edge of edges) {
    keep(ofSource, edge.source, edge);
    keep(ofTarget, edge.target, edge);
  }
  return (edge) =>
    [...(ofSource.get(edge.source) ?? []), ...(ofTarget.get(edge.target) ?? [])].filter((other) => other !== edge).sort(better)[0];
};
