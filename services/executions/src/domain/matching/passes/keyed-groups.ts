/**
 * Groups by key: records that the identifying conditions tie together, judged by what they come to. A group whose sum does not fit is
 * one difference and not several missing records; like every difference it is fixed after all passes. What later passes have left of it
 * is another group, or several, and judged anew: it may fit.
 */
import type { Pass } from '@settler/contracts/rules';
import type { Judge } from '../conditions/judge.ts';
import type { Rows } from './candidates.ts';
import { giveBackEdges } from './edges.ts';
import { createGroupSum } from './group-sum.ts';
import { type Group, groupsOf } from './groups.ts';
import { judgePass } from './judgement.ts';
import { type Settling, stillOpen } from './settle-pairs.ts';
import { takeGroup } from './take-group.ts';

/** What is to be done once all passes are through. */
export interface Rests {
  /** Takes what fits by now. */
  readonly takeFitting: () => void;
  /** Takes all that is open still, as a difference where it is one. */
  readonly takeAll: () => void;
}

/** Takes the groups that fit. @throws TooManyCandidates */
export const settleKeyedGroups = (pass: Pass, passIndex: number, judges: readonly Judge[], rows: Rows, settling: Settling): Rests => {
  const { source, target, collector, apart } = settling;
  const sum = createGroupSum(pass, source, target);
  const isFitting = ({ isVerified, sources, targets }: Group): boolean => isVerified && sum.judge(sources, targets).passed;
  const take = (outcome: 'matched' | 'mismatched', group: Group): void => {
    // What a person took apart is tied together by others: who belongs to whom nobody knows, and all of them stay open.
    if (apart?.isAmong(outcome, group.sources, group.targets) === true) return;
    takeGroup(outcome, passIndex, group, judges, sum, pass, settling);
  };
  /** Returns the groups that differ. */
  const takeFitting = (groups: readonly Group[]): Group[] =>
    groups.filter((group) => {
      if (!isFitting(group)) return true;
      take('matched', group);
      return false;
    });

  const judged = judgePass(pass, judges, rows, settling);
  const groups = groupsOf(judged, source, target);
  for (const group of groups) {
    if (fits(pass, group)) continue;
    const many = pass.cardinality === 'many-to-one' ? 'target' : pass.cardinality === 'one-to-many' ? 'source' : 'records of both sides';
    collector.group('ambiguous', passIndex, group.sources, group.targets, { reason: `several ${many} records share the key` });
  }
  let different = takeFitting(groups.filter((group) => fits(pass, group)));
  let pairs = { agreeing: stillOpen(judged.agreeing, collector), differing: stillOpen(judged.differing, collector) };
  giveBackEdges(judged.agreeing);
  giveBackEdges(judged.differing);
  /** Groups are what they were, unless a record of theirs was taken. */
  const judgeAnew = (): void => {
    const left = { agreeing: stillOpen(pairs.agreeing, collector), differing: stillOpen(pairs.differing, collector) };
    if (left.agreeing.length === pairs.agreeing.length && left.differing.length === pairs.differing.length) return;
    pairs = left;
    different = takeFitting(groupsOf(pairs, source, target));
  };
  return {
    takeFitting: judgeAnew,
    takeAll: () => {
      judgeAnew();
      for (const group of different) take('mismatched', group);
    },
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
