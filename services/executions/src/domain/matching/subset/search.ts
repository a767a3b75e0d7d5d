export interface SubsetQuestion {
  readonly amounts: Float64Array;
  readonly days: Int32Array;
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
  readonly stepsMax: number;
}
export type SubsetAnswer =
  | { readonly kind: 'found'; readonly members: Int32Array; readonly how: 'window' | 'only' }
  | { readonly kind: 'ambiguous'; readonly first: Int32Array; readonly second: Int32Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'budget' };

export const searchSubset = ({ amounts, least, most, sizeMin, sizeMax }: SubsetQuestion): SubsetAnswer => {
  const runs: Int32Array[] = [];
  for (let start = 0; start < amounts.length; start += 1) {
    let sum = 0;
    for (let end = start; end < amounts.length && end - start < sizeMax; end += 1) {
      sum += amounts[end] as number;
      if (sum >= least && sum <= most && end - start + 1 >= sizeMin)
        runs.push(Int32Array.from({ length: end - start + 1 }, (_, index) => start + index));
    }
  }
  const [first, second] = runs;
  if (first !== undefined)
    return second === undefined ? { kind: 'found', members: first, how: 'window' } : { kind: 'ambiguous', first, second };
  return { kind: 'budget' };
};
