/** What all ways of looking for a subset work on: the candidates in order of size, the bounds, the steps left, the subsets found so far. */
export interface Problem {
  /** Of the candidates that may be members at all, by magnitude, greatest first; of equal ones the earliest candidate first. */
  readonly amounts: Float64Array;
  /** The candidate behind each of the amounts. */
  readonly candidates: Int32Array;
  /** Of the sum, whole numbers, inclusive. */
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
  /** How far a computed sum may be from the true one: 0 where no sum can leave the integers that a double holds exactly. */
  readonly slack: number;
}

/** A step is 10 to 20 ns of work: a node of a tree, an entry of a list. Steps and not time, so that an answer never depends on the machine. */
export interface Budget {
  left: number;
}

/** Loops over plain cells do this many in the time of a step. */
export const cellsPerStep = 16;

/** Sets of sizes are the bits of an integer, so only sizes below this one can be in them. */
export const sizeBits = 32;

export const sizesBetween = (first: number, last: number): number => {
  let sizes = 0;
  for (let size = first; size <= last; size += 1) sizes |= 1 << size;
  return sizes;
};

/** Two different subsets that fit, at most: a third would say nothing new. */
export interface Witnesses {
  readonly found: Int32Array[];
  /** Candidates in any order. One subset may be found, and added, in several ways. */
  readonly add: (members: readonly number[]) => void;
  readonly areTwo: () => boolean;
}

/** Amounts are of all candidates. Where computed sums may be off, each subset is added up again exactly before it counts. */
export const createWitnesses = (amounts: Float64Array, least: number, most: number, slack: number): Witnesses => {
  const found: Int32Array[] = [];
  const isExact = (members: readonly number[]): boolean => {
    const sum = members.reduce((total, member) => total + BigInt(amounts[member] as number), 0n);
    return sum >= BigInt(least) && sum <= BigInt(most);
  };
  return {
    found,
    add: (members) => {
      if (found.length === 2 || (slack > 0 && !isExact(members))) return;
      const sorted = Int32Array.from(members).sort();
      const [first] = found;
      if (first === undefined || first.length !== sorted.length || first.some((member, index) => member !== sorted[index]))
        found.push(sorted);
    },
    areTwo: () => found.length === 2,
  };
};

/** How far sums of these may be off: each addition rounds by half a unit in the last place, and no bound is compared after more than 4n of them. */
export const slackOf = (amounts: Float64Array, least: number, most: number): number => {
  let magnitude = Math.abs(least) + Math.abs(most);
  for (const amount of amounts) magnitude += Math.abs(amount);
  return magnitude <= Number.MAX_SAFE_INTEGER ? 0 : Math.ceil((4 * amounts.length + 8) * Number.EPSILON * magnitude);
};

/**
 * Leaves out what no fitting subset can hold, and narrows the sizes to those that some subset of fitting sum can have.
 * Undefined where nothing can fit.
 */
export const problemOf = (
  amounts: Float64Array,
  least: number,
  most: number,
  sizeMin: number,
  sizeMax: number,
  slack: number,
): Problem | undefined => {
  let positive = 0;
  let negative = 0;
  for (const amount of amounts) {
    if (amount > 0) positive += amount;
    else negative += amount;
  }
  const possible: number[] = [];
  for (let index = 0; index < amounts.length; index += 1) {
    const amount = amounts[index] as number;
    const lowest = amount > 0 ? amount + negative : negative;
    const highest = amount > 0 ? positive : amount + positive;
    if (lowest <= most + slack && highest >= least - slack) possible.push(index);
  }
  const sorted = Int32Array.from(
    possible.sort((one, other) => {
      const [a, b] = [amounts[one] as number, amounts[other] as number];
      return Math.abs(b) - Math.abs(a) || b - a || one - other;
    }),
  );
  const kept = Float64Array.from(sorted, (index) => amounts[index] as number);
  const sizes = possibleSizes(kept, least, most, sizeMin, Math.min(sizeMax, kept.length), slack);
  return sizes && { amounts: kept, candidates: sorted, least, most, slack, ...sizes };
};

const possibleSizes = (amounts: Float64Array, least: number, most: number, sizeMin: number, sizeMax: number, slack: number) => {
  const ascending = amounts.toSorted();
  const fits = slack === 0 ? congruenceOf(amounts, least, most) : () => true;
  let lowest = 0;
  let highest = 0;
  let [first, last] = [0, 0];
  for (let size = 1; size <= sizeMax; size += 1) {
    lowest += ascending[size - 1] as number;
    highest += ascending[ascending.length - size] as number;
    if (size < sizeMin || lowest > most + slack || highest < least - slack || !fits(size)) continue;
    if (first === 0) first = size;
    last = size;
  }
  return first === 0 ? undefined : { sizeMin: first, sizeMax: last };
};

/**
 * Where all amounts leave the same rest by some divisor, their number decides what rest the sum leaves. Prices that end in .99 come
 * to a total in .94 by six, 106 or no pieces at all, and no search has to find that out.
 */
const congruenceOf = (amounts: Float64Array, least: number, most: number): ((size: number) => boolean) => {
  // The smallest, so that its multiples stay within the sum of all magnitudes and are exact.
  const start = amounts[amounts.length - 1] ?? 0;
  let divisor = 0;
  for (const amount of amounts) divisor = greatestDivisor(divisor, Math.abs(amount - start));
  if (divisor === 0) return (size) => size * start >= least && size * start <= most;
  const rest = (value: number): number => {
    const signed = value % divisor;
    return signed < 0 ? signed + divisor : signed;
  };
  return (size) => least + rest(rest(size * start) - rest(least)) <= most;
};

const greatestDivisor = (one: number, other: number): number => {
  let [a, b] = [one, other];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
};
