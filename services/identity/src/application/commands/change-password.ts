/** Changing one's password: in two steps, because hashing takes long and must hold no transaction. */
import { invalid } from '@settler/chassis/refusal';
import { isShort, passwordFault, passwordLengthMin, passwordLengthMinWithFactor } from '../../domain/password.ts';
import { ownAccount } from '../own-account.ts';
import type { Account, AccountStore, Actor, NewPassword, PasswordStore, Passwords, SecondFactors } from '../ports.ts';
import type { ProvePassword } from '../prove-password.ts';

export interface ChangePasswordInput {
  readonly currentPassword: string;
  readonly newPassword: string;
}

export interface ChangePasswordNeeds {
  readonly accounts: AccountStore;
  readonly store: PasswordStore;
  readonly passwords: Passwords;
  readonly provePassword: ProvePassword;
  readonly factors: Pick<SecondFactors, 'isOn'>;
}

export const changePassword = ({ accounts, store, passwords, provePassword, factors }: ChangePasswordNeeds) => ({
  admit: async ({ currentPassword, newPassword }: ChangePasswordInput, actor: Actor) => {
    const { principal, address } = actor;
    const account = await ownAccount(accounts, actor);
    const { email, name } = account.user;
    const lengthMin = (await factors.isOn(principal.id)) ? passwordLengthMinWithFactor : passwordLengthMin;
    const message =
      newPassword === currentPassword
        ? 'is the one you have; choose another'
        : passwordFault(newPassword, [email, ...(name === null ? [] : [name])], lengthMin);
    if (message !== undefined) throw invalid([{ path: 'newPassword', message }]);
    await provePassword(account, currentPassword, address, 'The current password is wrong.');
    return { account, password: { hash: await passwords.hash(newPassword), isShort: isShort(newPassword) } };
  },

  complete: ({ account, password }: { account: Account; password: NewPassword }, actor: Actor): Promise<void> =>
    store.change(account, password, actor),
});
