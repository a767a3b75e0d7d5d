/** Turning one-time codes off, with all that a login would take: a session that somebody found open must not do. */
import { requireRevision } from '@settler/chassis/entity-tag';
import { invalid, notFound } from '@settler/chassis/refusal';
import { isShort, passwordLengthMin } from '../../domain/password.ts';
import { ownAccount } from '../own-account.ts';
import type { AccountStore, Actor, Authenticated, SecondFactors } from '../ports.ts';
import type { ProveFactor } from '../prove-factor.ts';
import type { ProvePassword } from '../prove-password.ts';

export interface RemoveTotpInput {
  readonly password: string;
  readonly code: string;
}

export interface RemoveTotpNeeds {
  readonly accounts: AccountStore;
  readonly factors: SecondFactors;
  readonly provePassword: ProvePassword;
  readonly proveFactor: ProveFactor;
}

/** Nothing about it changes until it is gone. */
const revision = 1;

export const removeTotp = ({ accounts, factors, provePassword, proveFactor }: RemoveTotpNeeds) => ({
  admit: async ({ password, code }: RemoveTotpInput, ifMatch: number | undefined, actor: Actor): Promise<Authenticated> => {
    const { principal, address } = actor;
    const account = await ownAccount(accounts, actor);
    if (!(await factors.isOn(principal.id))) throw notFound('second factor');
    requireRevision(ifMatch, revision);
    await provePassword(account, password, address);
    const message = `has fewer than ${passwordLengthMin} characters, which is too short without one-time codes; change it first`;
    if (isShort(password)) throw invalid([{ path: 'password', message }]);
    return { ...account, proof: await proveFactor(account.user, code, address) };
  },

  complete: (account: Authenticated, actor: Actor): Promise<void> => factors.remove(account, actor),
});
