/**
 * Registering: in two steps, because hashing takes long and must hold no transaction, and because a failed attempt is counted
 * although nothing else of it is kept.
 */
import { invalid, Refusal } from '@settler/chassis/refusal';
import { passwordFault } from '../../domain/password.ts';
import { slugOf } from '../../domain/slug.ts';
import type { Account, AccountStore, Authenticated, Passwords, SignedIn, Throttle } from '../ports.ts';
import type { ProveFactor } from '../prove-factor.ts';

export interface RegisterInput {
  readonly email: string;
  readonly password: string;
  readonly totp: string | undefined;
  readonly organizationName: string;
  readonly name: string | null;
  readonly address: string | null;
}

export interface RegisterNeeds {
  readonly accounts: AccountStore;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly proveFactor: ProveFactor;
  readonly clock: () => Date;
  readonly newId: (kind: 'user' | 'organization' | 'session') => string;
  /** A few characters that make a taken slug another one. */
  readonly newSuffix: () => string;
}

const defaultCurrency = 'EUR';

interface Registering {
  readonly account: Authenticated;
  readonly isNew: boolean;
}

const addressIsTaken = () => new Refusal('conflict', 'There is an account with this e-mail address already; log in instead.');

export const register = ({ accounts, passwords, throttle, proveFactor, clock, newId, newSuffix }: RegisterNeeds) => {
  /** Who was a member and is none any more cannot log in: the password that would do so founds another organization instead. */
  const existing = async (account: Account, { email, password, totp, address }: RegisterInput): Promise<Registering> => {
    const isRight = await passwords.verify(password, account.passwordHash);
    if (!isRight || !(await accounts.isMemberless(account.user.id))) {
      await throttle.fail(email, address, account.user.id);
      throw addressIsTaken();
    }
    await throttle.require(email, address);
    return { account: { ...account, proof: await proveFactor(account.user, totp, address) }, isNew: false };
  };

  return {
    admit: async (input: RegisterInput): Promise<Registering> => {
      const { email, password, organizationName, name, address } = input;
      await throttle.require(email, address);
      const account = await accounts.findByEmail(email);
      if (account !== undefined) return existing(account, input);
      const message = passwordFault(password, [email, organizationName, ...(name === null ? [] : [name])]);
      if (message !== undefined) throw invalid([{ path: 'password', message }]);
      const user = { id: newId('user'), email, name };
      return { account: { user, passwordHash: await passwords.hash(password), proof: undefined }, isNew: true };
    },

    complete: async ({ organizationName, address }: RegisterInput, { account, isNew }: Registering): Promise<SignedIn> => {
      const slug = slugOf(organizationName);
      const signedIn = await accounts.register({
        account,
        isNew,
        organization: { id: newId('organization'), name: organizationName, baseCurrency: defaultCurrency, createdAt: clock() },
        slugs: [slug, `${slug}-${newSuffix()}`, `${slug}-${newSuffix()}`],
        sessionId: newId('session'),
        address,
      });
      if (signedIn === undefined) throw addressIsTaken();
      await throttle.remember(signedIn.user.email, address);
      return signedIn;
    },
  };
};
