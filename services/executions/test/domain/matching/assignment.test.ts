import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assigned, assign, optimally } from '../../../src/domain/matching/assignment/assign.ts';
import { componentsOf } from '../../../src/domain/matching/assignment/components.ts';
import type { Edge } from '../../../src/domain/matching/assignment/graph.ts';

const recordCount = 6;
const byRow = (one: number, other: number): number => one - other;
const natural = { source: byRow, target: byRow };

const edge = fc.record({
  source: fc.nat(recordCount - 1),
  target: fc.nat(recordCount - 1),
  score: fc.oneof(
    fc.nat(3).map((thirds) => Math.round((thirds / 3) * 1e6) / 1e6),
    fc.nat(1_000_000).map((millionths) => millionths / 1e6),
  ),
});
/** Nearly every solution has equals here, with fewer records on the one side or on the other: what decides is their order. */
const places = Array.from({ length: 18 }, (_, place) => place);
const tied = fc
  .tuple(
    fc.integer({ min: 3, max: 6 }),
    fc.subarray(places, { minLength: 7 }),
    fc.array(fc.constantFrom(0, 0.5, 0.5, 1), { minLength: 18, maxLength: 18 }),
  )
  .map(([targetCount, taken, scores]) =>
    taken.map((place): Edge => ({ source: Math.floor(place / targetCount), target: place % targetCount, score: scores[place] as number })),
  );
const graphs = fc.uniqueArray(edge, { selector: ({ source, target }) => source * recordCount + target, maxLength: 36 });

const millionths = (edges: readonly Edge[]): number => edges.reduce((sum, { score }) => sum + Math.round(score * 1e6), 0);
const chosen = (assigned: readonly Assigned[]): Edge[] => assigned.map((item) => item.edge).sort((one, other) => one.source - other.source);
const text = (edges: readonly Edge[]): string => edges.map(({ source, target }) => `${source}-${target}`).join(' ');

/** Every way to pair, source by source; the first of the best in the order of targets, so that it is also the preferred one. */
const bruteForce = (edges: readonly Edge[]): Edge[] => {
  let best: Edge[] = [];
  const extend = (source: number, taken: readonly Edge[]): void => {
    if (source === recordCount) {
      const gain = millionths(taken) - millionths(best);
      if (gain > 0 || (gain === 0 && taken.length > best.length)) best = [...taken];
      return;
    }
    const own = edges.filter((candidate) => candidate.source === source).sort((one, other) => one.target - other.target);
    for (const candidate of own) {
      if (!taken.some(({ target }) => target === candidate.target)) extend(source + 1, [...taken, candidate]);
    }
    extend(source + 1, taken);
  };
  extend(0, []);
  return best;
};

/** As it is done, and as if no component were of a few edges. */
const ways = {
  'as components of any size': assign,
  'by the search for large components': (edges: readonly Edge[], order: Parameters<typeof assign>[1]) =>
    componentsOf(edges).flatMap((component) => optimally(component, order)),
} as const;

describe.each(Object.entries(ways))('one-to-one assignment, %s', (_way, solve) => {
  test('is the one that brute force finds: greatest score, then most pairs, then the first records', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        expect(text(chosen(solve(edges, natural)))).toBe(text(bruteForce(edges)));
      }),
      { numRuns: 400 },
    );
  });

  test('where nearly everything is a tie, the first records have their first counterparts', () => {
    fc.assert(
      fc.property(tied, (edges) => {
        expect(text(chosen(solve(edges, natural)))).toBe(text(bruteForce(edges)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('the margin of a pair is what forbidding it costs', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const score = millionths(bruteForce(edges));
        for (const { edge: own, margin } of solve(edges, natural)) {
          const without = millionths(bruteForce(edges.filter((other) => other !== own)));
          expect(Math.round(margin * 1e6)).toBe(score - without);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('the runner-up is the best other pair of either record', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        for (const { edge: own, runnerUp } of solve(edges, natural)) {
          const others = edges.filter((other) => other !== own && (other.source === own.source || other.target === own.target));
          expect(runnerUp?.score).toBe(others.length === 0 ? undefined : Math.max(...others.map(({ score }) => score)));
        }
      }),
    );
  });

  test('neither the order of the candidates nor their rows decide, only the order of ties', () => {
    const reversed = (index: number) => recordCount - 1 - index;
    const backwards = (one: number, other: number): number => other - one;
    const order = { source: backwards, target: backwards };
    fc.assert(
      fc.property(graphs, (edges) => {
        const mirrored = edges.map((item) => ({ ...item, source: reversed(item.source), target: reversed(item.target) })).reverse();
        const back = solve(mirrored, order).map((item) => ({
          ...item,
          edge: { ...item.edge, source: reversed(item.edge.source), target: reversed(item.edge.target) },
        }));
        expect(text(chosen(back))).toBe(text(chosen(solve(edges, natural))));
      }),
    );
  });
});

describe('one-to-one assignment', () => {
  test('beyond the limit the best pair comes first, and its margin is against the better runner-up', () => {
    const edges = [
      { source: 0, target: 0, score: 0.9 },
      { source: 0, target: 1, score: 0.8 },
      { source: 1, target: 0, score: 0.85 },
    ];
    const greedy = assign(edges, natural, 2);
    expect(greedy.map((item) => [text([item.edge]), item.margin])).toEqual([['0-0', 0.05]]);
    expect(text(chosen(assign(edges, natural)))).toBe('0-1 1-0');
  });

  test('a tie of many equals is settled pair by pair', () => {
    const equal = Array.from({ length: 100 * 100 }, (_, index) => ({ source: Math.floor(index / 100), target: index % 100, score: 0.5 }));
    const assigned = assign(equal, natural);
    expect(assigned).toHaveLength(100);
    for (const { edge: own, margin } of assigned) expect([own.source, margin]).toEqual([own.target, 0]);
  });
});
