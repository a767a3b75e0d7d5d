/** Turns stored results back into both sides of their run, and asks the engine why one record has no counterpart. */
import type { Candidate, Question, Reply, StoredResult } from '../../application/explain.ts';
import { findApart } from '../../domain/matching/apart.ts';
import { type Fields, type RecordBatch, recordAt, usable } from '../../domain/matching/batch.ts';
import { createBatchBuilder } from '../../domain/matching/batch-builder.ts';
import { dayOf } from '../../domain/matching/day.ts';
import { type WhyNotCandidate, whyNot } from '../../domain/matching/explain/why-not.ts';
import { TooManyCandidates } from '../../domain/matching/passes/candidates.ts';
import { type Given, reconcile } from '../../domain/matching/reconcile.ts';
import { type Side, sides } from '../../domain/side.ts';

interface Sides {
  readonly batches: Readonly<Record<Side, RecordBatch>>;
  /** The result that each row came from. */
  readonly resultOf: Readonly<Record<Side, readonly string[]>>;
}

/** `isOver` says whether no time is left to run the rules once more. */
export const replyTo = (question: Question, isOver: () => boolean): Reply => {
  const { rules, results, resultId } = question;
  const { batches, resultOf } = rebuild(results);
  const given = results.flatMap(({ id, isManual }) => (isManual ? [givenOf(id, resultOf)] : []));
  const side = sideOf(results.find(({ id }) => id === resultId));
  const row = resultOf[side].indexOf(resultId);
  if (row === -1 || batches[side].states[row] !== usable) return { kind: 'none', reason: 'unusable_record' };
  const asOf = dayOf(question.asOf) ?? 0;
  try {
    const apart = findApart(question.apart, batches);
    const now = reconcile({ ...batches, rules, asOf, given, apart });
    const other: Side = side === 'source' ? 'target' : 'source';
    const found = whyNot({ ...batches, rules, asOf, given, apart, now, isOver }, side, row);
    return { kind: 'candidates', candidates: found.map((candidate) => candidateOf(candidate, batches[other], resultOf[other], results)) };
  } catch (error) {
    // Those nearest to one record may be more alike than those of the whole run, and more pairs than may be held.
    if (error instanceof TooManyCandidates) return { kind: 'none', reason: 'too_many_candidates' };
    throw error;
  }
};

const givenOf = (id: string, resultOf: Sides['resultOf']): Given => {
  const rows = (side: Side) => resultOf[side].flatMap((result, row) => (result === id ? [row] : []));
  return { source: rows('source'), target: rows('target') };
};

/** Of an ambiguous result it is the one record that has several candidates; of a pair, its source. */
const sideOf = (result: StoredResult | undefined): Side => {
  const count = (records: string | undefined): number => (JSON.parse(records ?? '[]') as unknown[]).length;
  return count(result?.source) === 1 || count(result?.target) === 0 ? 'source' : 'target';
};

const candidateOf = (
  { row, pass, failed, smallestChange, effect, effectReason }: WhyNotCandidate,
  batch: RecordBatch,
  resultOf: readonly string[],
  results: readonly StoredResult[],
): Candidate => {
  const result = results.find(({ id }) => id === resultOf[row]);
  return {
    record: recordAt(batch, row),
    pass,
    failed,
    resultId: result?.id ?? null,
    outcome: result?.outcome ?? null,
    smallestChange,
    effect,
    ...(effectReason === undefined ? {} : { reason: effectReason }),
  };
};

/** Rows that were invalid in the run took part in nothing. */
const rebuild = (results: readonly StoredResult[]): Sides => {
  const rows = { source: [] as Fields[], target: [] as Fields[] };
  const resultOf = { source: [] as string[], target: [] as string[] };
  for (const result of results) {
    if (result.outcome === 'invalid') continue;
    for (const side of sides) {
      for (const record of JSON.parse(result[side]) as Fields[]) {
        rows[side].push(record);
        resultOf[side].push(result.id);
      }
    }
  }
  return { batches: { source: batchOf(rows.source), target: batchOf(rows.target) }, resultOf };
};

const batchOf = (records: readonly Fields[]): RecordBatch => {
  const builder = createBatchBuilder({ idMapped: records.every((record) => record['id'] !== undefined) });
  builder.addRows(records.map((record) => ({ record })));
  return builder.build();
};
