/**
 * What sources may come to after their fees, so that one target lies within the tolerance of them. A share is of what the sources come to,
 * which is what is looked for: so the limits move with it, and the ends of the range are found by halving.
 */
import type { Fee } from '@settler/contracts/rules';
import { type CompiledLimit, shareOf } from '../conditions/limit.ts';

/** Both included; infinite where no sum is too small or too large. */
export interface SumRange {
  readonly least: number;
  readonly most: number;
}

export interface Tolerated {
  readonly below: CompiledLimit;
  readonly above: CompiledLimit;
  readonly fee: Fee | undefined;
}

/**
 * `arrived`: of the target, in minor units. Exactly the sums that fit, but for a share beside a fee: what arrives of several sources
 * says only nearly what they were before, so some sums lie in the range that do not fit.
 */
export const sourcesAround = (arrived: number, exponent: number, countMax: number, { below, above, fee }: Tolerated): SumRange => {
  if (Number.isNaN(arrived)) return { least: arrived, most: arrived };
  // Most tolerances are the same whatever the sum, and their range is known at once.
  if ([below, above].every((limit) => limit.within(0, exponent) === limit.within(wide, exponent)))
    return { least: arrived - above.within(0, exponent), most: arrived + below.within(0, exponent) };
  const magnitudeOf = fee === undefined ? Math.abs : beforeFees(fee, exponent, countMax);
  const within = (limit: CompiledLimit, expected: number): number => limit.within(magnitudeOf(expected), exponent);
  // Where a share of all or more is allowed, a sum may be as far from the target as it likes: its tolerance grows as fast.
  const isBounded = (limit: CompiledLimit): boolean => within(limit, wide) < wide * boundedMax;
  return {
    least: isBounded(above) ? firstWhere((expected) => expected + within(above, expected) >= arrived) : Number.NEGATIVE_INFINITY,
    most: isBounded(below) ? -firstWhere((negated) => -negated - within(below, -negated) <= arrived) : Number.POSITIVE_INFINITY,
  };
};

const wide = 2 ** 50;
/** Next to 1 the steps of a fee's rounding would make the tolerance grow faster than the sum here and there. */
const boundedMax = 0.99;

/** The most that sources can have been that come to so much, each rounded by half a unit. */
const beforeFees = ({ percent = '0', fixed = '0' }: Fee, exponent: number, countMax: number): ((expected: number) => number) => {
  const kept = 1 - shareOf(percent, 2).factor;
  const perSource = Number(fixed) * 10 ** exponent + 1;
  return (expected) => Math.min(Math.ceil((Math.abs(expected) + countMax * perSource) / kept), Number.MAX_SAFE_INTEGER);
};

/** The least whole number for which it holds, as it does for all greater ones. */
const firstWhere = (holds: (value: number) => boolean): number => {
  let [low, high] = [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};
