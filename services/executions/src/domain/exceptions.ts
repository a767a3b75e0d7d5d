/** Which results need a person, as what, and how urgently. */
import type { Outcome } from '@settler/contracts/executions';
import { compareDecimals, exponentOf, fromMinor } from '@settler/contracts/money';
import type { Rules } from '@settler/contracts/rules';
import { type Stake, sizeOf } from './stake.ts';

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

/** Whether it is about two sides that belong together and differ. */
export const isMismatch = (category: string): boolean => category.endsWith('_mismatch');

/** From what may wait to what may not. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Whole days since a record was first seen, as finance people count what is due. */
export const ageBuckets = ['0-7', '8-30', '31-60', '61-90', '90+'] as const;
export type AgeBucket = (typeof ageBuckets)[number];
/** From how many of them on the next bucket begins. */
export const ageBucketsFrom = [8, 31, 61, 91] as const;

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
 * How urgent an exception is when it is opened: as the rules of its job say, and else by what is usual. At stake is what differs where that
 * is known, and else the whole amount; of unknown worth it is never low.
 */
export const severityOf = (category: Category, { amountMinor, currency }: Stake, rules: Rules['severity']): Severity => {
  const said = rules?.categories?.[category];
  if (said !== undefined) return said;
  if (amountMinor === null) return 'high';
  const size = sizeOf(amountMinor);
  const exponent = exponentOf(currency ?? '');
  const from = rules?.from?.[currency ?? ''];
  const severity = from === undefined ? usual(size, exponent) : reached(from, fromMinor(size, exponent));
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

const reached = (from: Readonly<Partial<Record<Severity, string | undefined>>>, amount: string): Severity =>
  severities.findLast((severity) => {
    const least = from[severity];
    return least !== undefined && compareDecimals(amount, least) >= 0;
  }) ?? 'low';
