/** What an error of PostgreSQL or of the way to it means. */

const unavailableStates = /^(08|53|57P0|58)/;
const unavailableErrnos = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** Whether an error says that the database cannot be reached now, as opposed to that a statement was wrong. */
export const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    unavailableStates.test(code) ||
    unavailableErrnos.has(code) ||
    /timeout exceeded when trying to connect|Connection terminated|connection is closed|not queryable/i.test(error.message)
  );
};

/** The constraint that an insert or update ran into, where it did. */
export const violatedConstraint = (error: unknown): string | undefined =>
  error instanceof Error &&
  'code' in error &&
  (error.code === '23505' || error.code === '23503' || error.code === '23514') &&
  'constraint' in error
    ? String(error.constraint)
    : undefined;

/** Whether a transaction was ended for the sake of others that waited for it or had overtaken it: repeated as a whole, it goes through. */
export const isVictim = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');

/** Whether a lock was waited for as long as `lock_timeout` says. */
export const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03';
