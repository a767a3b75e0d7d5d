/** A group as a result: what it comes to, and of each condition the pair that is furthest apart, so that what is told of one holds of all. */
import type { Pass } from '@settler/contracts/rules';
import { compareRows, type RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { conditionOf, differenceIn } from '../results/explain-result.ts';
import type { ConditionResult } from '../results/result.ts';
import type { GroupSum } from './group-sum.ts';
import type { Group, GroupPairs } from './groups.ts';
import type { Settling } from './settle-pairs.ts';

export const takeGroup = (
  outcome: 'matched' | 'mismatched',
  passIndex: number,
  { sources, targets, score, pairs }: Omit<Group, 'isVerified'>,
  judges: readonly Judge[],
  sum: GroupSum,
  pass: Pass,
  { source, target, collector }: Settling,
): void => {
  const verdict = sum.judge(sources, targets);
  const conditions = [...conditionsOfGroup(judges, pairs, source, target), verdict.condition];
  const scoreOfGroup = Math.min(score, verdict.passed ? verdict.score : score);
  collector.group(
    outcome,
    passIndex,
    sources,
    targets,
    {
      cardinality: `${sources.length > 1 ? 'many' : 'one'}-to-${targets.length > 1 ? 'many' : 'one'}`,
      conditions,
      delta: {
        amount: verdict.delta,
        days: null,
        ...(verdict.fromExpected === undefined ? {} : { fromExpected: verdict.fromExpected }),
      },
      ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
      ...(outcome === 'mismatched'
        ? { category: verdict.passed ? differenceIn(conditions, pass) : pass.sum?.fee === undefined ? 'amount_mismatch' : 'fee_mismatch' }
        : {}),
    },
    scoreOfGroup,
  );
};

const conditionsOfGroup = (
  judges: readonly Judge[],
  { columns, first, count }: GroupPairs,
  source: RecordBatch,
  target: RecordBatch,
): ConditionResult[] => {
  const [sources, targets] = [columns.sources.subarray(first, first + count), columns.targets.subarray(first, first + count)];
  const scores = new Float64Array(count);
  /** Of pairs that are equally far apart the first by what the records say: the order of the input must not be seen. */
  const isBefore = (one: number, other: number): boolean => {
    const [s, t] = [sources[one] as number, targets[one] as number];
    const [otherS, otherT] = [sources[other] as number, targets[other] as number];
    return ((s === otherS ? 0 : compareRows(source, s, otherS)) || compareRows(target, t, otherT)) < 0;
  };
  const furthest = (): number => {
    let found = 0;
    for (let index = 1; index < count; index += 1) {
      const difference = scoreOf(scores[index] as number) - scoreOf(scores[found] as number);
      if (difference < 0 || (difference === 0 && isBefore(index, found))) found = index;
    }
    return found;
  };
  return judges.map((judge) => {
    if (count > 1) judge.judge(sources, targets, count, scores);
    const pair = furthest();
    return conditionOf(judge, sources[pair] as number, targets[pair] as number);
  });
};

/** What fails is further apart than anything that passes. */
const scoreOf = (score: number): number => (Number.isNaN(score) ? -1 : score);
