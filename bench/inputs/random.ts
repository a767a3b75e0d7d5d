/** Chance that can be repeated: the same seed gives the same inputs on every machine. */
export interface Random {
  /** In [0, 1). */
  readonly next: () => number;
  /** A whole number from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number;
  readonly isOneOf: (share: number) => boolean;
  readonly pick: <Value>(values: readonly Value[]) => Value;
  readonly shuffle: (values: Uint32Array) => Uint32Array;
}

/** sfc32, which passes the statistical batteries that the shorter generators of a script fail. */
export const createRandom = (seed: number): Random => {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  const word = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 15; round += 1) word();
  const next = (): number => word() / 2 ** 32;
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    isOneOf: (share) => next() < share,
    pick: (values) => values[between(0, values.length - 1)] as (typeof values)[number],
    shuffle: (values) => {
      for (let index = values.length - 1; index > 0; index -= 1) {
        const other = between(0, index);
        const kept = values[index] as number;
        values[index] = values[other] as number;
        values[other] = kept;
      }
      return values;
    },
  };
};
