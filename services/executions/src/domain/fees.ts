/** What a pass says that a provider keeps: of each source record a percentage, rounded half away from zero, and a fixed amount. */
import { alternativesOf, type Condition, type Fee, type Rules } from '@settler/contracts/rules';

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
 * Passes that change currencies, or amounts before they are compared, are left out: what they keep is of an amount that no record has. Of
 * several conditions the first that has a fee counts; where that is one of several alternatives (`oneOf`), each of them agrees on something,
 * one without a fee on nothing, and which one a result has met is for the result to show.
 */
export const agreedFees = ({ passes }: Rules): AgreedFee[] =>
  passes.flatMap(({ name: pass, match, sum }) => {
    const conditions = match.map(amountsIn).filter((amounts) => amounts.length > 0);
    const compared = conditions.find((amounts) => amounts.some(({ fee }) => fee !== undefined)) ?? conditions[0]?.slice(0, 1) ?? [];
    const isChanged = conditions.flat().some(({ fx }) => fx !== undefined) || compared.some(({ normalize }) => normalize !== undefined);
    if (isChanged) return [];
    if (sum !== undefined || compared.length === 0)
      return [{ pass, ...agreedOn(sum?.fee ?? compared.find(({ fee }) => fee !== undefined)?.fee), source: 'amount', target: 'amount' }];
    const hasFee = compared.some(({ fee }) => fee !== undefined);
    return compared.map(({ fee, source, target }) => ({ pass, ...agreedOn(hasFee ? (fee ?? {}) : undefined), source, target }));
  });

const amountsIn = (condition: Condition) => alternativesOf(condition).filter((one) => one.type === 'amount');

const agreedOn = (fee: Fee | undefined): Pick<AgreedFee, 'percent' | 'fixed'> =>
  fee === undefined ? { percent: null, fixed: null } : { percent: fee.percent ?? '0', fixed: fee.fixed ?? '0' };
