/**
 * A second pair of eyes: what somebody settles by hand above an amount waits until another person approves or rejects it.
 *
 *   pending → approved | rejected | withdrawn
 *
 * Nothing is done before it is approved; what is approved is done in the same moment, or not at all. Whoever asked cannot decide, and alone can
 * withdraw it.
 */
import { compareDecimals, exponentOf, fromMinor } from '@settler/contracts/money';
import type { Rules } from '@settler/contracts/rules';
import type { ManualResolution } from './exception-life.ts';
import { type Stake, sizeOf } from './stake.ts';

/** How it ends. */
export type Verdict = 'approved' | 'rejected' | 'withdrawn';
export type ApprovalStatus = 'pending' | Verdict;

/** What will be done. */
export type ApprovalRequest =
  | { readonly kind: 'resolve'; readonly resolution: ManualResolution; readonly note: string | null }
  | { readonly kind: 'match'; readonly source: readonly string[]; readonly target: readonly string[]; readonly note: string | null };

/** Whether one of these is above what one person may settle. What nobody has set an amount for, or knows the amount of, always is. */
export const takesSecond = (approval: Rules['approval'], stakes: readonly Stake[]): boolean =>
  approval !== undefined &&
  stakes.some(({ currency, amountMinor }) => {
    const most = currency === null ? undefined : approval.above[currency];
    if (currency === null || most === undefined || amountMinor === null) return true;
    return compareDecimals(fromMinor(sizeOf(amountMinor), exponentOf(currency)), most) > 0;
  });

/** Who acts: the user, or the key and the user who answers for it. */
export interface Party {
  readonly id: string;
  readonly personId: string | null;
}

const isSame = (one: Party, other: Party): boolean => one.id === other.id || (one.personId !== null && one.personId === other.personId);

/** Why this one may not withdraw it; undefined where it may. */
export const whyNotMaker = (maker: Party, other: Party): string | undefined =>
  isSame(maker, other) ? undefined : 'Only whoever settled this withdraws it, or a key of that person: somebody else rejects it.';

/** Why this one may not decide about it; undefined where it may. */
export const whyNotSecond = (maker: Party, second: Party): string | undefined => {
  if (second.personId === null) return 'Nobody is known to answer for this API key: a user decides, or a key of one.';
  if (isSame(maker, second))
    return 'Whoever settled this cannot decide about it, and neither can a key of that person: it takes another one.';
  // A key of nobody may be anybody's, also of whoever decides.
  return maker.personId === null && second.id !== second.personId
    ? 'Nobody is known to answer for the API key that settled this: a user decides, and no key.'
    : undefined;
};
