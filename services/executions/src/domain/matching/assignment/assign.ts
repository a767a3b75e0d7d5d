/**
 * One-to-one assignment. Candidates form components, each solved on its own: greatest total score, then most pairs, then the first
 * records in the order of ties. Components beyond a size are solved greedily, by score and then that order, so that their cost stays
 * bounded.
 */
import { componentsOf } from './components.ts';
import { createFewSolver, fewEdgesMax } from './few.ts';
import { at, type Edge, edgesMax, type Graph, graphOf, type TieOrder } from './graph.ts';
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
  const runnerUpOf = runnersUp(graph);
  return graph.edges.flatMap((edge, index) => {
    if (at(solution.ofSource, at(graph.sourceOf, index)) !== index) return [];
    return [{ edge, margin: at(margins, index), runnerUp: runnerUpOf(index), rivals: component }];
  });
};

const greedily = (component: readonly Edge[], order: TieOrder): Assigned[] => {
  const graph = graphOf(component, order);
  const { edges, sourceOf, targetOf, weights } = graph;
  const runnerUpOf = runnersUp(graph);
  const isTaken = { source: new Uint8Array(graph.sourceCount), target: new Uint8Array(graph.targetCount) };
  const assigned: Assigned[] = [];
  for (const index of graph.byTarget.toSorted((one, other) => at(weights, other) - at(weights, one) || one - other)) {
    const [source, target] = [at(sourceOf, index), at(targetOf, index)];
    if (isTaken.source[source] === 1 || isTaken.target[target] === 1) continue;
    isTaken.source[source] = 1;
    isTaken.target[target] = 1;
    const edge = edges[index] as Edge;
    const runnerUp = runnerUpOf(index);
    const margin = Math.max(0, Math.round((edge.score - (runnerUp?.score ?? 0)) * 1e6) / 1e6);
    assigned.push({ edge, margin, runnerUp, rivals: component });
  }
  return assigned;
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

/** Of each record the two best edges are enough: one of them is another one than its own. Of equal ones the first by the order of ties. */
const runnersUp = ({ edges, sourceOf, targetOf, weights, sourceCount, targetCount }: Graph): ((index: number) => Edge | undefined) => {
  const twoBest = (vertexOf: Int32Array, count: number): Int32Array => {
    const best = new Int32Array(count * 2).fill(-1);
    for (let index = 0; index < edges.length; index += 1) {
      const place = at(vertexOf, index) * 2;
      const [first, second] = [at(best, place), at(best, place + 1)];
      if (first === -1 || at(weights, index) > at(weights, first)) {
        best[place] = index;
        best[place + 1] = first;
      } else if (second === -1 || at(weights, index) > at(weights, second)) best[place + 1] = index;
    }
    return best;
  };
  const [ofSource, ofTarget] = [twoBest(sourceOf, sourceCount), twoBest(targetOf, targetCount)];
  return (own) => {
    const [source, target] = [at(sourceOf, own) * 2, at(targetOf, own) * 2];
    let best = -1;
    for (const other of [at(ofSource, source), at(ofSource, source + 1), at(ofTarget, target), at(ofTarget, target + 1)]) {
      if (other === -1 || other === own) continue;
      const difference = best === -1 ? 1 : at(weights, other) - at(weights, best);
      if (difference > 0 || (difference === 0 && other < best)) best = other;
    }
    return edges[best];
  };
};
