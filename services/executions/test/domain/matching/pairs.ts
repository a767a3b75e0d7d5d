/** Pairs of rows as the tests of joins hold them against every pair that there is. */
export const sorted = (pairs: readonly (readonly number[])[]): string[] => pairs.map(([one, other]) => `${one}-${other}`).sort();

export const everyPair = (ours: number, theirs: number, belong: (one: number, other: number) => boolean): number[][] =>
  Array.from({ length: ours * theirs }, (_, index) => [Math.floor(index / theirs), index % theirs]).filter(([one = 0, other = 0]) =>
    belong(one, other),
  );
