/** Accepting an invitation: in two steps, because hashing takes long and must hold no transaction. */
import { invalid, Refusal } from '@settler/chassis/refusal';
import { passwordFault } from '../../domain/password.ts';
import type { Account, AccountStore, Authenticated, InvitationStore, Passwords, SignedIn, Throttle } from '../ports.ts';
import type { ProveFactor } from '../prove-factor.ts';

export interface AcceptInvitationInput {
  readonly token: string;
  readonly password: string;
  readonly totp: string | undefined;
  readonly name: string | null;
  readonly address: string | null;
}

export interface AcceptInvitationNeeds {
  readonly invitations: InvitationStore;
  readonly accounts: AccountStore;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly proveFactor: ProveFactor;
  readonly newId: (kind: 'user' | 'session') => string;
  /** What a token is counted under. */
  readonly keyed: (token: string) => string;
}

type Accepting = Authenticated & { readonly isNew: boolean };

const tokenIsOver = () => invalid([{ path: 'token', message: 'does not count, or not any more; ask to be invited again' }]);

export const acceptInvitation = (needs: AcceptInvitationNeeds) => {
  const { invitations, accounts, passwords, throttle, proveFactor, newId, keyed } = needs;

  const newAccount = async (email: string, { password, name }: AcceptInvitationInput): Promise<Accepting> => {
    const message = passwordFault(password, [email, ...(name === null ? [] : [name])]);
    if (message !== undefined) throw invalid([{ path: 'password', message }]);
    return { user: { id: newId('user'), email, name }, passwordHash: await passwords.hash(password), proof: undefined, isNew: true };
  };

  /** The mailbox alone is not enough: whoever reads it must not come into the account. Guesses count as those at a login do. */
  const existing = async (account: Account, { password, totp, address }: AcceptInvitationInput): Promise<Accepting> => {
    const { email } = account.user;
    await throttle.require(email, address);
    if (!(await passwords.verify(password, account.passwordHash))) {
      await throttle.fail(email, address, account.user.id);
      throw new Refusal('unauthenticated', 'There is an account with the address of the invitation, and this is not its password.');
    }
    await throttle.require(email, address);
    return { ...account, proof: await proveFactor(account.user, totp, address), isNew: false };
  };

  return {
    admit: async (input: AcceptInvitationInput): Promise<Accepting> => {
      const counted = keyed(input.token);
      await throttle.require(counted, input.address);
      const invitation = await invitations.find(input.token);
      if (invitation === undefined) {
        await throttle.fail(counted, input.address);
        throw tokenIsOver();
      }
      const account = await accounts.findByEmail(invitation.email);
      return account === undefined ? newAccount(invitation.email, input) : existing(account, input);
    },

    complete: async ({ token, address }: AcceptInvitationInput, { isNew, ...account }: Accepting): Promise<SignedIn> => {
      const signedIn = await invitations.accept({ token, account, isNew, sessionId: newId('session'), address });
      if (signedIn === undefined) throw tokenIsOver();
      await throttle.remember(signedIn.user.email, address);
      return signedIn;
    },
  };
};
