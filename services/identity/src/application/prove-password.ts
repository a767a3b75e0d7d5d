/** The password of somebody who is logged in. */
import { Refusal } from '@settler/chassis/refusal';
import type { Account, Passwords, Throttle } from './ports.ts';

export interface ProvePasswordNeeds {
  readonly passwords: Pick<Passwords, 'verify'>;
  readonly throttle: Throttle;
}

export type ProvePassword = ReturnType<typeof provePassword>;

/**
 * Guesses count as those at a login do: whoever found a session open must not find out the password with it.
 * @throws Refusal `unauthenticated` with `wrong`, `rate_limited`
 */
export const provePassword =
  ({ passwords, throttle }: ProvePasswordNeeds) =>
  async ({ user: { email }, passwordHash }: Account, password: string, address: string | null, wrong = 'The password is wrong.') => {
    await throttle.require(email, address);
    if (!(await passwords.verify(password, passwordHash))) {
      await throttle.fail(email, address);
      throw new Refusal('unauthenticated', wrong);
    }
    // Again, because many guesses at once all pass the first look before the first of them has failed.
    await throttle.require(email, address);
  };
