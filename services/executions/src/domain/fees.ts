/** What a pass says that a provider keeps: of each source record a percentage, rounded half away from zero, and a fixed amount. */
import { alternativesOf, type Rules } from '@settler/contracts/rules';

export interface AgreedFee {
  readonly pass: string;
  /** Null where the pass has none. */
  readonly percent: string | null;
  readonly fixed: string | null;
  /** The fields between which it lies. */
  readonly source: string;
  readonly target: string;
}

/**
 * Passes that change currencies, or amounts before they are compared, are left out: what they keep is of an amount that no record has. Where
 * several conditions could hold, the first that has a fee counts.
 */
export const agreedFees = ({ passes }: Rules): AgreedFee[] =>
  passes.flatMap(({ name: pass, match, sum }) => {
    const amounts = match.flatMap(alternativesOf).filter((condition) => condition.type === 'amount');
    const compared = amounts.find(({ fee }) => fee !== undefined) ?? amounts[0];
    if (amounts.some(({ fx }) => fx !== undefined) || compared?.normalize !== undefined) return [];
    const fee = sum?.fee ?? compared?.fee;
    const { source, target } = sum === undefined && compared !== undefined ? compared : { source: 'amount', target: 'amount' };
    const agreed = fee === undefined ? { percent: null, fixed: null } : { percent: fee.percent ?? '0', fixed: fee.fixed ?? '0' };
    return [{ pass, ...agreed, source, target }];
  });
