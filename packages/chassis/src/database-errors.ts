/** What an error of PostgreSQL or of the way to it means. */

const unavailableStates = /^(08|53|57P0|58|25P03)/;
const unavailableErrnos = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

/** Whether an error says that the database cannot be reached now, as opposed to that a statement was wrong. */
export const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
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
export const isVictim = (error: unknown): boolean => ['40P01', '40001'].includes(codeOf(error));

/** Whether a lock was waited for as long as `lock_timeout` says. */
export const isLockTimeout = (error: unknown): boolean => codeOf(error) === '55P03';

/** Whether a statement was ended because it took longer than `statement_timeout`, or somebody has cancelled it. */
export const isCancelled = (error: unknown): boolean => codeOf(error) === '57014';
