/**
 * The margin of a matched pair: what the solution would lose in score if this pair were forbidden. The prices make that a search for
 * the cheapest repair. Either both records find something else, each at its own end, or a round of exchanges ends at the pair's
 * target; where the two ends meet they are such a round.
 */
import { at, type Graph, scoreUnit } from './graph.ts';
import { createHeap } from './heap.ts';
import { type Solution, slackOf } from './solve.ts';

/** Records looked at per pair for a round of exchanges. Beyond it the margin is a lower bound: no pair seems safer than it is. */
const visitsMax = 5_000;

/** Indexed like the graph's edges; of those that are not matched, 0. */
export const marginsOf = (graph: Graph, solution: Solution): Float64Array => {
  const forSource = sourceRepairs(graph, solution);
  const forTarget = targetRepairs(graph, solution);
  const round = createRoundSearch(graph, solution);
  const margins = new Float64Array(graph.edges.length);
  for (const edge of solution.ofSource) {
    if (edge === -1) continue;
    const source = at(graph.sourceOf, edge);
    const target = at(graph.targetOf, edge);
    const apart = at(forSource, source) + at(forTarget, target);
    // Losses count pairs too, in units far below a millionth of score: a repair that costs pairs alone is not to be undercut.
    const loss = apart < scoreUnit / 2 ? 0 : round(source, target, apart);
    margins[edge] = Math.max(0, Math.round(loss / scoreUnit)) / 1e6;
  }
  return margins;
};

/** The cheapest way for each source to do without its target: another one, through others if need be, or none. */
const sourceRepairs = (graph: Graph, solution: Solution): Float64Array => {
  const { sourceOf, targetOf, firstOfTarget, byTarget } = graph;
  const costs = Float64Array.from(solution.sourcePrices);
  for (let edge = 0; edge < graph.edges.length; edge += 1) {
    const source = at(sourceOf, edge);
    const isFree = at(solution.ofTarget, at(targetOf, edge)) === -1;
    if (isFree) costs[source] = Math.min(at(costs, source), slackOf(graph, solution, edge));
  }
  spread(costs, function* (source) {
    const own = at(solution.ofSource, source);
    if (own === -1) return;
    const target = at(targetOf, own);
    for (let index = at(firstOfTarget, target); index < at(firstOfTarget, target + 1); index += 1) {
      const edge = at(byTarget, index);
      yield [at(sourceOf, edge), slackOf(graph, solution, edge)];
    }
  });
  return costs;
};

/** The same for targets: another source takes it, or it stays free. */
const targetRepairs = (graph: Graph, solution: Solution): Float64Array => {
  const { sourceOf, targetOf, firstOfSource } = graph;
  const costs = Float64Array.from(solution.targetPrices);
  for (let edge = 0; edge < graph.edges.length; edge += 1) {
    const target = at(targetOf, edge);
    const isFree = at(solution.ofSource, at(sourceOf, edge)) === -1;
    if (isFree) costs[target] = Math.min(at(costs, target), slackOf(graph, solution, edge));
  }
  spread(costs, function* (target) {
    const own = at(solution.ofTarget, target);
    if (own === -1) return;
    const source = at(sourceOf, own);
    for (let edge = at(firstOfSource, source); edge < at(firstOfSource, source + 1); edge += 1) {
      yield [at(targetOf, edge), slackOf(graph, solution, edge)];
    }
  });
  return costs;
};

/** Dijkstra from all ends at once: `through` yields who could use a vertex's repair, and what getting there costs. */
const spread = (costs: Float64Array, through: (vertex: number) => Iterable<readonly [number, number]>): void => {
  const heap = createHeap();
  costs.forEach((cost, vertex) => {
    heap.push(cost, vertex);
  });
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
    if (next.distance > at(costs, next.node)) continue;
    for (const [vertex, slack] of through(next.node)) {
      if (next.distance + slack >= at(costs, vertex)) continue;
      costs[vertex] = next.distance + slack;
      heap.push(next.distance + slack, vertex);
    }
  }
};

const createRoundSearch = (graph: Graph, solution: Solution) => {
  const { sourceOf, targetOf, firstOfSource } = graph;
  /** The cheapest round from the source to its own target by other edges, or `limit` where none is cheaper. */
  return (start: number, goal: number, limit: number): number => {
    const distances = new Map<number, number>();
    const heap = createHeap();
    /** Whether it has come to the goal at no cost: no round is cheaper. */
    const leave = (source: number, distance: number): boolean => {
      for (let edge = at(firstOfSource, source); edge < at(firstOfSource, source + 1); edge += 1) {
        if (edge === at(solution.ofSource, source)) continue;
        const target = at(targetOf, edge);
        const next = distance + slackOf(graph, solution, edge);
        if (next >= limit || next >= (distances.get(target) ?? limit)) continue;
        if (next === 0 && target === goal) return true;
        distances.set(target, next);
        heap.push(next, target);
      }
      return false;
    };
    leave(start, 0);
    let visits = 0;
    for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
      visits += 1;
      if (next.node === goal || visits > visitsMax) return next.distance;
      if (next.distance > (distances.get(next.node) ?? limit)) continue;
      const own = at(solution.ofTarget, next.node);
      // A free target is an end of its own, which the repairs have counted.
      if (own !== -1 && leave(at(sourceOf, own), next.distance)) return 0;
    }
    return limit;
  };
};
