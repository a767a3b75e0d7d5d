/**
 * Candidate pairs of a pass. Exact conditions are a hash join, which leaves blocks; in a block the targets lie in lanes, one per
 * day, sorted by amount, and a source finds its windows in them by bisection. Never n × m: what a pass may hold is bounded.
 */
import type { Pass } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from './batch.ts';
import type { AmountCondition } from './conditions/amount.ts';
import type { CompiledCondition } from './conditions/condition.ts';
import type { DateCondition } from './conditions/date.ts';
import { type Block, blocksOf, type Rows } from './join.ts';

/** A pass that leaves more candidates than this per record, on average, says too little about what belongs together. */
const candidatesPerRecordMax = 50;

/** The inputs and rules do not fit: retrying cannot help. */
export class TooManyCandidates extends Error {
  override readonly name = 'TooManyCandidates';
  readonly code = 'too_many_candidates';
  readonly pass: string;
  readonly block: { readonly key: string; readonly sources: number; readonly targets: number };

  constructor(pass: string, { key, sources, targets }: Block) {
    super(
      `the pass "${pass}" leaves more than ${candidatesPerRecordMax} candidates per record on average; its largest block (${key}) has ${sources.length} source and ${targets.length} target records. ` +
        'Add an exact condition, or narrow the amount tolerance or the date window.',
    );
    this.pass = pass;
    this.block = { key, sources: sources.length, targets: targets.length };
  }
}

/**
 * Calls `visit` for every pair that the identifying conditions allow; a superset where there are several amounts or dates.
 * @throws TooManyCandidates
 */
export const visitCandidates = (
  pass: Pass,
  conditions: readonly CompiledCondition[],
  source: RecordBatch,
  target: RecordBatch,
  rows: Rows,
  visit: (source: number, target: number) => void,
): void => {
  const identifying = conditions.filter(({ condition }) => !condition.verify);
  const blocks = blocksOf(
    identifying.filter((condition) => condition.type === 'exact'),
    source,
    target,
    rows,
  );
  const amount = identifying.find((condition) => condition.type === 'amount');
  const date = identifying.find((condition) => condition.type === 'date');
  // A pair is a candidate of both its records.
  let budget = (candidatesPerRecordMax * (rows.source.length + rows.target.length)) / 2;
  for (const { sources, targets } of blocks) {
    const lanes = lanesOf(targets, amount, date);
    for (const s of sources) {
      for (const lane of lanesWithin(lanes, date?.rangeOf(s), date !== undefined)) {
        for (const t of targetsWithin(lane, amount, s)) {
          budget -= 1;
          if (budget < 0) throw new TooManyCandidates(pass.name, largest(blocks));
          visit(s, t);
        }
      }
    }
  }
};

const largest = (blocks: readonly Block[]): Block =>
  blocks.reduce((most, block) => (block.sources.length * block.targets.length > most.sources.length * most.targets.length ? block : most));

/** Targets of one day; of any day where the pass says nothing of dates. */
interface Lane {
  readonly day: number;
  readonly targets: readonly number[];
}

const lanesOf = (targets: readonly number[], amount: AmountCondition | undefined, date: DateCondition | undefined): Lane[] => {
  const usable = amount === undefined ? targets : targets.filter((t) => (amount.target[t] ?? null) !== null);
  const byDay = Map.groupBy(usable, (t) => (date === undefined ? 0 : (date.target[t] ?? noDay)));
  return [...byDay]
    .filter(([day]) => day !== noDay)
    .map(([day, rows]) => ({ day, targets: amount === undefined ? rows : rows.sort(byAmount(amount)) }))
    .sort((one, other) => one.day - other.day);
};

const byAmount =
  ({ target }: AmountCondition) =>
  (one: number, other: number): number => {
    const a = target[one] ?? 0n;
    const b = target[other] ?? 0n;
    return a < b ? -1 : a > b ? 1 : one - other;
  };

const lanesWithin = (lanes: readonly Lane[], range: { first: number; last: number } | undefined, isDated: boolean): readonly Lane[] => {
  if (!isDated) return lanes;
  if (range === undefined) return [];
  const from = lowerBound(lanes.length, (index) => (lanes[index]?.day ?? 0) >= range.first);
  const to = lowerBound(lanes.length, (index) => (lanes[index]?.day ?? 0) > range.last);
  return lanes.slice(from, to);
};

const targetsWithin = ({ targets }: Lane, amount: AmountCondition | undefined, s: number): readonly number[] => {
  if (amount === undefined) return targets;
  const range = amount.rangeOf(s);
  if (range === undefined) return [];
  const amountAt = (index: number): bigint => amount.target[targets[index] ?? -1] ?? 0n;
  const from = lowerBound(targets.length, (index) => amountAt(index) >= range.least);
  const to = lowerBound(targets.length, (index) => amountAt(index) > range.most);
  return targets.slice(from, to);
};

/** The first index at which `holds` is true, where it is false before and true from there on. */
const lowerBound = (length: number, holds: (index: number) => boolean): number => {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};
