/** A fee contract: what a provider keeps of each record. What arrives is source − percent − fixed, the percentage rounded half away from zero. */
import type { Fee } from '@settler/contracts/rules';
import { roundedShare, shareOf } from './limit.ts';

/** What arrives of an amount in minor units. */
export type AfterFee = (amount: number, exponent: number) => number;

export const compileFee = ({ percent, fixed }: Fee): AfterFee => {
  const share = percent === undefined ? undefined : shareOf(percent, 2);
  const fixedOf = (exponent: number): number => {
    if (fixed === undefined) return 0;
    const unit = shareOf(fixed, 0);
    return roundedShare(10 ** exponent, unit);
  };
  const fixedByExponent = Array.from({ length: 9 }, (_, exponent) => fixedOf(exponent));
  return (amount, exponent) => amount - (share === undefined ? 0 : roundedShare(amount, share)) - (fixedByExponent[exponent] as number);
};
