/**
 * The heaviest matching of a sparse graph, exactly: each source in turn takes the cheapest augmenting path (Dijkstra over reduced
 * costs), and prices keep every matched edge tight. A source may also stay out, or put another one out, where that weighs more.
 *
 * The prices outlive the search: source price + target price ≥ weight for every edge, equal for matched ones, and 0 for every record
 * left out. That proves the solution optimal, and says which other edges an equally good solution could use.
 */
import { at, type Graph } from './graph.ts';
import { createHeap } from './heap.ts';

export interface Solution {
  /** The edge that each record is matched by, or -1. */
  readonly ofSource: Int32Array;
  readonly ofTarget: Int32Array;
  readonly sourcePrices: Float64Array;
  readonly targetPrices: Float64Array;
}

export const solve = (graph: Graph): Solution => {
  const solution: Solution = {
    ofSource: new Int32Array(graph.sourceCount).fill(-1),
    ofTarget: new Int32Array(graph.targetCount).fill(-1),
    sourcePrices: new Float64Array(graph.sourceCount),
    targetPrices: new Float64Array(graph.targetCount),
  };
  for (let edge = 0; edge < graph.edges.length; edge += 1) {
    const source = at(graph.sourceOf, edge);
    solution.sourcePrices[source] = Math.max(at(solution.sourcePrices, source), at(graph.weights, edge));
  }
  const search = createSearch(graph, solution);
  for (let source = 0; source < graph.sourceCount; source += 1) search(source);
  return solution;
};

/** What taking the edge costs at today's prices: never negative, and 0 for an edge of some optimal solution. */
export const slackOf = ({ sourceOf, targetOf, weights }: Graph, { sourcePrices, targetPrices }: Solution, edge: number): number =>
  at(sourcePrices, at(sourceOf, edge)) + at(targetPrices, at(targetOf, edge)) - at(weights, edge);

/** Where a path ends: at a free target, or at a source that is left out. */
export type End = { readonly target: number } | { readonly source: number };

const createSearch = (graph: Graph, solution: Solution) => {
  const { sourceOf, targetOf, firstOfSource } = graph;
  const { ofTarget, sourcePrices, targetPrices } = solution;
  const distances = new Float64Array(graph.targetCount).fill(Number.POSITIVE_INFINITY);
  const reachedBy = new Int32Array(graph.targetCount);
  return (start: number): void => {
    const heap = createHeap();
    const touched: number[] = [];
    const settled: number[] = [];
    let end: End = { source: start };
    let cost = at(sourcePrices, start);
    const leave = (source: number, distance: number): void => {
      if (distance + at(sourcePrices, source) < cost) {
        cost = distance + at(sourcePrices, source);
        end = { source };
      }
      for (let edge = at(firstOfSource, source); edge < at(firstOfSource, source + 1); edge += 1) {
        const target = at(targetOf, edge);
        const next = distance + slackOf(graph, solution, edge);
        if (next >= cost || next >= at(distances, target)) continue;
        distances[target] = next;
        reachedBy[target] = edge;
        touched.push(target);
        heap.push(next, target);
      }
    };
    leave(start, 0);
    for (let next = heap.pop(); next !== undefined && next.distance < cost; next = heap.pop()) {
      const { distance, node: target } = next;
      if (distance > at(distances, target)) continue;
      if (at(ofTarget, target) === -1) {
        end = { target };
        cost = distance;
        break;
      }
      settled.push(target);
      leave(at(sourceOf, at(ofTarget, target)), distance);
    }
    sourcePrices[start] = at(sourcePrices, start) - cost;
    for (const target of settled) {
      const shift = cost - at(distances, target);
      const source = at(sourceOf, at(ofTarget, target));
      targetPrices[target] = at(targetPrices, target) + shift;
      sourcePrices[source] = at(sourcePrices, source) - shift;
    }
    for (const target of touched) distances[target] = Number.POSITIVE_INFINITY;
    flip(graph, solution, start, end, reachedBy);
  };
};

/** Takes a path's edges, from its end back to the source it started from. */
export const flip = ({ sourceOf, targetOf }: Graph, solution: Solution, start: number, end: End, reachedBy: Int32Array): void => {
  const { ofSource, ofTarget } = solution;
  let target = -1;
  if ('target' in end) target = end.target;
  else {
    const given = at(ofSource, end.source);
    ofSource[end.source] = -1;
    if (end.source === start) return;
    target = at(targetOf, given);
  }
  for (;;) {
    const edge = at(reachedBy, target);
    const source = at(sourceOf, edge);
    const given = at(ofSource, source);
    ofSource[source] = edge;
    ofTarget[target] = edge;
    if (source === start) return;
    target = at(targetOf, given);
  }
};
