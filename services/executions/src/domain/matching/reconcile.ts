/**
 * The engine: pure, exact, complete. Passes run in order; a record that one pass takes is gone for the next. Pairs that belong
 * together and differ are fixed only after all passes, so that a later pass may still find a true match. Input order decides nothing.
 */
import type { Outcome } from '@settler/contracts/executions';
import type { Pass, Rules } from '@settler/contracts/rules';
import { type Assigned, assign, type Edge } from './assignment.ts';
import { compare, noDay, type RecordBatch } from './batch.ts';
import { candidatePairs, type Pair } from './candidates.ts';
import { type CompiledCondition, compileCondition, type Verdict } from './condition.ts';
import { flagDuplicates } from './duplicates.ts';
import { alone, type ConditionResult, type MatchResult, type Reconciliation } from './result.ts';
import { summarize } from './summary.ts';

export interface Input {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  /** Told of finished passes; throwing from it stops the run. */
  readonly onProgress?: (done: number, total: number) => void;
}

interface Candidate extends Edge {
  readonly pass: Pass;
  readonly verdicts: readonly Verdict[];
  readonly conditions: readonly CompiledCondition[];
}

export const reconcile = ({ source, target, rules, onProgress = () => {} }: Input): Reconciliation => {
  const open = { source: usableRows(source), target: usableRows(target) };
  const results: MatchResult[] = [...unusable('source', source), ...unusable('target', target)];
  const differing: Candidate[][] = [];
  for (const [index, pass] of rules.passes.entries()) {
    const { agreeing, other } = judgePass(pass, source, target, open, rules);
    differing.push(other);
    for (const result of resultsOf(agreeing, 'matched', rules)) take(result, open, results);
    onProgress(index + 1, rules.passes.length);
  }
  for (const candidates of differing) {
    const still = candidates.filter((candidate) => open.source.has(candidate.source) && open.target.has(candidate.target));
    for (const result of resultsOf(still, 'mismatched', rules)) take(result, open, results);
  }
  for (const result of flagDuplicates(source, target, open, rules)) take(result, open, results);
  for (const row of open.source) results.push(alone('missing_in_target', 'source', source, row, null));
  for (const row of open.target) results.push(alone('missing_in_source', 'target', target, row, null));
  results.sort(inOrder(source, target));
  return { results, summary: summarize(results, source, target) };
};

interface Open {
  readonly source: Set<number>;
  readonly target: Set<number>;
}

const usableRows = (batch: RecordBatch): Set<number> => {
  return new Set(Array.from({ length: batch.length }, (_, row) => row).filter((row) => batch.states[row] === 'usable'));
};

const take = (result: MatchResult, open: Open, results: MatchResult[]): void => {
  for (const row of result.source) open.source.delete(row);
  for (const row of result.target) open.target.delete(row);
  results.push(result);
};

const judgePass = (pass: Pass, source: RecordBatch, target: RecordBatch, open: Open, rules: Rules) => {
  const conditions = pass.match.map((condition) => compileCondition(condition, source, target));
  const agreeing: Candidate[] = [];
  const other: Candidate[] = [];
  for (const pair of candidatePairs(pass, source, target, [...open.source], [...open.target])) {
    const verdicts = conditions.map(({ judge }) => judge(pair.source, pair.target));
    const isFor = conditions.every(({ condition }, index) => condition.verify || verdicts[index]?.passed === true);
    if (!isFor) continue;
    const score = scoreOf(conditions, verdicts);
    const candidate = { ...pair, pass, verdicts, conditions, score, preference: preferenceOf(pair, source, target, rules) };
    if (verdicts.every(({ passed }) => passed)) {
      if (score >= pass.minScore) agreeing.push(candidate);
    } else other.push(candidate);
  }
  return { agreeing, other };
};

/** The weighted mean of the conditions. */
const scoreOf = (conditions: readonly CompiledCondition[], verdicts: readonly Verdict[]): number => {
  const weights = conditions.reduce((sum, { condition }) => sum + condition.weight, 0);
  const scores = conditions.reduce((sum, { condition }, index) => sum + condition.weight * (verdicts[index]?.score ?? 0), 0);
  return Math.round((scores / weights) * 1e6) / 1e6;
};

/** What settles ties: the ids, or the dates first where the rules say who wins. */
const preferenceOf = ({ source: s, target: t }: Pair, source: RecordBatch, target: RecordBatch, { conflictResolution }: Rules): number => {
  const rank = s + t;
  if (conflictResolution !== 'first-wins' && conflictResolution !== 'last-wins') return rank;
  const day = (batch: RecordBatch, row: number) => ((batch.days[row] ?? noDay) === noDay ? 0 : (batch.days[row] ?? 0));
  const days = day(source, s) + day(target, t);
  return (conflictResolution === 'first-wins' ? days : -days) * 16_777_216 + rank;
};

const resultsOf = (candidates: readonly Candidate[], outcome: 'matched' | 'mismatched', rules: Rules): MatchResult[] => {
  const assigned = assign(candidates) as (Assigned & { edge: Candidate; rivals: readonly Candidate[] })[];
  const doubtful =
    rules.conflictResolution === 'manual-review'
      ? assigned.filter((item) => item.runnerUp !== undefined && (item.margin < rules.minMargin || item.margin === 0))
      : [];
  const settled = assigned.filter((item) => !doubtful.includes(item)).map((item) => pairResult(item, outcome, rules));
  return [...settled, ...ambiguities(doubtful, assigned)];
};

const pairResult = (
  { edge, margin, runnerUp }: Assigned & { edge: Candidate },
  outcome: 'matched' | 'mismatched',
  rules: Rules,
): MatchResult => {
  const conditions = conditionResults(edge);
  const isClose = runnerUp !== undefined && margin < rules.minMargin;
  return {
    outcome,
    pass: edge.pass.name,
    cardinality: 'one-to-one',
    score: edge.score,
    margin,
    delta: deltaOf(edge),
    category: outcome === 'mismatched' ? categoryOf(conditions) : null,
    reason: isClose ? `the margin ${margin} is below ${rules.minMargin}` : null,
    line: null,
    conditions,
    source: [edge.source],
    target: [edge.target],
  };
};

/** Doubtful pairs of one component and everything they could be paired with, less what was settled: one question for a person. */
const ambiguities = (doubtful: readonly Assigned[], assigned: readonly Assigned[]): MatchResult[] => {
  const settledSources = new Set(assigned.filter((item) => !doubtful.includes(item)).map(({ edge }) => edge.source));
  const settledTargets = new Set(assigned.filter((item) => !doubtful.includes(item)).map(({ edge }) => edge.target));
  const questions = new Map(doubtful.map((item) => [item.rivals, item] as const));
  return [...questions].map(([rivals, { edge }]) => {
    const free = rivals.filter((rival) => !settledSources.has(rival.source) && !settledTargets.has(rival.target));
    return {
      outcome: 'ambiguous',
      pass: (edge as Candidate).pass.name,
      cardinality: null,
      score: null,
      margin: null,
      delta: null,
      category: null,
      reason: 'several records fit equally well, or nearly so',
      line: null,
      conditions: [],
      source: [...new Set(free.map(({ source }) => source))].sort((one, other) => one - other),
      target: [...new Set(free.map(({ target }) => target))].sort((one, other) => one - other),
    };
  });
};

const conditionResults = ({ conditions, verdicts }: Candidate): ConditionResult[] =>
  conditions.map(({ condition }, index) => {
    const { source = null, target = null, delta, score = 0, passed = false } = verdicts[index] ?? {};
    return { field: condition.source, type: condition.type, source, target, ...(delta === undefined ? {} : { delta }), score, passed };
  });

const deltaOf = ({ conditions, verdicts }: Candidate): MatchResult['delta'] => {
  const of = (type: string) => verdicts[conditions.findIndex(({ condition }) => condition.type === type)]?.delta;
  const amount = of('amount');
  const days = of('date');
  return { amount: typeof amount === 'string' ? amount : null, days: typeof days === 'number' ? days : null };
};

const categoryOf = (conditions: readonly ConditionResult[]): string => {
  const failed = conditions.filter(({ passed }) => !passed).map(({ type }) => type);
  return failed.includes('amount') ? 'amount_mismatch' : failed.includes('date') ? 'date_mismatch' : 'field_mismatch';
};

const unusable = (side: 'source' | 'target', batch: RecordBatch): MatchResult[] =>
  Array.from({ length: batch.length }, (_, row) => row)
    .filter((row) => batch.states[row] !== 'usable')
    .map((row) => alone(batch.states[row] === 'repeated' ? 'duplicate' : 'invalid', side, batch, row, batch.reasons[row] ?? null));

const outcomeOrder: readonly Outcome[] = [
  'mismatched',
  'ambiguous',
  'missing_in_target',
  'missing_in_source',
  'duplicate',
  'invalid',
  'matched',
];

/** What needs a person comes first; within that by keys, so that the order says nothing about the order of the input. */
const inOrder = (source: RecordBatch, target: RecordBatch) => {
  const key = (result: MatchResult) => {
    const [s] = result.source;
    const [t] = result.target;
    return s === undefined ? `1 ${t === undefined ? '' : (target.keys[t] ?? '')}` : `0 ${source.keys[s] ?? ''}`;
  };
  return (one: MatchResult, other: MatchResult): number =>
    outcomeOrder.indexOf(one.outcome) - outcomeOrder.indexOf(other.outcome) ||
    compare(key(one), key(other)) ||
    (one.line ?? 0) - (other.line ?? 0);
};
