/** Candidate pairs of a pass with their scores, in columns: there may be fifty for every record. */
import type { Edge } from '../assignment/graph.ts';
import { giveBack, lendIntegers } from '../columns/scratch.ts';

export interface Edges {
  readonly length: number;
  readonly sources: Int32Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  /** In millionths. */
  readonly scores: Int32Array<ArrayBuffer>;
}

export interface EdgeBuilder {
  readonly push: (source: number, target: number, score: number) => void;
  readonly length: () => number;
  readonly build: () => Edges;
}

/** @param expected how many there will be, as far as one can tell; memory that is not written to costs nothing */
export const createEdgeBuilder = (expected = 1_024): EdgeBuilder => {
  let sources = lendIntegers(expected);
  let targets = lendIntegers(expected);
  let scores = lendIntegers(expected);
  let length = 0;
  const grown = (column: Int32Array<ArrayBuffer>) => {
    const larger = new Int32Array(Math.max(1_024, Math.ceil(length * 1.8)));
    larger.set(column);
    return larger;
  };
  return {
    push: (source, target, score) => {
      if (length === sources.length) {
        sources = grown(sources);
        targets = grown(targets);
        scores = grown(scores);
      }
      sources[length] = source;
      targets[length] = target;
      scores[length] = score;
      length += 1;
    },
    length: () => length,
    build: () => ({
      length,
      sources: sources.subarray(0, length),
      targets: targets.subarray(0, length),
      scores: scores.subarray(0, length),
    }),
  };
};

/** Of those that nobody looks at any more; left to the collector they would be memory of the rest of the run. */
export const giveBackEdges = ({ sources, targets, scores }: Edges): void => giveBack(sources, targets, scores);

export const edgeAt = ({ sources, targets, scores }: Edges, index: number): Edge => ({
  source: sources[index] as number,
  target: targets[index] as number,
  score: (scores[index] as number) / 1e6,
});

export const filtered = (edges: Edges, isKept: (source: number, target: number) => boolean): Edges => {
  const kept = createEdgeBuilder();
  for (let index = 0; index < edges.length; index += 1) {
    const source = edges.sources[index] as number;
    const target = edges.targets[index] as number;
    if (isKept(source, target)) kept.push(source, target, edges.scores[index] as number);
  }
  return kept.build();
};

/** Alternatives find some pairs twice. */
export const distinct = (edges: Edges): Edges => {
  const seen = new Set<number>();
  return filtered(edges, (source, target) => {
    const key = source * 2 ** 26 + target;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};
