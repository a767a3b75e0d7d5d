/** What a pass says that a provider keeps: of each source record a percentage, rounded half away from zero, and a fixed amount. */
import type { Rules } from '@settler/contracts/rules';

export interface AgreedFee {
  readonly pass: string;
  /** Null where the pass has none. */
  readonly percent: string | null;
  readonly fixed: string | null;
}

/** Passes that change currencies are left out: what they keep is of an amount that no record has. */
export const agreedFees = ({ passes }: Rules): AgreedFee[] =>
  passes.flatMap(({ name, match, sum }) => {
    const amounts = match.filter((condition) => condition.type === 'amount');
    if (amounts.some(({ fx }) => fx !== undefined)) return [];
    const fee = sum?.fee ?? amounts.find((condition) => condition.fee !== undefined)?.fee;
    return [{ pass: name, percent: fee === undefined ? null : (fee.percent ?? '0'), fixed: fee === undefined ? null : (fee.fixed ?? '0') }];
  });
