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

export type Severity = 'low' | 'medium' | 'high' | 'critical';

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

// By the money at stake, in whole units of its currency: a person looks at the largest first. Records without a readable amount
// are never low, because nobody knows what they are worth.
const thresholds: readonly (readonly [bigint, Severity])[] = [
  [10_000n, 'critical'],
  [1_000n, 'high'],
  [50n, 'medium'],
];

export const severityOf = (category: Category, amountMinor: bigint | null, exponent: number): Severity => {
  if (amountMinor === null) return 'high';
  const whole = (amountMinor < 0n ? -amountMinor : amountMinor) / 10n ** BigInt(exponent);
  const severity = thresholds.find(([least]) => whole >= least)?.[1] ?? 'low';
  return category === 'invalid_record' && severity === 'low' ? 'medium' : severity;
};
