/**
 * Groups by key: records that the identifying conditions tie together, judged by what they come to. A group whose sum does not fit is
 * one difference and not several missing records; like every difference it is fixed after all passes.
 */
import type { Pass } from '@settler/contracts/rules';
import { componentsOf } from '../assignment/components.ts';
import type { Edge } from '../assignment/graph.ts';
import { compareRows, type RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { conditionsOf } from '../results/explain-result.ts';
import type { Rows } from './candidates.ts';
import { type Edges, edgeAt } from './edges.ts';
import { createGroupSum, type GroupSum } from './group-sum.ts';
import { judgePass } from './judgement.ts';
import type { Settling } from './settle-pairs.ts';

interface Group {
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  /** The mean of its pairs, in millionths. */
  readonly score: number;
  readonly isVerified: boolean;
}

/** Takes the groups that fit. Returns how to settle, after all passes, those that differ. @throws TooManyCandidates */
export const settleKeyedGroups = (
  pass: Pass,
  passIndex: number,
  judges: readonly Judge[],
  rows: Rows,
  settling: Settling,
): (() => void) => {
  const { source, target, collector, apart } = settling;
  const { agreeing, differing } = judgePass(pass, judges, rows, settling);
  const sum = createGroupSum(pass, source, target);
  const different: Group[] = [];
  for (const group of groupsOf(agreeing, differing, source, target)) {
    const { sources, targets } = group;
    if (!fits(pass, group)) {
      const many = pass.cardinality === 'many-to-one' ? 'target' : pass.cardinality === 'one-to-many' ? 'source' : 'records of both sides';
      collector.group('ambiguous', passIndex, sources, targets, { reason: `several ${many} records share the key` });
      continue;
    }
    const isFit = group.isVerified && sum.judge(sources, targets).passed;
    // What a person took apart is tied together by others: who belongs to whom nobody knows, and all of them stay open.
    if (apart?.isAmong(isFit ? 'matched' : 'mismatched', sources, targets) === true) continue;
    if (isFit) takeGroup('matched', passIndex, group, judges, sum, pass, settling);
    else different.push(group);
  }
  return () => {
    for (const group of different) {
      const sources = group.sources.filter((row) => collector.isOpen('source', row));
      const targets = group.targets.filter((row) => collector.isOpen('target', row));
      if (sources.length > 0 && targets.length > 0)
        takeGroup('mismatched', passIndex, { ...group, sources, targets }, judges, sum, pass, settling);
    }
  };
};

const fits = ({ cardinality }: Pass, { sources, targets }: Group): boolean => {
  switch (cardinality) {
    case 'many-to-one':
      return targets.length === 1;
    case 'one-to-many':
      return sources.length === 1;
    case 'many-to-many':
      return true;
    case 'one-to-one':
      return sources.length === 1 && targets.length === 1;
  }
};

const groupsOf = (agreeing: Edges, differing: Edges, source: RecordBatch, target: RecordBatch): Group[] => {
  const failing = new Set<Edge>();
  const edges = [...edgesOf(agreeing), ...edgesOf(differing)];
  for (const edge of edges.slice(agreeing.length)) failing.add(edge);
  return componentsOf(edges).map((component) => ({
    sources: distinct(component.map((edge) => edge.source)).sort((one, other) => compareRows(source, one, other)),
    targets: distinct(component.map((edge) => edge.target)).sort((one, other) => compareRows(target, one, other)),
    score: Math.round((component.reduce((total, edge) => total + edge.score, 0) / component.length) * 1e6),
    isVerified: component.every((edge) => !failing.has(edge)),
  }));
};

const edgesOf = (edges: Edges): Edge[] => Array.from({ length: edges.length }, (_, index) => edgeAt(edges, index));
const distinct = (rows: readonly number[]): number[] => [...new Set(rows)];

export const takeGroup = (
  outcome: 'matched' | 'mismatched',
  passIndex: number,
  { sources, targets, score }: Pick<Group, 'sources' | 'targets' | 'score'>,
  judges: readonly Judge[],
  sum: GroupSum,
  pass: Pass,
  { collector }: Settling,
): void => {
  const verdict = sum.judge(sources, targets);
  const conditions = [...conditionsOf(judges, sources[0] ?? 0, targets[0] ?? 0), verdict.condition];
  const scoreOfGroup = Math.min(score, verdict.passed ? verdict.score : score);
  collector.group(
    outcome,
    passIndex,
    sources,
    targets,
    {
      cardinality: `${sources.length > 1 ? 'many' : 'one'}-to-${targets.length > 1 ? 'many' : 'one'}`,
      conditions,
      delta: { amount: verdict.delta, days: null },
      ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
      ...(outcome === 'mismatched'
        ? { category: verdict.passed ? 'field_mismatch' : pass.sum?.fee === undefined ? 'amount_mismatch' : 'fee_mismatch' }
        : {}),
    },
    scoreOfGroup,
  );
};
