/** The account of whoever asks. */
import { Refusal } from '@settler/chassis/refusal';
import type { Account, AccountStore, Actor } from './ports.ts';

/** @throws Refusal `unauthenticated` where it was erased since */
export const ownAccount = async (accounts: Pick<AccountStore, 'find'>, { principal }: Actor): Promise<Account> => {
  const account = await accounts.find(principal.id);
  if (account === undefined) throw new Refusal('unauthenticated', 'The account of this session is gone.');
  return account;
};
