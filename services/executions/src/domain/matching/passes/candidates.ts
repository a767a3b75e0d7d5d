/** Who may belong to whom, by what the identifying conditions can find: keys are joined, amounts and dates swept. Never n × m. */
import type { RecordBatch } from '../batch.ts';
import type { Judge } from '../conditions/judge.ts';
import { joinKeys, type Key } from '../join/keys.ts';
import { createPairBuffer, type TakePairs } from '../join/pairs.ts';
import { type Bands, sweep } from '../join/sweep.ts';

export interface Rows {
  readonly source: Uint32Array;
  readonly target: Uint32Array;
}

/** A pass that leaves more candidates than this per record, on average, says too little about what belongs together. */
const candidatesPerRecordMax = 50;
/** Pairs looked at for each that may be held. */
const looksPerCandidate = 40;
/** Of one key, paired one by one; more go through a sweep where there is one. */
const pairsOfKeyMax = 64;

/** The inputs and rules do not fit: retrying cannot help. */
export class TooManyCandidates extends Error {
  override readonly name = 'TooManyCandidates';
  readonly code = 'too_many_candidates';
  readonly pass: string;
  readonly block: Block;

  constructor(pass: string, block: Block) {
    super(
      `the pass "${pass}" leaves more than ${candidatesPerRecordMax} candidates per record on average; its largest block (${block.key}) has ${block.sources} source and ${block.targets} target records. ` +
        'Add an exact condition, or narrow the amount tolerance or the date window.',
    );
    this.pass = pass;
    this.block = block;
  }
}

interface Block {
  /** What the records have in common, for a person to recognise it. */
  readonly key: string;
  readonly sources: number;
  readonly targets: number;
}

export interface Candidates {
  /** Whether a pair may be found more than once. */
  readonly mayRepeat: boolean;
  /** Hands over every pair that the finders allow: a superset of what the conditions accept. */
  readonly visit: (take: TakePairs) => void;
  /** The conditions that every visited pair is known to meet with a score of 1. */
  readonly certain: ReadonlySet<Judge>;
  /** @throws TooManyCandidates */
  readonly refuse: () => never;
  /** The most candidates that may be held. */
  readonly heldMax: number;
}

export const candidatesOf = (pass: string, judges: readonly Judge[], source: RecordBatch, target: RecordBatch, rows: Rows): Candidates => {
  const finders = judges.filter(({ verify, finder }) => !verify && finder !== undefined);
  const keyed = finders.filter(({ finder }) => finder?.kind === 'key');
  const bands = bandsOf(finders, source, target);
  // A pair is a candidate of both its records.
  const heldMax = Math.ceil((candidatesPerRecordMax * (rows.source.length + rows.target.length)) / 2);
  const all: Block = { key: 'all records', sources: rows.source.length, targets: rows.target.length };
  /** Of all alternatives: which of them led to most of the candidates nobody counts. */
  let largest: Block | undefined;
  const refuse = (): never => {
    throw new TooManyCandidates(pass, largest ?? all);
  };

  const visitWith = (keys: readonly Judge[], swept: Bands, take: TakePairs): void => {
    let looks = heldMax * looksPerCandidate + 1_000_000;
    const buffer = createPairBuffer((sources, targets, count) => {
      looks -= count;
      if (looks < 0) refuse();
      take(sources, targets, count);
    }, source.length);
    const isSwept = swept.amount !== undefined || swept.day !== undefined;
    if (keys.length === 0) {
      largest = all;
      sweep(swept, rows.source, rows.target, buffer.push);
      buffer.finish();
      return;
    }
    joinKeys(keys.map(keyOf), rows.source, rows.target, {
      pair: buffer.push,
      pairsMax: pairsOfKeyMax,
      block: (sources, targets) => {
        if (largest === undefined || sources.length * targets.length > largest.sources * largest.targets) {
          const [s = 0] = sources;
          const [t = 0] = targets;
          const key = keys
            .map((judge) => judge.tell(s, t).source ?? '')
            .join(' · ')
            .slice(0, 200);
          largest = { key, sources: sources.length, targets: targets.length };
        }
        if (isSwept) sweep(swept, sources, targets, buffer.push);
        else for (const s of sources) for (const t of targets) buffer.push(s, t);
      },
    });
    buffer.finish();
  };

  const alternatives = finders.find(({ finder }) => finder?.kind === 'any')?.finder;
  if (keyed.length > 0 || bands.amount !== undefined || bands.day !== undefined || alternatives?.kind !== 'any') {
    return { mayRepeat: false, visit: (take) => visitWith(keyed, bands, take), certain: new Set(keyed), refuse, heldMax };
  }
  return {
    mayRepeat: true,
    visit: (take) => {
      for (const alternative of alternatives.of) {
        visitWith(alternative.finder?.kind === 'key' ? [alternative] : [], bandsOf([alternative], source, target), take);
      }
    },
    certain: new Set(),
    refuse,
    heldMax,
  };
};

const keyOf = ({ finder }: Judge): Key => {
  if (finder?.kind !== 'key') throw new Error('a condition without a key was to be joined');
  return finder.key;
};

const bandsOf = (finders: readonly Judge[], source: RecordBatch, target: RecordBatch): Bands => {
  const amount = finders.find(({ finder }) => finder?.kind === 'amount')?.finder;
  const day = finders.find(({ finder }) => finder?.kind === 'day')?.finder;
  return {
    amount: amount?.kind === 'amount' ? amount.band : undefined,
    day: day?.kind === 'day' ? day.band : undefined,
    sourceCurrencies: source.currencies,
    targetCurrencies: target.currencies,
  };
};
