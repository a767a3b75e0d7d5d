/**
 * Of several optimal solutions one is taken by rule, not by chance: the first source has its first possible target, then the second
 * source, and so on. Optimal solutions use edges without slack only, and match every record whose price is not 0; so a solution is
 * moved towards the preferred one along paths without slack, and stays optimal all the way.
 */
import { at, type Graph } from './graph.ts';
import { type End, flip, type Solution, slackOf } from './solve.ts';

/** Edges looked at per component. Beyond it the solution is optimal and reproducible all the same, only not the very first of its equals. */
const visitsMax = 2_000_000;

export const settleTies = (graph: Graph, solution: Solution): void => {
  const { sourceOf, targetOf, firstOfSource, firstOfTarget, byTarget } = graph;
  const { ofSource, ofTarget, sourcePrices, targetPrices } = solution;
  const isSettled = new Uint8Array(graph.targetCount);
  const reachedBy = new Int32Array(graph.targetCount);
  const takes = new Int32Array(graph.sourceCount);
  const isTight = (edge: number): boolean => slackOf(graph, solution, edge) === 0;
  const ownerOf = (target: number): number => (at(ofTarget, target) === -1 ? -1 : at(sourceOf, at(ofTarget, target)));
  let visits = 0;

  /** For a source whose target is taken away: back to `wanted` where that can be, else to any target that is free, else out. */
  const endForSource = (start: number, taken: number, wanted: number): End | undefined => {
    const seen = new Set([taken]);
    const queue = [start];
    let end: End | undefined;
    for (const source of queue) {
      if (at(sourcePrices, source) === 0) end ??= { source };
      for (let edge = at(firstOfSource, source); edge < at(firstOfSource, source + 1); edge += 1) {
        const target = at(targetOf, edge);
        visits += 1;
        if (seen.has(target) || isSettled[target] === 1 || !isTight(edge)) continue;
        seen.add(target);
        reachedBy[target] = edge;
        if (target === wanted) return { target };
        const owner = ownerOf(target);
        if (owner === -1) end ??= { target };
        else queue.push(owner);
      }
    }
    return end;
  };

  /** For a target that must not stay free: the source that ends the chain of those which can move over to it. */
  const endForTarget = (start: number, without: number): number | undefined => {
    const seen = new Set([without]);
    const queue = [start];
    for (const target of queue) {
      for (let index = at(firstOfTarget, target); index < at(firstOfTarget, target + 1); index += 1) {
        const edge = at(byTarget, index);
        const source = at(sourceOf, edge);
        visits += 1;
        if (seen.has(source) || !isTight(edge)) continue;
        const given = at(ofSource, source) === -1 ? -1 : at(targetOf, at(ofSource, source));
        if (given !== -1 && isSettled[given] === 1) continue;
        seen.add(source);
        takes[source] = edge;
        if (given === -1 || at(targetPrices, given) === 0) return source;
        queue.push(given);
      }
    }
    return undefined;
  };

  const moveOver = (last: number, start: number): void => {
    const given = at(ofSource, last);
    if (given !== -1) ofTarget[at(targetOf, given)] = -1;
    for (let source = last; ; ) {
      const edge = at(takes, source);
      const target = at(targetOf, edge);
      const owner = ownerOf(target);
      ofSource[source] = edge;
      ofTarget[target] = edge;
      if (target === start) return;
      source = owner;
    }
  };

  /** Gives the source this edge instead of its own, if the rest can be put right: in one round, or at both ends separately. */
  const exchange = (source: number, edge: number): boolean => {
    const target = at(targetOf, edge);
    const own = at(ofSource, source) === -1 ? -1 : at(targetOf, at(ofSource, source));
    const owner = ownerOf(target);
    const end = owner === -1 ? undefined : endForSource(owner, target, own);
    if (owner !== -1 && end === undefined) return false;
    const isRound = end !== undefined && 'target' in end && end.target === own;
    const mustFill = own !== -1 && !isRound && at(targetPrices, own) !== 0;
    const filler = mustFill ? endForTarget(own, source) : undefined;
    if (mustFill && filler === undefined) return false;
    if (own !== -1) ofTarget[own] = -1;
    if (end !== undefined) flip(graph, solution, owner, end, reachedBy);
    if (filler !== undefined) moveOver(filler, own);
    ofSource[source] = edge;
    ofTarget[target] = edge;
    return true;
  };

  for (let source = 0; source < graph.sourceCount && visits < visitsMax; source += 1) {
    for (let edge = at(firstOfSource, source); edge < at(firstOfSource, source + 1) && edge !== at(ofSource, source); edge += 1) {
      if (isSettled[at(targetOf, edge)] === 0 && isTight(edge) && exchange(source, edge)) break;
    }
    if (at(ofSource, source) !== -1) isSettled[at(targetOf, at(ofSource, source))] = 1;
  }
};
