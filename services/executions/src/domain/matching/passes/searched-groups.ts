/**
 * Groups without a key: for one record the subset of its candidates that comes to its amount. Many subsets may fit and only one is
 * true, so nothing is taken that could as well have been another: a subset is taken when it is the only one, or the only run of
 * consecutive records, and when no other record lays claim to its members.
 */
import type { Pass } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import { compareRows, noDay, type RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { searchSubset } from '../subset/search.ts';
import type { Rows } from './candidates.ts';
import type { Edges } from './edges.ts';
import { createGroupSum, type GroupSum } from './group-sum.ts';
import type { GroupPairs } from './groups.ts';
import { judgePass } from './judgement.ts';
import { matchable, type Settling } from './settle-pairs.ts';
import type { SumRange } from './sum-range.ts';
import { takeGroup } from './take-group.ts';

/** Per record and round; beyond it the record is ambiguous with the reason `budget`. */
const stepsMax = 2_000_000;
/** What is taken in one round may leave a single answer to the next. */
const roundsMax = 4;

type Answer = ReturnType<typeof searchSubset>;

interface Searching {
  /** The side of which each record stands alone. */
  readonly one: Side;
  readonly many: Side;
  readonly candidates: ReadonlyMap<number, readonly number[]>;
}

/** @throws TooManyCandidates */
export const settleSearchedGroups = (pass: Pass, passIndex: number, judges: readonly Judge[], rows: Rows, settling: Settling): void => {
  const { source, target, collector } = settling;
  const { agreeing } = judgePass(pass, judges, rows, settling);
  const sum = createGroupSum(pass, source, target);
  const searching = searchingOf(pass, matchable(agreeing, settling), source, target);
  const { one, many } = searching;
  let answers = new Map<number, { readonly answer: Answer; readonly members: readonly number[] }>();
  for (let round = 0; round < roundsMax; round += 1) {
    answers = answersOf(pass, searching, sum, settling);
    const claims = new Map<number, number>();
    for (const { answer, members } of answers.values()) {
      if (answer.kind === 'found') for (const member of members) claims.set(member, (claims.get(member) ?? 0) + 1);
    }
    let taken = 0;
    for (const [row, { answer, members }] of answers) {
      if (answer.kind !== 'found' || members.some((member) => (claims.get(member) ?? 0) > 1)) continue;
      const group = groupOf(one, row, members);
      takeGroup('matched', passIndex, { ...group, score: 1e6, pairs: pairsOf(group) }, judges, sum, pass, settling);
      taken += 1;
    }
    if (taken === 0) break;
  }
  for (const question of questionsOf(
    answers,
    (row) => collector.isOpen(one, row),
    (row) => collector.isOpen(many, row),
  )) {
    const { ones, members, reason } = question;
    const [sources, targets] = one === 'target' ? [members, ones] : [ones, members];
    collector.group('ambiguous', passIndex, sources, targets, { reason });
  }
};

const groupOf = (one: Side, row: number, members: readonly number[]) =>
  one === 'target' ? { sources: members, targets: [row] } : { sources: [row], targets: members };

/** The one meets each of the many. */
const pairsOf = ({ sources, targets }: ReturnType<typeof groupOf>): GroupPairs => {
  const all = sources.flatMap((s) => targets.map((t) => [s, t] as const));
  const columns = { sources: Int32Array.from(all, ([s]) => s), targets: Int32Array.from(all, ([, t]) => t) };
  return { columns, first: 0, count: all.length };
};

const searchingOf = (pass: Pass, edges: Edges, source: RecordBatch, target: RecordBatch): Searching => {
  const one: Side = pass.cardinality === 'many-to-one' ? 'target' : 'source';
  const [ones, others, manyBatch, oneBatch] =
    one === 'target' ? [edges.targets, edges.sources, source, target] : [edges.sources, edges.targets, target, source];
  const candidates = new Map<number, number[]>();
  for (let index = 0; index < edges.length; index += 1) {
    const row = ones[index] as number;
    const list = candidates.get(row);
    if (list === undefined) candidates.set(row, [others[index] as number]);
    else list.push(others[index] as number);
  }
  for (const list of candidates.values()) list.sort((a, b) => chronological(manyBatch, a, b));
  const inOrder = [...candidates].sort(([a], [b]) => chronological(oneBatch, a, b));
  return { one, many: one === 'target' ? 'source' : 'target', candidates: new Map(inOrder) };
};

/** By date, then by what the records say: a settlement covers what came in one after another. */
const chronological = (batch: RecordBatch, one: number, other: number): number => {
  const [day, otherDay] = [batch.days[one] as number, batch.days[other] as number];
  return day === otherDay ? compareRows(batch, one, other) : day === noDay ? 1 : otherDay === noDay ? -1 : day - otherDay;
};

const answersOf = ({ search }: Pass, { one, many, candidates }: Searching, sum: GroupSum, { source, target, collector }: Settling) => {
  const manyBatch = many === 'source' ? source : target;
  const amountOf = many === 'source' ? sum.expectedOf : (row: number) => target.amounts[row] as number;
  const sizeMax = search?.maxGroupSize ?? 20;
  const answers = new Map<number, { readonly answer: Answer; readonly members: readonly number[] }>();
  for (const [row, all] of candidates) {
    if (!collector.isOpen(one, row)) continue;
    const open = all.filter((member) => collector.isOpen(many, member) && !Number.isNaN(amountOf(member)));
    const amounts = Float64Array.from(open, amountOf);
    const { least, most } = withinReach(sum.rangeAround(one, row, sizeMax), amounts);
    if (open.length === 0 || Number.isNaN(least)) continue;
    const answer = searchSubset({
      amounts,
      days: Int32Array.from(open, (member) => manyBatch.days[member] as number),
      least,
      most,
      sizeMin: 1,
      sizeMax,
      stepsMax,
    });
    const isFitting = (indexes: Int32Array): boolean => {
      const { sources, targets } = groupOf(
        one,
        row,
        Array.from(indexes, (index) => open[index] as number),
      );
      return sum.judge(sources, targets).passed;
    };
    const judged = fittingOnly(answer, isFitting);
    answers.set(row, { answer: judged, members: membersOf(judged, open) });
  }
  return answers;
};

/** A bound that is nowhere is that of what all candidates come to. */
const withinReach = ({ least, most }: SumRange, amounts: Float64Array): SumRange => ({
  least: least === Number.NEGATIVE_INFINITY ? amounts.reduce((sum, amount) => sum + Math.min(amount, 0), 0) : least,
  most: most === Number.POSITIVE_INFINITY ? amounts.reduce((sum, amount) => sum + Math.max(amount, 0), 0) : most,
});

/** What was searched may be wider than what fits. Of two subsets one is enough for a question: nobody knows what the search has passed by. */
const fittingOnly = (answer: Answer, isFitting: (indexes: Int32Array) => boolean): Answer => {
  switch (answer.kind) {
    case 'found':
      return isFitting(answer.members) ? answer : { kind: 'none' };
    case 'ambiguous':
      return isFitting(answer.first) || isFitting(answer.second) ? answer : { kind: 'none' };
    default:
      return answer;
  }
};

/** Of what was found, or of both witnesses that it could be either. */
const membersOf = (answer: Answer, open: readonly number[]): number[] => {
  switch (answer.kind) {
    case 'found':
      return [...answer.members].map((index) => open[index] as number);
    case 'ambiguous':
      return [...new Set([...answer.first, ...answer.second])].sort((one, other) => one - other).map((index) => open[index] as number);
    default:
      return [];
  }
};

interface Question {
  readonly ones: number[];
  readonly members: number[];
  readonly reason: string;
}

/** Records that claim each other's members are one question; a record is in one result only. */
const questionsOf = (
  answers: ReadonlyMap<number, { readonly answer: Answer; readonly members: readonly number[] }>,
  isOpenOne: (row: number) => boolean,
  isOpenMember: (row: number) => boolean,
): Question[] => {
  const questions: Question[] = [];
  const questionOf = new Map<number, Question>();
  for (const [row, { answer, members }] of answers) {
    if (answer.kind === 'none' || !isOpenOne(row)) continue;
    const open = members.filter(isOpenMember);
    if (answer.kind === 'found' && open.length < members.length) continue;
    const reason = answer.kind === 'budget' ? 'budget' : 'several groups of records fit equally well';
    const merged: Question = { ones: [row], members: [], reason };
    for (const other of new Set(open.flatMap((member) => questionOf.get(member) ?? []))) {
      merged.ones.push(...other.ones);
      merged.members.push(...other.members);
      questions.splice(questions.indexOf(other), 1);
    }
    merged.members.push(...open.filter((member) => !merged.members.includes(member)));
    for (const member of merged.members) questionOf.set(member, merged);
    questions.push(merged);
  }
  return questions;
};
