/**
 * Guessing passwords is slowed down twice: per account, which stops many addresses that guess at one account, and per address,
 * which stops one address that guesses at many. The account's limit does not hold for addresses from which that account was
 * logged into lately, so that nobody can lock a user out by failing in their name.
 */
export const windowMs = 15 * 60_000;
export const accountFailuresMax = 10;
export const addressFailuresMax = 100;
export const knownAddressDays = 30;

/** Seconds to wait; undefined where no wait is due. `decisive` is the failure that fills the limit: the tenth newest of ten. */
export const waitSeconds = (decisive: Date | null, now: Date): number | undefined => {
  const remainingMs = decisive === null ? 0 : decisive.getTime() + windowMs - now.getTime();
  return remainingMs <= 0 ? undefined : Math.ceil(remainingMs / 1000);
};
