/** Turning one-time codes on: a secret, which counts once a code has shown that an authenticator has it. */
import { Refusal } from '@settler/chassis/refusal';
import { otpauthUri } from '../../domain/totp.ts';
import type { AccountStore, Actor, Enrolment, SecondFactors, Throttle, User } from '../ports.ts';

export interface SetUpTotpNeeds {
  readonly accounts: AccountStore;
  readonly factors: SecondFactors;
  readonly throttle: Throttle;
}

const issuer = 'Settler';

export const setUpTotp = ({ accounts, factors, throttle }: SetUpTotpNeeds) => {
  const userOf = async ({ principal }: Actor): Promise<User> => {
    const account = await accounts.find(principal.id);
    if (account === undefined) throw new Refusal('unauthenticated', 'The account of this session is gone.');
    return account.user;
  };
  return {
    begin: async (actor: Actor): Promise<{ secret: string; otpauthUri: string }> => {
      const { id, email } = await userOf(actor);
      const secret = await factors.enrol(id, actor);
      return { secret, otpauthUri: otpauthUri(issuer, email, secret) };
    },

    confirm: {
      admit: async (code: string, actor: Actor): Promise<Enrolment> => {
        const { id, email } = await userOf(actor);
        await throttle.require(email, actor.address);
        const enrolment = await factors.checkEnrolment(id, code);
        if (enrolment !== undefined) return enrolment;
        await throttle.fail(email, actor.address);
        throw new Refusal('unauthenticated', 'The one-time code is wrong; is the clock of the device right?');
      },
      complete: (enrolment: Enrolment, actor: Actor): Promise<readonly string[]> => factors.confirm(actor.principal.id, enrolment, actor),
    },
  };
};
