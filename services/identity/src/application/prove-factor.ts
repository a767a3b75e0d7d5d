/** The second factor of somebody whose password was right. */
import { Refusal } from '@settler/chassis/refusal';
import type { FactorProof, SecondFactors, Throttle, User } from './ports.ts';

export interface ProveFactorNeeds {
  readonly factors: Pick<SecondFactors, 'check'>;
  readonly throttle: Throttle;
}

export type ProveFactor = ReturnType<typeof proveFactor>;

/**
 * Undefined where the user has none. A wrong code counts as a wrong password does, and once more for itself: from an address that
 * is known a password may be guessed at without end, because it is long; six digits may not.
 * @throws Refusal `unauthenticated`, `rate_limited`
 */
export const proveFactor =
  ({ factors, throttle }: ProveFactorNeeds) =>
  async ({ id, email }: User, text: string | undefined, address: string | null): Promise<FactorProof | undefined> => {
    const counted = `second factor of ${id}`;
    const check = await factors.check(id, text);
    if (!check.isOn) return undefined;
    // Nobody guesses one of those: it brings in whom the guesses of others have locked out.
    if (check.proof?.kind === 'recoveryCode') return check.proof;
    await throttle.require(counted, counted);
    if (check.proof !== undefined) return check.proof;
    await throttle.fail(email, address, id);
    if (text === undefined) throw new Refusal('unauthenticated', 'This account has a second factor: send a code of it as `totp`.');
    await throttle.fail(counted, counted);
    throw new Refusal('unauthenticated', 'The one-time code is wrong, or was used already.');
  };
