/** Which results need a person, as what, and how urgently. */
import type { Outcome } from '@settler/contracts/executions';

export type Category =
  | 'missing_in_target'
  | 'missing_in_source'
  | 'amount_mismatch'
  | 'date_mismatch'
  | 'field_mismatch'
  | 'duplicate'
  | 'ambiguous'
  | 'invalid_record'
  | 'fee_mismatch';

/** From what may wait to what may not. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Undefined for a result that needs nobody. `mismatch` is the engine's word for what differs. */
export const categoryOf = (outcome: Outcome, mismatch: string | undefined): Category | undefined => {
  switch (outcome) {
    case 'matched':
      return undefined;
    case 'invalid':
      return 'invalid_record';
    case 'mismatched':
      return (mismatch as Category | undefined) ?? 'field_mismatch';
    default:
      return outcome;
  }
};

// By the money at stake, in whole units of its currency, or in hundreds of them where it has no smaller one: a person looks at the
// largest first.
const thresholds: readonly (readonly [bigint, Severity])[] = [
  [10_000n, 'critical'],
  [1_000n, 'high'],
  [50n, 'medium'],
];

/** Whoever has not been dealt with for so many days weighs one step more for each of them. */
export const escalationDays = [31, 91] as const;

/**
 * How urgent an exception is when it is opened. `stakeMinor` is what is at stake: what differs where that is known, and else the whole
 * amount; null where nobody knows what it is worth, and then it is never low.
 */
export const severityOf = (category: Category, stakeMinor: bigint | null, exponent: number): Severity => {
  if (stakeMinor === null) return 'high';
  const whole = (stakeMinor < 0n ? -stakeMinor : stakeMinor) / 10n ** BigInt(Math.max(2, exponent));
  const severity = thresholds.find(([least]) => whole >= least)?.[1] ?? 'low';
  switch (category) {
    // Its amount may be what could not be read rightly.
    case 'invalid_record':
      return severity === 'low' ? 'medium' : severity;
    // The money is there: only when it came, or what is said about it, differs.
    case 'date_mismatch':
    case 'field_mismatch':
      return severities[Math.max(0, severities.indexOf(severity) - 1)] ?? 'low';
    default:
      return severity;
  }
};
