/** Which results need a person, as what, and how urgently. */
import type { Outcome } from '@settler/contracts/executions';
import { exponentOf } from '@settler/contracts/money';
import type { Rules } from '@settler/contracts/rules';

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

/** What is at stake: what differs where that is known, and else the whole amount; null where nobody knows what it is worth. */
export interface Stake {
  readonly minor: bigint | null;
  readonly currency: string;
}

/** How urgent an exception is when it is opened: as the rules of its job say, and else by what is usual. Of unknown worth it is never low. */
export const severityOf = (category: Category, { minor, currency }: Stake, rules: Rules['severity']): Severity => {
  const said = rules?.categories?.[category];
  if (said !== undefined) return said;
  if (minor === null) return 'high';
  const size = minor < 0n ? -minor : minor;
  const from = rules?.from?.[currency];
  const severity = from === undefined ? usual(size, exponentOf(currency)) : reached(from, size, currency);
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

const usual = (size: bigint, exponent: number): Severity => {
  const whole = size / 10n ** BigInt(Math.max(2, exponent));
  return thresholds.find(([least]) => whole >= least)?.[1] ?? 'low';
};

const reached = (from: Readonly<Partial<Record<Severity, string | undefined>>>, size: bigint, currency: string): Severity =>
  severities.findLast((severity) => {
    const least = from[severity];
    return least !== undefined && size >= leastMinor(least, currency);
  }) ?? 'low';

/** The smallest amount of the currency that is not below it. */
const leastMinor = (text: string, currency: string): bigint => {
  const exponent = exponentOf(currency);
  const [units = '0', digits = ''] = text.split('.');
  const kept = BigInt(units + digits.padEnd(exponent, '0').slice(0, exponent));
  return /[1-9]/.test(digits.slice(exponent)) ? kept + 1n : kept;
};
