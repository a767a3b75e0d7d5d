/** Candidate pairs of a pass: blocks by what must be equal, and inside a block a sweep over amounts or dates. Never n × m. */
import type { Condition, Pass } from '@settler/contracts/rules';
import { noDay, type RecordBatch } from './batch.ts';
import { amountBounds, amountsOf, daysOf, texts, withinBounds } from './condition.ts';

/** A pass that leaves so many candidates per record says too little about what belongs together. */
const candidatesPerRecordMax = 50;

/** The inputs and rules do not fit: retrying cannot help. */
export class TooManyCandidates extends Error {
  override readonly name = 'TooManyCandidates';
  readonly code = 'too_many_candidates';

  constructor(pass: string, block: string, sources: number, targets: number) {
    super(
      `the pass "${pass}" leaves more than ${candidatesPerRecordMax} candidates per record on average; its largest block (${block}) has ${sources} source and ${targets} target records. ` +
        'Add an exact condition, or narrow the amount tolerance or the date window.',
    );
  }
}

export interface Pair {
  readonly source: number;
  readonly target: number;
}

export const candidatePairs = (
  pass: Pass,
  source: RecordBatch,
  target: RecordBatch,
  sources: readonly number[],
  targets: readonly number[],
): Pair[] => {
  const identifying = pass.match.filter((condition) => !condition.verify);
  const exact = identifying.filter((condition) => condition.type === 'exact');
  const blocks = blocksOf(exact, source, target, sources, targets);
  const budget = candidatesPerRecordMax * Math.max(1, sources.length + targets.length);
  const sweep = sweepFor(identifying, source, target);
  const pairs: Pair[] = [];
  for (const block of blocks.values()) {
    if (!sweep(block, pairs, budget)) throw tooMany(pass, blocks);
  }
  return pairs;
};

interface Block {
  readonly name: string;
  readonly sources: number[];
  readonly targets: number[];
}

const tooMany = (pass: Pass, blocks: ReadonlyMap<string, Block>): TooManyCandidates => {
  const [largest] = [...blocks.values()].sort(
    (one, other) => other.sources.length * other.targets.length - one.sources.length * one.targets.length,
  );
  return new TooManyCandidates(pass.name, largest?.name ?? '', largest?.sources.length ?? 0, largest?.targets.length ?? 0);
};

/** By currency, which must always agree, and by every exact condition. A record that lacks one of them is in no block. */
const blocksOf = (
  exact: readonly Condition[],
  source: RecordBatch,
  target: RecordBatch,
  sources: readonly number[],
  targets: readonly number[],
) => {
  const blocks = new Map<string, Block>();
  const keyOf = (side: 'source' | 'target', batch: RecordBatch) => {
    const columns = exact.map((condition) => texts(condition, side, batch));
    return (row: number): string | undefined => {
      const parts = columns.map((column) => column[row]);
      return parts.includes(undefined) ? undefined : JSON.stringify([batch.currencies[row], ...parts]);
    };
  };
  const sourceKey = keyOf('source', source);
  for (const row of sources) {
    const key = sourceKey(row);
    if (key === undefined) continue;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { name: key.slice(0, 200), sources: [row], targets: [] });
    else block.sources.push(row);
  }
  const targetKey = keyOf('target', target);
  for (const row of targets) {
    const key = targetKey(row);
    if (key !== undefined) blocks.get(key)?.targets.push(row);
  }
  return blocks;
};

/** Appends a block's pairs. False where they would go beyond the budget; it stops there. */
type Sweep = (block: Block, pairs: Pair[], budget: number) => boolean;

const sweepFor = (identifying: readonly Condition[], source: RecordBatch, target: RecordBatch): Sweep => {
  const amount = identifying.find((condition) => condition.type === 'amount');
  const date = identifying.find((condition) => condition.type === 'date');
  const isWithinDate = date === undefined ? () => true : dateTest(date, source, target);
  if (amount !== undefined) return amountSweep(amount, source, target, isWithinDate);
  if (date !== undefined) return dateSweep(date, source, target);
  return (block, pairs, budget) => {
    if (pairs.length + block.sources.length * block.targets.length > budget) return false;
    for (const s of block.sources) for (const t of block.targets) pairs.push({ source: s, target: t });
    return true;
  };
};

const dateTest = (condition: Extract<Condition, { type: 'date' }>, source: RecordBatch, target: RecordBatch) => {
  const ours = daysOf(condition, 'source', source);
  const theirs = daysOf(condition, 'target', target);
  const { before, after } = condition.within;
  return (s: number, t: number): boolean => {
    const one = ours[s] ?? noDay;
    const other = theirs[t] ?? noDay;
    return one !== noDay && other !== noDay && other - one <= after && one - other <= before;
  };
};

const amountSweep = (
  condition: Extract<Condition, { type: 'amount' }>,
  source: RecordBatch,
  target: RecordBatch,
  also: (s: number, t: number) => boolean,
): Sweep => {
  const ours = amountsOf(condition, 'source', source);
  const theirs = amountsOf(condition, 'target', target);
  const amount = (t: number) => theirs[t] ?? 0n;
  return (block, pairs, budget) => {
    const sorted = block.targets
      .filter((t) => theirs[t] !== null && theirs[t] !== undefined)
      .sort((one, other) => (amount(one) < amount(other) ? -1 : amount(one) > amount(other) ? 1 : 0));
    for (const s of block.sources) {
      const own = ours[s];
      if (own === null || own === undefined) continue;
      const bounds = amountBounds(condition, own, source.currencies[s] ?? '');
      const first = lowerBound(sorted.length, (index) => {
        const delta = amount(sorted[index] ?? 0) - own;
        return delta >= 0n || withinBounds(delta, bounds);
      });
      for (let index = first; index < sorted.length; index += 1) {
        const t = sorted[index] as number;
        if (!withinBounds(amount(t) - own, bounds)) break;
        if (also(s, t)) pairs.push({ source: s, target: t });
        if (pairs.length > budget) return false;
      }
    }
    return true;
  };
};

const dateSweep = (condition: Extract<Condition, { type: 'date' }>, source: RecordBatch, target: RecordBatch): Sweep => {
  const ours = daysOf(condition, 'source', source);
  const theirs = daysOf(condition, 'target', target);
  const { before, after } = condition.within;
  const day = (t: number) => theirs[t] ?? noDay;
  return (block, pairs, budget) => {
    const sorted = block.targets.filter((t) => day(t) !== noDay).sort((one, other) => day(one) - day(other));
    for (const s of block.sources) {
      const own = ours[s] ?? noDay;
      if (own === noDay) continue;
      for (let index = lowerBound(sorted.length, (at) => day(sorted[at] ?? 0) >= own - before); index < sorted.length; index += 1) {
        const t = sorted[index] as number;
        if (day(t) > own + after) break;
        pairs.push({ source: s, target: t });
        if (pairs.length > budget) return false;
      }
    }
    return true;
  };
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
