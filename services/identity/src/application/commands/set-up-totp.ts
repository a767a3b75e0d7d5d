/**
 * Turning one-time codes on: a secret, which counts once a code has shown that an authenticator has it. Whoever found a session open and turned
 * them on would keep its user out, so a session whose login is a while ago takes the password once more.
 */
import { invalid, Refusal } from '@settler/chassis/refusal';
import { freshLoginMs } from '../../domain/session.ts';
import { otpauthUri } from '../../domain/totp.ts';
import { ownAccount } from '../own-account.ts';
import type { Account, AccountStore, Actor, Enrolment, SecondFactors, SessionStore, Throttle } from '../ports.ts';
import type { ProvePassword } from '../prove-password.ts';

export interface SetUpTotpNeeds {
  readonly accounts: AccountStore;
  readonly sessions: Pick<SessionStore, 'isYounger'>;
  readonly factors: SecondFactors;
  readonly provePassword: ProvePassword;
  readonly throttle: Throttle;
}

const issuer = 'Settler';
const message = `is needed, since your login is more than ${freshLoginMs / 60_000} minutes ago`;

export const setUpTotp = ({ accounts, sessions, factors, provePassword, throttle }: SetUpTotpNeeds) => ({
  begin: {
    admit: async (password: string | undefined, actor: Actor): Promise<Account> => {
      const account = await ownAccount(accounts, actor);
      if (password !== undefined) await provePassword(account, password, actor.address);
      else if (!(await sessions.isYounger(actor.principal.sessionId, freshLoginMs))) throw invalid([{ path: 'password', message }]);
      return account;
    },
    complete: async ({ user: { id, email } }: Account, actor: Actor): Promise<{ secret: string; otpauthUri: string }> => {
      const secret = await factors.enrol(id, actor);
      return { secret, otpauthUri: otpauthUri(issuer, email, secret) };
    },
  },

  confirm: {
    admit: async (code: string, actor: Actor): Promise<Enrolment> => {
      const { id, email } = (await ownAccount(accounts, actor)).user;
      await throttle.require(email, actor.address);
      const enrolment = await factors.checkEnrolment(id, code);
      if (enrolment !== undefined) return enrolment;
      await throttle.fail(email, actor.address);
      throw new Refusal('unauthenticated', 'The one-time code is wrong; is the clock of the device right?');
    },
    complete: (enrolment: Enrolment, actor: Actor): Promise<readonly string[]> => factors.confirm(actor.principal.id, enrolment, actor),
  },
});
