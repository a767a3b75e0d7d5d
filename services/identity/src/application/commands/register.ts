/**
 * Registering: in two steps, because hashing takes long and must hold no transaction, and because a failed attempt is counted
 * although nothing else of it is kept.
 */
import { invalid, Refusal } from '@settler/chassis/refusal';
import { passwordFault } from '../../domain/password.ts';
import { slugOf } from '../../domain/slug.ts';
import type { AccountStore, Passwords, SignedIn, Throttle } from '../ports.ts';

export interface RegisterInput {
  readonly email: string;
  readonly password: string;
  readonly organizationName: string;
  readonly name: string | null;
  readonly address: string | null;
}

export interface RegisterNeeds {
  readonly accounts: AccountStore;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly clock: () => Date;
  readonly newId: (kind: 'user' | 'organization' | 'session') => string;
  /** A few characters that make a taken slug another one. */
  readonly newSuffix: () => string;
}

const defaultCurrency = 'EUR';

export const register = ({ accounts, passwords, throttle, clock, newId, newSuffix }: RegisterNeeds) => ({
  admit: async ({ email, password, organizationName, name, address }: RegisterInput): Promise<{ passwordHash: string }> => {
    await throttle.require(email, address);
    const message = passwordFault(password, [email, organizationName, ...(name === null ? [] : [name])]);
    if (message !== undefined) throw invalid([{ path: 'password', message }]);
    if ((await accounts.findByEmail(email)) !== undefined) {
      await throttle.fail(email, address);
      throw new Refusal('conflict', 'There is an account with this e-mail address already; log in instead.');
    }
    return { passwordHash: await passwords.hash(password) };
  },

  complete: ({ email, organizationName, name, address }: RegisterInput, { passwordHash }: { passwordHash: string }): Promise<SignedIn> => {
    const slug = slugOf(organizationName);
    return accounts.register({
      user: { id: newId('user'), email, name },
      passwordHash,
      organization: { id: newId('organization'), name: organizationName, baseCurrency: defaultCurrency, createdAt: clock() },
      slugs: [slug, `${slug}-${newSuffix()}`, `${slug}-${newSuffix()}`],
      sessionId: newId('session'),
      address,
    });
  },
});
