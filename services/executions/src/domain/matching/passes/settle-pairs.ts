/** From candidate pairs to results: pairs that are taken, and those that a person has to decide. */
import type { Rules } from '@settler/contracts/rules';
import type { Apart } from '../apart.ts';
import { type Assigned, assign } from '../assignment/assign.ts';
import { componentsOf } from '../assignment/components.ts';
import type { Edge, TieOrder } from '../assignment/graph.ts';
import { compareRows, noDay, type RecordBatch, wasKnown } from '../batch.ts';
import type { Collector } from '../results/collector.ts';
import { type Edges, edgeAt, filtered } from './edges.ts';

export interface Settling {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  readonly collector: Collector;
  /** Undefined where nobody has taken any apart. */
  readonly apart: Apart | undefined;
}

/** Without those that a person has taken apart. */
export const matchable = (edges: Edges, { apart }: Settling): Edges =>
  apart === undefined ? edges : filtered(edges, (source, target) => !apart.isPair('matched', source, target));

export const stillOpen = (edges: Edges, { isOpen }: Collector): Edges =>
  filtered(edges, (source, target) => isOpen('source', source) && isOpen('target', target));

export const settlePairs = (
  outcome: 'matched' | 'mismatched',
  passIndex: number,
  edges: Edges,
  { source, target, rules, collector }: Settling,
): void => {
  const rivals: Edge[] = [];
  const degrees = { source: degreesOf(edges.sources, source.length), target: degreesOf(edges.targets, target.length) };
  const take = collector.uncontested(outcome, passIndex);
  for (let index = 0; index < edges.length; index += 1) {
    const s = edges.sources[index] as number;
    const t = edges.targets[index] as number;
    if (degrees.source[s] !== 1 || degrees.target[t] !== 1) {
      rivals.push(edgeAt(edges, index));
      continue;
    }
    take(s, t, edges.scores[index] as number);
  }
  if (rivals.length === 0) return;
  const assigned = assign(rivals, tieOrderOf(source, target, rules));
  const doubtful = new Set(rules.conflictResolution === 'manual-review' ? assigned.filter(isDoubtful(rules.minMargin)) : []);
  const settled = assigned.filter((item) => !doubtful.has(item));
  for (const { edge, margin, runnerUp } of settled) {
    const isClose = runnerUp !== undefined && margin < rules.minMargin;
    collector.pair(
      {
        outcome,
        pass: passIndex,
        source: edge.source,
        target: edge.target,
        score: inMillionths(edge.score),
        margin: inMillionths(margin),
      },
      {
        ...(runnerUp === undefined ? {} : { runnerUp }),
        ...(isClose ? { reason: `the margin ${margin} is below ${rules.minMargin}` } : {}),
      },
    );
  }
  for (const group of openQuestions(doubtful, settled)) {
    collector.group('ambiguous', passIndex, distinct(group.map((edge) => edge.source)), distinct(group.map((edge) => edge.target)), {
      reason: 'several records fit equally well, or nearly so',
    });
  }
};

const inMillionths = (score: number): number => Math.round(score * 1e6);

/** None, one, or several. */
const degreesOf = (rows: Int32Array, length: number): Uint8Array => {
  const degrees = new Uint8Array(length);
  for (const row of rows) degrees[row] = degrees[row] === 0 ? 1 : 2;
  return degrees;
};

/**
 * What settles a tie: what the records say, ids first, or the dates before anything else where the rules say who wins. Records
 * without a date come last.
 */
const tieOrderOf = (source: RecordBatch, target: RecordBatch, { conflictResolution }: Pick<Rules, 'conflictResolution'>): TieOrder => {
  const direction = conflictResolution === 'first-wins' ? 1 : conflictResolution === 'last-wins' ? -1 : 0;
  return { source: orderIn(source, direction), target: orderIn(target, direction) };
};

const orderIn = (batch: RecordBatch, direction: -1 | 0 | 1): TieOrder['source'] => {
  const rank = (row: number): number => {
    const day = batch.days[row] as number;
    return day === noDay ? Number.MAX_SAFE_INTEGER : direction * day;
  };
  // Of records that say the same in everything, those that were left open before are left so again: somebody may be working on them.
  const wasOpen = (row: number): number => Number(wasKnown(batch, row));
  return (one, other) =>
    (direction === 0 ? 0 : rank(one) - rank(other)) || compareRows(batch, one, other) || wasOpen(one) - wasOpen(other) || one - other;
};

/** An exact tie is always a question; what is merely close is one below the rules' margin. */
const isDoubtful =
  (minMargin: number) =>
  ({ margin, runnerUp }: Assigned): boolean =>
    runnerUp !== undefined && (margin === 0 || margin < minMargin);

/** Doubtful records and everything still free that they could be paired with: each such group is one question for a person. */
const openQuestions = (doubtful: ReadonlySet<Assigned>, settled: readonly Assigned[]): Edge[][] => {
  if (doubtful.size === 0) return [];
  const taken = { source: new Set(settled.map(({ edge }) => edge.source)), target: new Set(settled.map(({ edge }) => edge.target)) };
  const asked = { source: new Set<number>(), target: new Set<number>() };
  for (const { edge } of doubtful) {
    asked.source.add(edge.source);
    asked.target.add(edge.target);
  }
  const open = [...new Set([...doubtful].map(({ rivals }) => rivals))].flatMap((rivals) =>
    rivals.filter(
      ({ source, target }) =>
        (asked.source.has(source) || asked.target.has(target)) && !taken.source.has(source) && !taken.target.has(target),
    ),
  );
  return componentsOf(open);
};

const distinct = (rows: readonly number[]): number[] => [...new Set(rows)].sort((one, other) => one - other);
