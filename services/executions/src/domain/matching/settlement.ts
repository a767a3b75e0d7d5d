/** From candidates to results: pairs that are taken, and those that a person has to decide. */
import type { Rules } from '@settler/contracts/rules';
import { type Assigned, assign } from './assignment/assign.ts';
import { componentsOf } from './assignment/components.ts';
import type { Edge, TieOrder } from './assignment/graph.ts';
import { noDay, type RecordBatch } from './batch.ts';
import { inMillionths, type Judgement } from './judgement.ts';
import type { ConditionResult, MatchResult } from './result.ts';

export const settle = (
  outcome: 'matched' | 'mismatched',
  edges: readonly Edge[],
  judgement: Judgement,
  rules: Rules,
  order: TieOrder,
): MatchResult[] => {
  const assigned = assign(edges, order);
  const doubtful = new Set(rules.conflictResolution === 'manual-review' ? assigned.filter(isDoubtful(rules.minMargin)) : []);
  const settled = assigned.filter((item) => !doubtful.has(item));
  return [...settled.map((item) => pairResult(outcome, item, judgement, rules)), ...ambiguities(doubtful, settled, judgement)];
};

/** What settles a tie: the ids, or the dates first where the rules say who wins. Records without a date come last. */
export const tieOrderOf = (source: RecordBatch, target: RecordBatch, { conflictResolution }: Rules): TieOrder => {
  const direction = conflictResolution === 'first-wins' ? 1 : conflictResolution === 'last-wins' ? -1 : 0;
  return { source: placesOf(source, direction), target: placesOf(target, direction) };
};

const placesOf = ({ length, days }: RecordBatch, direction: -1 | 0 | 1): Int32Array => {
  const rank = (row: number): number => {
    const day = days[row] ?? noDay;
    return day === noDay ? Number.MAX_SAFE_INTEGER : direction * day;
  };
  const rows = Array.from({ length }, (_, row) => row);
  // Rows are in the order of their identities already, and sorting is stable.
  if (direction !== 0) rows.sort((one, other) => rank(one) - rank(other));
  const places = new Int32Array(length);
  for (const [place, row] of rows.entries()) places[row] = place;
  return places;
};

/** An exact tie is always a question; what is merely close is one below the rules' margin. */
const isDoubtful =
  (minMargin: number) =>
  ({ margin, runnerUp }: Assigned): boolean =>
    runnerUp !== undefined && (margin === 0 || margin < minMargin);

const pairResult = (
  outcome: 'matched' | 'mismatched',
  { edge, margin, runnerUp }: Assigned,
  judgement: Judgement,
  rules: Rules,
): MatchResult => {
  const conditions = conditionResults(edge, judgement);
  const isClose = runnerUp !== undefined && margin < rules.minMargin;
  return {
    outcome,
    pass: judgement.pass.name,
    cardinality: 'one-to-one',
    score: edge.score,
    margin,
    delta: { amount: amountDelta(conditions), days: dayDelta(conditions) },
    category: outcome === 'mismatched' ? categoryOf(conditions) : null,
    reason: isClose ? `the margin ${margin} is below ${rules.minMargin}` : null,
    line: null,
    conditions,
    source: [edge.source],
    target: [edge.target],
    ...(runnerUp === undefined ? {} : { runnerUp }),
  };
};

/** Doubtful records and everything still free that they could be paired with: each such group is one question for a person. */
const ambiguities = (doubtful: ReadonlySet<Assigned>, settled: readonly Assigned[], { pass }: Judgement): MatchResult[] => {
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
  return componentsOf(open).map((group) => ({
    outcome: 'ambiguous',
    pass: pass.name,
    cardinality: null,
    score: null,
    margin: null,
    delta: null,
    category: null,
    reason: 'several records fit equally well, or nearly so',
    line: null,
    conditions: [],
    source: distinct(group.map(({ source }) => source)),
    target: distinct(group.map(({ target }) => target)),
  }));
};

const distinct = (rows: readonly number[]): number[] => [...new Set(rows)].sort((one, other) => one - other);

const conditionResults = ({ source: s, target: t }: Edge, { conditions }: Judgement): ConditionResult[] =>
  conditions.map(({ type, condition, scoreOf, tell }) => {
    const score = scoreOf(s, t);
    return { field: condition.source, type, ...tell(s, t), score: inMillionths(score ?? 0), passed: score !== undefined };
  });

const amountDelta = (conditions: readonly ConditionResult[]): string | null => {
  const delta = conditions.find(({ type }) => type === 'amount')?.delta;
  return typeof delta === 'string' ? delta : null;
};

const dayDelta = (conditions: readonly ConditionResult[]): number | null => {
  const delta = conditions.find(({ type }) => type === 'date')?.delta;
  return typeof delta === 'number' ? delta : null;
};

const categoryOf = (conditions: readonly ConditionResult[]): MatchResult['category'] => {
  const failed = conditions.filter(({ passed }) => !passed).map(({ type }) => type);
  return failed.includes('amount') ? 'amount_mismatch' : failed.includes('date') ? 'date_mismatch' : 'field_mismatch';
};
