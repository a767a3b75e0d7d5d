/** A forgotten password: a mail is ordered for whatever address is named, and its token lets a new password be chosen, once. */
import { invalid } from '@settler/chassis/refusal';
import { isShort, passwordFault, passwordLengthMin, passwordLengthMinWithFactor } from '../../domain/password.ts';
import type { NewPassword, PasswordResets, Passwords, SecondFactors, Throttle, User } from '../ports.ts';

export interface ResetPasswordNeeds {
  readonly resets: PasswordResets;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  /** A second factor stays: a mailbox is not to be enough to come into an account. */
  readonly factors: Pick<SecondFactors, 'isOn'>;
  /** What a token is counted under. */
  readonly keyed: (token: string) => string;
}

export interface ResetInput {
  readonly token: string;
  readonly password: string;
  readonly address: string | null;
}

interface Admitted {
  readonly user: User;
  readonly chosen: NewPassword;
}

const tokenIsOver = () => invalid([{ path: 'token', message: 'does not count, or not any more; ask for another mail' }]);

export const resetPassword = ({ resets, passwords, throttle, factors, keyed }: ResetPasswordNeeds) => ({
  /** Counted whether there is such an account or not, or the limit would tell. Nobody's mailbox gets more than the limit of a login. */
  order: {
    admit: (email: string, address: string | null): Promise<void> => throttle.spend(`password reset ${email}`, address),
    complete: (email: string): Promise<void> => resets.order(email),
  },

  admit: async ({ token, password, address }: ResetInput): Promise<Admitted> => {
    const counted = keyed(token);
    await throttle.require(counted, address);
    const user = await resets.find(token);
    if (user === undefined) {
      await throttle.fail(counted, address);
      throw tokenIsOver();
    }
    const lengthMin = (await factors.isOn(user.id)) ? passwordLengthMinWithFactor : passwordLengthMin;
    const message = passwordFault(password, [user.email, ...(user.name === null ? [] : [user.name])], lengthMin);
    if (message !== undefined) throw invalid([{ path: 'password', message }]);
    return { user, chosen: { hash: await passwords.hash(password), isShort: isShort(password) } };
  },

  complete: async ({ token, address }: ResetInput, { user, chosen }: Admitted): Promise<void> => {
    if (!(await resets.reset(token, chosen, address))) throw tokenIsOver();
    // Whoever was locked out by failures, their own or another's, comes in with the new password.
    await throttle.remember(user.email, address);
  },
});
