/** Logging in: who it is, outside of any transaction, then the session. */
import { Refusal } from '@settler/chassis/refusal';
import type { AccountStore, Authenticated, Passwords, SessionStore, SignedIn, Throttle } from '../ports.ts';
import type { ProveFactor } from '../prove-factor.ts';

export interface LogInInput {
  readonly email: string;
  readonly password: string;
  /** A code of the second factor, or a recovery code. */
  readonly totp: string | undefined;
  readonly organizationId: string | undefined;
  readonly address: string | null;
}

export interface LogInNeeds {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly proveFactor: ProveFactor;
  readonly newId: (kind: 'session') => string;
  /** Logs and counts an attempt that failed. */
  readonly denied: (email: string) => void;
}

export const logIn = ({ accounts, sessions, passwords, throttle, proveFactor, newId, denied }: LogInNeeds) => ({
  /** @throws Refusal `rate_limited` where nobody may try any more */
  mayTry: ({ email, address }: Pick<LogInInput, 'email' | 'address'>): Promise<void> => throttle.require(email, address),

  /** @throws Refusal `rate_limited` where it was one guess too many */
  guessed: ({ email, address }: Pick<LogInInput, 'email' | 'address'>): Promise<void> => throttle.fail(email, address),

  authenticate: async ({ email, password, totp, address }: LogInInput): Promise<Authenticated> => {
    await throttle.require(email, address);
    const account = await accounts.findByEmail(email);
    const isRight = await passwords.verify(password, account?.passwordHash);
    if (account === undefined || !isRight) {
      denied(email);
      await throttle.fail(email, address, account?.user.id);
      throw new Refusal('unauthenticated', 'The e-mail address or the password is wrong.');
    }
    // Again, because many guesses at once all pass the first look before the first of them has failed.
    await throttle.require(email, address);
    const proof = await proveFactor(account.user, totp, address).catch((error: unknown) => {
      denied(email);
      throw error;
    });
    return { ...account, proof };
  },

  begin: async ({ email, organizationId, address }: LogInInput, account: Authenticated): Promise<SignedIn> => {
    const signedIn = await sessions.begin(account, newId('session'), organizationId, address);
    await throttle.remember(email, address);
    return signedIn;
  },
});
