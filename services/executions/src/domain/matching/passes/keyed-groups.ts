/**
 * Groups by key: records that the identifying conditions tie together, judged by what they come to. A group whose sum does not fit is
 * one difference and not several missing records; like every difference it is fixed after all passes.
 */
import type { Pass } from '@settler/contracts/rules';
import { rootOf, tie, untied } from '../assignment/components.ts';
import { compareRows, type RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { conditionsOf } from '../results/explain-result.ts';
import type { Rows } from './candidates.ts';
import type { Edges } from './edges.ts';
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

/** In the order of their first pairs. Pairs stay in columns: as an object each, millions of them would be most of a run's memory. */
const groupsOf = (agreeing: Edges, differing: Edges, source: RecordBatch, target: RecordBatch): Group[] => {
  const all = [agreeing, differing];
  const parents = untied(source.length + target.length);
  for (const { length, sources, targets } of all)
    for (let index = 0; index < length; index += 1) tie(parents, sources[index] as number, source.length + (targets[index] as number));
  const placeOf = new Int32Array(parents.length).fill(-1);
  const isKnown = new Uint8Array(parents.length);
  const groups: { sources: number[]; targets: number[]; score: number; pairs: number; isVerified: boolean }[] = [];
  for (const edges of all) {
    const { length, sources, targets, scores } = edges;
    for (let index = 0; index < length; index += 1) {
      const [s, t] = [sources[index] as number, targets[index] as number];
      const root = rootOf(parents, s);
      if (placeOf[root] === -1) {
        placeOf[root] = groups.length;
        groups.push({ sources: [], targets: [], score: 0, pairs: 0, isVerified: true });
      }
      const group = groups[placeOf[root] as number] as (typeof groups)[number];
      if (isKnown[s] === 0) group.sources.push(s);
      if (isKnown[source.length + t] === 0) group.targets.push(t);
      isKnown[s] = 1;
      isKnown[source.length + t] = 1;
      group.score += scores[index] as number;
      group.pairs += 1;
      if (edges === differing) group.isVerified = false;
    }
  }
  return groups.map(({ sources, targets, score, pairs, isVerified }) => ({
    sources: sources.sort((one, other) => compareRows(source, one, other)),
    targets: targets.sort((one, other) => compareRows(target, one, other)),
    score: Math.round(score / pairs),
    isVerified,
  }));
};

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
