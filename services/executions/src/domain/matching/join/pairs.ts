/** Pairs of rows on their way from a join to whoever judges them, in pieces: all of them at once could be more than memory holds. */
import { giveBack, lendWords } from '../columns/scratch.ts';

export type TakePairs = (sources: Int32Array, targets: Int32Array, count: number) => void;

export interface PairBuffer {
  readonly push: (source: number, target: number) => void;
  /** Hands over what is left. Nothing can be pushed afterwards. */
  readonly finish: () => void;
}

const pairsPerPiece = 16_384;
const heldMax = 2 ** 18;
const bucketBits = 10;

/**
 * Joins find pairs in an order of their own. As many as there are rows are held, and then go on in about the order of their sources:
 * whoever judges them reads a dozen columns, and would otherwise wait for memory at each of them.
 * @param sourceRows how many rows the source has, those that take no part included
 */
export const createPairBuffer = (take: TakePairs, sourceRows: number): PairBuffer => {
  const capacity = Math.min(heldMax, Math.max(pairsPerPiece, sourceRows));
  const lent = lendWords(capacity * 4);
  const columns = [0, 1, 2, 3].map((index) => new Int32Array(lent.buffer, index * capacity * 4, capacity)) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const [sources, targets, orderedSources, orderedTargets] = columns;
  const starts = new Uint32Array((1 << bucketBits) + 1);
  const shift = Math.max(0, 32 - Math.clz32(sourceRows) - bucketBits);
  let count = 0;

  const order = (): void => {
    starts.fill(0);
    for (let index = 0; index < count; index += 1) {
      const next = ((sources[index] as number) >>> shift) + 1;
      starts[next] = (starts[next] as number) + 1;
    }
    for (let bucket = 1; bucket < starts.length; bucket += 1) starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
    for (let index = 0; index < count; index += 1) {
      const source = sources[index] as number;
      const bucket = source >>> shift;
      const place = starts[bucket] as number;
      starts[bucket] = place + 1;
      orderedSources[place] = source;
      orderedTargets[place] = targets[index] as number;
    }
  };
  const flush = (): void => {
    const isOrdered = count > pairsPerPiece;
    if (isOrdered) order();
    const [ofSource, ofTarget] = isOrdered ? [orderedSources, orderedTargets] : [sources, targets];
    for (let from = 0; from < count; from += pairsPerPiece) {
      const to = Math.min(count, from + pairsPerPiece);
      take(ofSource.subarray(from, to), ofTarget.subarray(from, to), to - from);
    }
    count = 0;
  };
  return {
    push: (source, target) => {
      sources[count] = source;
      targets[count] = target;
      count += 1;
      if (count === capacity) flush();
    },
    finish: () => {
      flush();
      giveBack(lent);
    },
  };
};
