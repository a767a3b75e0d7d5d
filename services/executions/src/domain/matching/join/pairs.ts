/** Pairs of rows on their way from a join to whoever judges them, in pieces: all of them at once could be more than memory holds. */
export type TakePairs = (sources: Int32Array, targets: Int32Array, count: number) => void;

export interface PairBuffer {
  readonly push: (source: number, target: number) => void;
  readonly flush: () => void;
}

const pairsPerPiece = 16_384;

export const createPairBuffer = (take: TakePairs): PairBuffer => {
  const sources = new Int32Array(pairsPerPiece);
  const targets = new Int32Array(pairsPerPiece);
  let count = 0;
  const flush = (): void => {
    if (count > 0) take(sources, targets, count);
    count = 0;
  };
  return {
    push: (source, target) => {
      sources[count] = source;
      targets[count] = target;
      count += 1;
      if (count === pairsPerPiece) flush();
    },
    flush,
  };
};
