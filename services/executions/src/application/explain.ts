/** Why an exception's record has no counterpart: worked out when somebody asks, from what its run has stored. */
import type { Rules } from '@settler/contracts/rules';
import type { Separated } from '../domain/matching/apart.ts';
import type { ConditionResult } from '../domain/matching/results/result.ts';

/** A stored result, with its records as text: reading them all is the thread's work. */
export interface StoredResult {
  readonly id: string;
  readonly outcome: string;
  /** Whether it was matched by hand, and the rules have no say in it. */
  readonly isManual: boolean;
  readonly source: string;
  readonly target: string;
}

export interface Question {
  readonly rules: Rules;
  /** The day of the run. */
  readonly asOf: string;
  readonly results: readonly StoredResult[];
  /** Records that were taken apart by hand. */
  readonly apart: readonly Separated[];
  /** The result that the exception is about. */
  readonly resultId: string;
}

/** What is known of the last run that the record took part in. */
export interface Material extends Question {
  readonly executionId: string;
  /** How many results that run has; `results` are those nearest to the record, where they are too many. */
  readonly resultCount: number;
}

interface Gain {
  readonly records: number;
  readonly amounts: Readonly<Record<string, string>>;
}

export interface Candidate {
  readonly record: Readonly<Record<string, unknown>>;
  readonly pass: string;
  readonly failed: readonly ConditionResult[];
  /** What became of the candidate itself. */
  readonly outcome: string | null;
  readonly resultId: string | null;
  readonly smallestChange: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[] | null;
  readonly effect: { readonly gained: Gain; readonly lost: Gain; readonly moved: Gain } | null;
  /** Why there is no effect: no time was left for it, or no rule brings together what a person has taken apart. */
  readonly reason?: 'budget' | 'taken_apart';
}

export const explainReasons = ['records_gone', 'unusable_record', 'too_many_candidates', 'budget'] as const;
export type ExplainReason = (typeof explainReasons)[number];

export type Reply =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'none'; readonly reason: ExplainReason };

export interface Explanation {
  readonly executionId: string | null;
  readonly candidates: readonly Candidate[];
  /** Why there are none, where there could not be any. */
  readonly reason: ExplainReason | null;
  readonly basis: { readonly results: number; readonly of: number } | null;
}

interface Needs {
  /** Undefined where there is no such exception, null where no stored result is about it any more. */
  readonly material: (organizationId: string, exceptionId: string) => Promise<Material | null | undefined>;
  /** @throws Refusal `upstream_unavailable` where too many ask at once */
  readonly ask: (question: Question) => Promise<Reply>;
}

export const explainException =
  ({ material, ask }: Needs) =>
  async (organizationId: string, exceptionId: string): Promise<Explanation | undefined> => {
    const found = await material(organizationId, exceptionId);
    if (found === undefined) return undefined;
    if (found === null) return { executionId: null, candidates: [], reason: 'records_gone', basis: null };
    const { executionId, resultCount, ...question } = found;
    const basis = { results: question.results.length, of: resultCount };
    const reply = await ask(question);
    return reply.kind === 'none'
      ? { executionId, candidates: [], reason: reply.reason, basis }
      : { executionId, candidates: reply.candidates, reason: null, basis };
  };
