/**
 * Rests: what remains of sums when they are divided by a round number. Most prices end in .99, .50 or .00, so few members reach few
 * rests, and a total from which a fee was taken often has one that no allowed number of members can leave. That is seen from the rests
 * alone, at a cost that does not grow with the amounts.
 */
import { type Budget, cellsPerStep, type Problem, sizeBits, sizesBetween } from './problem.ts';

/** Of cents it says what hundreds do, too; of a currency with three digits all of them. */
const modulus = 1000;

/** The problem with its sizes narrowed to those that can leave the rest of a fitting sum, or undefined where none can. */
export const narrowedByRests = (problem: Problem, budget: Budget): Problem | undefined => {
  const { amounts, least, most, sizeMin, sizeMax } = problem;
  const steps = (amounts.length * modulus) / cellsPerStep;
  if (sizeMax >= sizeBits || most - least + 1 >= modulus || steps > budget.left) return problem;
  budget.left -= steps;
  const sizes = sizesByRest(amounts);
  let fitting = 0;
  for (let sum = least; sum <= most; sum += 1) fitting |= sizes[restOf(sum)] as number;
  fitting &= sizesBetween(sizeMin, sizeMax);
  if (fitting === 0) return undefined;
  return { ...problem, sizeMin: sizeBits - 1 - Math.clz32(fitting & -fitting), sizeMax: sizeBits - 1 - Math.clz32(fitting) };
};

/** Bit k is set where k members can leave the rest. */
const sizesByRest = (amounts: Float64Array): Int32Array => {
  let sizes = new Int32Array(modulus);
  sizes[0] = 1;
  for (const amount of amounts) {
    const rest = restOf(amount);
    const next = sizes.slice();
    for (let from = 0; from < modulus; from += 1) {
      const to = from + rest < modulus ? from + rest : from + rest - modulus;
      next[to] = (next[to] as number) | ((sizes[from] as number) << 1);
    }
    sizes = next;
  }
  return sizes;
};

const restOf = (value: number): number => ((value % modulus) + modulus) % modulus;
