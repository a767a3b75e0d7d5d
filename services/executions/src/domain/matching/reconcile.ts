/**
 * The engine: pure, exact, complete. Passes run in order; a record that one pass takes is gone for the next. Pairs that belong
 * together and differ are fixed only after all passes, so that a later pass may still find a true match. Input order decides nothing.
 */
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { Pass, Rules } from '@settler/contracts/rules';
import { type Side, sides } from '../side.ts';
import { type ApartRows, apartIn } from './apart.ts';
import { type RecordBatch, repeated, superseded, usable } from './batch.ts';
import type { Judge } from './conditions/judge.ts';
import { dueFrom } from './due.ts';
import { flagDuplicates } from './duplicates.ts';
import type { KeptMatches } from './kept-matches.ts';
import { giveBackEdges } from './passes/edges.ts';
import { compilePass, judgePass } from './passes/judgement.ts';
import { settleKeyedGroups } from './passes/keyed-groups.ts';
import { settleSearchedGroups } from './passes/searched-groups.ts';
import { matchable, type Settling, settlePairs, stillOpen } from './passes/settle-pairs.ts';
import { type Collector, createCollector } from './results/collector.ts';
import { type ResultColumns, rowsOf } from './results/columns.ts';
import { createExplain } from './results/explain-result.ts';
import { orderOfResults } from './results/order.ts';
import { cardinalityOf, type MatchResult } from './results/result.ts';
import { summarize } from './results/summary.ts';

export interface Given {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

export interface Input {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  /** The day of the run, as days since 1970-01-01 in UTC. */
  readonly asOf: number;
  /** Rows that belong together whatever the rules say: matches by hand. They are taken before the first pass. */
  readonly given?: readonly Given[];
  /** Rows of matches by hand whose other records are not here: they wait for those, and meet nobody else. */
  readonly waiting?: Given;
  /** Rows that keep the match that an earlier run has found for them. They are taken before the first pass. */
  readonly kept?: KeptMatches;
  /** Rows that no pass brings together: no source of one with a target of the same. */
  readonly apart?: readonly ApartRows[];
  /** Told of finished passes; throwing from it stops the run. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Reconciliation {
  readonly length: number;
  /** The result at a place of the one order that depends on nothing but the records. What it explains is worked out when asked for. */
  readonly at: (place: number) => MatchResult;
  readonly summary: ExecutionSummary;
  /** The results themselves, in the order in which they were found. */
  readonly results: ResultColumns;
  /** The place of the result that a record is in with others; null for one that stands alone. */
  readonly placeOf: (side: Side, row: number) => number | null;
  /** The conditions of a pass, compiled for these records. */
  readonly judgesOf: (pass: number) => readonly Judge[];
}

const waitingReason = 'it was matched by hand with records that are not here';

const keptReason = (executionId: string): string => `it keeps its match in ${executionId}, whose other records are not all here`;

/** The run that has the match which a record keeps, by the reason that its result gives. */
export const keptIn = (reason: string | null): string | undefined => /^it keeps its match in (exe_[0-9a-z]+),/.exec(reason ?? '')?.[1];

/** @throws TooManyCandidates where a pass leaves more candidates than it may hold */
export const reconcile = ({
  source,
  target,
  rules,
  asOf,
  given = [],
  waiting,
  kept,
  apart = [],
  onProgress = () => {},
}: Input): Reconciliation => {
  const collector = createCollector(source, target);
  const settling: Settling = { source, target, rules, collector, apart: apartIn(apart) };
  takeUnusable('source', source, collector);
  takeUnusable('target', target, collector);
  for (const row of waiting?.source ?? []) collector.alone('missing_in_target', 'source', row, { reason: waitingReason });
  for (const row of waiting?.target ?? []) collector.alone('missing_in_source', 'target', row, { reason: waitingReason });
  for (const side of sides)
    for (const { row, executionId } of kept?.[side] ?? []) collector.alone('matched', side, row, { reason: keptReason(executionId) });
  for (const [index, rows] of given.entries())
    collector.group('matched', -1, rows.source, rows.target, { cardinality: cardinalityOf(rows), given: index });

  const compiled = new Map<number, readonly Judge[]>();
  const judgesOf = (index: number): readonly Judge[] => {
    const known = compiled.get(index) ?? compilePass(rules.passes[index] as Pass, source, target);
    compiled.set(index, known);
    return known;
  };
  // What settles the differences that a pass has found, once no later one can find better; but first what agrees by now.
  const rests: (() => void)[] = [];
  const differences: (() => void)[] = [];
  for (const [index, pass] of rules.passes.entries()) {
    const judges = judgesOf(index);
    const rows = collector.openRows();
    if (pass.cardinality === 'one-to-one') {
      const { agreeing, differing } = judgePass(pass, judges, rows, settling);
      settlePairs('matched', index, matchable(agreeing, settling), settling);
      giveBackEdges(agreeing);
      differences.push(() => settlePairs('mismatched', index, stillOpen(differing, collector), settling));
    } else if (pass.search === undefined) {
      const { takeFitting, takeAll } = settleKeyedGroups(pass, index, judges, rows, settling);
      rests.push(takeFitting);
      differences.push(takeAll);
    } else settleSearchedGroups(pass, index, judges, rows, settling);
    onProgress(index + 1, rules.passes.length);
  }
  for (const settle of [...rests, ...differences]) settle();
  flagDuplicates(source, target, collector, rules);
  const open = collector.openRows();
  const due = dueFrom(rules, asOf);
  for (const row of open.source) collector.alone('missing_in_target', 'source', row, due(source.days[row] as number));
  for (const row of open.target) collector.alone('missing_in_source', 'target', row, due(target.days[row] as number));

  const results = collector.columns();
  const order = orderOfResults(results, source, target);
  const explain = createExplain({ results, source, target, rules, judgesOf });
  return {
    length: results.length,
    at: (place) => explain(order[place] as number),
    summary: summarize(results, source, target),
    results,
    placeOf: createPlaceOf(results, order),
    judgesOf,
  };
};

const createPlaceOf = (results: ResultColumns, order: Uint32Array): Reconciliation['placeOf'] => {
  let places: Readonly<Record<Side, ReadonlyMap<number, number>>> | undefined;
  const find = () => {
    const found = { source: new Map<number, number>(), target: new Map<number, number>() };
    for (const [place, index] of order.entries()) {
      const rows = { source: rowsOf(results, 'source', index), target: rowsOf(results, 'target', index) };
      if (rows.source.length + rows.target.length < 2) continue;
      for (const side of sides) for (const row of rows[side]) found[side].set(row, place);
    }
    return found;
  };
  return (side, row) => {
    places ??= find();
    return places[side].get(row) ?? null;
  };
};

const takeUnusable = (side: Side, { length, states, reasons }: RecordBatch, { alone }: Collector): void => {
  for (let row = 0; row < length; row += 1) {
    if (states[row] !== usable && states[row] !== superseded)
      alone(states[row] === repeated ? 'duplicate' : 'invalid', side, row, { reason: reasons.get(row) ?? 'it cannot be used' });
  }
};
