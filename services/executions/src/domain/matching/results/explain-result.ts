/** A result as a person reads it: its conditions with both values, what differs, and by how much. Worked out when it is asked for. */
import type { Outcome } from '@settler/contracts/executions';
import { outcomes } from '@settler/contracts/executions';
import { alternativesOf, type Condition, type Pass, type Rules } from '@settler/contracts/rules';
import type { RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { type ResultColumns, rowsOf } from './columns.ts';
import type { ConditionResult, Delta, MatchResult, MismatchCategory } from './result.ts';

export interface ExplainNeeds {
  readonly results: ResultColumns;
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  /** The conditions of a pass, compiled. */
  readonly judgesOf: (pass: number) => readonly Judge[];
}

export const createExplain = ({ results, source, target, rules, judgesOf }: ExplainNeeds): ((index: number) => MatchResult) => {
  const measured = rules.passes.map(measuredBy);
  return (index) => {
    const outcome = outcomes[results.outcomes[index] as number] as Outcome;
    const extra = results.extras.get(index) ?? {};
    const rows = { source: rowsOf(results, 'source', index), target: rowsOf(results, 'target', index) };
    const passIndex = results.passes[index] as number;
    const pass = rules.passes[passIndex];
    const [s = -1] = rows.source;
    const [t = -1] = rows.target;
    const isPair = pass !== undefined && (outcome === 'matched' || outcome === 'mismatched') && extra.source === undefined;
    const conditions = extra.conditions ?? (isPair ? conditionsOf(judgesOf(passIndex), s, t) : []);
    const margin = results.margins[index] as number;
    const score = results.scores[index] as number;
    return {
      outcome,
      pass: pass?.name ?? null,
      cardinality: extra.cardinality ?? (isPair ? 'one-to-one' : null),
      score: score === -1 ? null : score / 1e6,
      margin: margin === -1 ? null : margin / 1e6,
      delta: extra.delta ?? (isPair ? deltaOf(conditions, measured[passIndex] as Measured) : null),
      category: extra.category ?? (isPair && outcome === 'mismatched' ? differenceIn(conditions, pass) : null),
      reason: extra.reason ?? (isPair && outcome === 'mismatched' ? whyNotCompared(conditions) : null),
      line: rows.source.length + rows.target.length === 1 ? (s === -1 ? target.lines[t] : source.lines[s]) || null : null,
      dueOn: extra.dueOn,
      conditions,
      source: rows.source,
      target: rows.target,
      runnerUp: extra.runnerUp,
      given: extra.given,
    };
  };
};

/** A pair as judges take them, which is judged and told before the next one. */
const pair = { sources: new Int32Array(1), targets: new Int32Array(1), scores: new Float64Array(1) };

export const conditionsOf = (judges: readonly Judge[], s: number, t: number): ConditionResult[] =>
  judges.map((judge) => conditionOf(judge, s, t));

export const conditionOf = ({ field, type, judge, tell }: Judge, s: number, t: number): ConditionResult => {
  const { sources, targets, scores } = pair;
  sources[0] = s;
  targets[0] = t;
  judge(sources, targets, 1, scores);
  const score = scores[0] as number;
  const passed = !Number.isNaN(score);
  return { field, type, ...tell(s, t), score: passed ? Math.round(score * 1e6) / 1e6 : 0, passed };
};

/** Which conditions of a pass compare amounts, and which of them days. */
interface Measured {
  readonly amounts: readonly number[];
  readonly dates: readonly number[];
}

const measuredBy = ({ match }: Pass): Measured => {
  const ofType = (wanted: Condition['type']): number[] =>
    match.flatMap((condition, index) => (alternativesOf(condition).every(({ type }) => type === wanted) ? [index] : []));
  return { amounts: ofType('amount'), dates: ofType('date') };
};

/** Of several the first that fails: what agrees says nothing of what differs. */
const decisive = (conditions: readonly ConditionResult[], among: readonly number[]): ConditionResult | undefined => {
  const [only] = among;
  if (among.length < 2) return only === undefined ? undefined : conditions[only];
  return conditions[among.find((index) => conditions[index]?.passed === false) ?? (only as number)];
};

const deltaOf = (conditions: readonly ConditionResult[], { amounts, dates }: Measured): Delta => {
  const amount = decisive(conditions, amounts);
  const days = decisive(conditions, dates)?.delta;
  return {
    amount: typeof amount?.delta === 'string' ? amount.delta : null,
    days: typeof days === 'number' ? days : null,
    ...(amount?.fromExpected === undefined ? {} : { fromExpected: amount.fromExpected }),
  };
};

/** Two amounts that look alike are no reason, unless it is said why they cannot be held against each other. */
const whyNotCompared = (conditions: readonly ConditionResult[]): string | null =>
  conditions.find(({ passed, reason }) => !passed && reason !== undefined)?.reason ?? null;

/** With several failures the first of amount, date and field; an amount that was to lie a fee below is a matter of the fee. */
export const differenceIn = (conditions: readonly ConditionResult[], { match }: Pass): MismatchCategory => {
  // Where one of several was to hold, and none does, all of them fail.
  const failed = match.filter((_, index) => conditions[index]?.passed === false).flatMap(alternativesOf);
  const amounts = failed.filter((condition) => condition.type === 'amount');
  if (amounts.length > 0)
    return amounts.some((condition) => condition.type === 'amount' && condition.fee !== undefined) ? 'fee_mismatch' : 'amount_mismatch';
  return failed.some(({ type }) => type === 'date') ? 'date_mismatch' : 'field_mismatch';
};
