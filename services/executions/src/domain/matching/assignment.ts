/**
 * One-to-one assignment. Candidates form components; each is solved on its own: greatest total score, then most pairs, then the
 * smallest ranks. Vertices are added one by one and the matching kept optimal by the best augmenting path, which is exact and
 * sparse; beyond a size the component is solved greedily, by score and then rank, so that its cost stays bounded.
 */

export interface Edge {
  readonly source: number;
  readonly target: number;
  /** 0 to 1. */
  readonly score: number;
  /** Smaller is preferred between solutions of equal score and size. */
  readonly preference: number;
}

export interface Assigned {
  readonly edge: Edge;
  /** What the solution would lose if this pair were forbidden, in score. */
  readonly margin: number;
  readonly runnerUp: Edge | undefined;
  /** Every edge of the component: what else could have been. */
  readonly rivals: readonly Edge[];
}

/** Components up to this many edges are solved exactly. */
const exactEdgesMax = 20_000;
/** Up to this many, each margin is found by solving again without the pair; beyond, from the pair's runners-up. */
const exactMarginEdgesMax = 200;

export const assign = (edges: readonly Edge[]): Assigned[] => componentsOf(edges).flatMap(solveComponent);

const solveComponent = (component: readonly Edge[]): Assigned[] => {
  const [only] = component;
  if (component.length === 1 && only !== undefined) return [{ edge: only, margin: only.score, runnerUp: undefined, rivals: component }];
  const chosen = component.length <= exactEdgesMax ? solve(component) : solveGreedily(component);
  const total = totalScore(chosen);
  return chosen.map((edge) => {
    const runnerUp = runnerUpOf(edge, component);
    const exact = component.length <= exactMarginEdgesMax;
    const margin = exact ? total - totalScore(solve(component.filter((other) => other !== edge))) : edge.score - (runnerUp?.score ?? 0);
    return { edge, margin: Math.max(0, rounded(margin)), runnerUp, rivals: component };
  });
};

const totalScore = (edges: readonly Edge[]): number => edges.reduce((sum, { score }) => sum + score, 0);
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

const byScore = (one: Edge, other: Edge): number =>
  other.score - one.score || one.preference - other.preference || one.source - other.source || one.target - other.target;

/** The best pair that either of the two records could have had instead. */
const runnerUpOf = (edge: Edge, component: readonly Edge[]): Edge | undefined =>
  component.filter((other) => other !== edge && (other.source === edge.source || other.target === edge.target)).sort(byScore)[0];

const solveGreedily = (edges: readonly Edge[]): Edge[] => {
  const sources = new Set<number>();
  const targets = new Set<number>();
  return edges.toSorted(byScore).filter(({ source, target }) => {
    if (sources.has(source) || targets.has(target)) return false;
    sources.add(source);
    targets.add(target);
    return true;
  });
};

/** Lexicographic weight: score in millionths, then one per pair, then preference. Compared part by part, never added up in a float. */
type Weight = readonly [number, number, number];
const zero: Weight = [0, 0, 0];
const plus = (one: Weight, other: Weight): Weight => [one[0] + other[0], one[1] + other[1], one[2] + other[2]];
const minus = (one: Weight, other: Weight): Weight => [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
const isGreater = (one: Weight, other: Weight): boolean =>
  one[0] !== other[0] ? one[0] > other[0] : one[1] !== other[1] ? one[1] > other[1] : one[2] > other[2];
const weightOf = ({ score, preference }: Edge): Weight => [Math.round(score * 1e6), 1, -preference];

const solve = (edges: readonly Edge[]): Edge[] => {
  const ofSource = Map.groupBy(
    edges.toSorted((one, other) => one.source - other.source || one.target - other.target),
    ({ source }) => source,
  );
  const matchOfTarget = new Map<number, Edge>();
  const matchOfSource = new Map<number, Edge>();
  for (const source of [...ofSource.keys()].sort((one, other) => one - other)) augment(source, ofSource, matchOfSource, matchOfTarget);
  return [...matchOfSource.values()].sort((one, other) => one.source - other.source);
};

/**
 * The best alternating path from a free source: it ends at a free target, or at a source that gives its target up. Labels are
 * corrected until none improves; an optimal matching has no cycle that gains, so this ends.
 */
const augment = (
  start: number,
  ofSource: ReadonlyMap<number, Edge[]>,
  matchOfSource: Map<number, Edge>,
  matchOfTarget: Map<number, Edge>,
): void => {
  const gainAtSource = new Map<number, Weight>([[start, zero]]);
  const reachedBy = new Map<number, Edge>();
  const queue = [start];
  const queued = new Set(queue);
  let best: { gain: Weight; source?: number; target?: number } = { gain: zero, source: start };
  for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
    queued.delete(source);
    const gain = gainAtSource.get(source) as Weight;
    for (const edge of ofSource.get(source) ?? []) {
      if (edge === matchOfSource.get(source)) continue;
      const withEdge = plus(gain, weightOf(edge));
      const occupied = matchOfTarget.get(edge.target);
      const after = occupied === undefined ? withEdge : minus(withEdge, weightOf(occupied));
      if (occupied === undefined) {
        if (isGreater(after, best.gain)) {
          reachedBy.set(edge.target, edge);
          best = { gain: after, target: edge.target };
        }
        continue;
      }
      const known = gainAtSource.get(occupied.source);
      if (occupied.source === start || (known !== undefined && !isGreater(after, known))) continue;
      gainAtSource.set(occupied.source, after);
      reachedBy.set(edge.target, edge);
      if (isGreater(after, best.gain)) best = { gain: after, source: occupied.source };
      if (!queued.has(occupied.source)) {
        queued.add(occupied.source);
        queue.push(occupied.source);
      }
    }
  }
  flip(start, best, reachedBy, matchOfSource, matchOfTarget);
};

/** Takes the path's pairs, from its end back to the start. */
const flip = (
  start: number,
  end: { readonly source?: number; readonly target?: number },
  reachedBy: ReadonlyMap<number, Edge>,
  matchOfSource: Map<number, Edge>,
  matchOfTarget: Map<number, Edge>,
): void => {
  if (end.source === start) return;
  let target = end.target;
  if (end.source !== undefined) {
    target = matchOfSource.get(end.source)?.target;
    matchOfSource.delete(end.source);
  }
  while (target !== undefined) {
    const edge = reachedBy.get(target) as Edge;
    const previous = matchOfSource.get(edge.source)?.target;
    matchOfSource.set(edge.source, edge);
    matchOfTarget.set(target, edge);
    target = edge.source === start ? undefined : previous;
  }
};

/** Edges that share records, directly or through others, in the order of their smallest source. */
const componentsOf = (edges: readonly Edge[]): Edge[][] => {
  const parents = new Map<string, string>();
  const rootOf = (node: string): string => {
    let root = node;
    for (let parent = parents.get(root); parent !== undefined && parent !== root; parent = parents.get(root)) root = parent;
    for (let step = node; step !== root; ) {
      const next = parents.get(step) ?? root;
      parents.set(step, root);
      step = next;
    }
    return root;
  };
  for (const { source, target } of edges) {
    const one = rootOf(`s${source}`);
    const other = rootOf(`t${target}`);
    if (one !== other) parents.set(other, one);
  }
  return [...Map.groupBy(edges, ({ source }) => rootOf(`s${source}`)).values()].sort((one, other) => smallest(one) - smallest(other));
};

const smallest = (edges: readonly Edge[]): number => edges.reduce((least, { source }) => Math.min(least, source), Number.MAX_SAFE_INTEGER);
