/** What a result that needs somebody says as an exception, whether it was stored or is about to be. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { Rules } from '@settler/contracts/rules';
import { type Category, type Severity, severityOf } from '../../../domain/exceptions.ts';
import type { Delta } from '../../../domain/matching/results/result.ts';
import type { Side } from '../../../domain/side.ts';
import { type Stake, shownStake, type Taken } from '../../../domain/stake.ts';
import { type Keyed, recordKey } from '../open-items/record-key.ts';

export interface InNeed extends Omit<Keyed, Side>, Taken {
  readonly delta: Pick<Delta, 'amount' | 'fromExpected'> | null;
}

export interface Weighed {
  readonly record_key: string;
  readonly severity: Severity;
  readonly amount: string | null;
  readonly currency: string | null;
}

export const weigh = (result: InNeed, category: Category, rules: Rules['severity']): Weighed => {
  const { currency, amountMinor } = shownStake(result);
  return {
    record_key: recordKey(result),
    severity: severityOf(category, differenceIn(category, result) ?? { amountMinor, currency }, rules),
    amount: amountMinor === null ? null : fromMinor(amountMinor, exponentOf(currency ?? '')),
    currency,
  };
};

/** What differs, where it is the amount that does. It is reckoned in the currency of the target, which may be another than the source's. */
const differenceIn = (category: Category, { delta, source, target }: InNeed): Stake | undefined => {
  // Of a fee what was kept beside what was agreed.
  const difference = category === 'fee_mismatch' ? (delta?.fromExpected ?? delta?.amount) : category === 'amount_mismatch' && delta?.amount;
  if (typeof difference !== 'string') return undefined;
  const { currency } = shownStake({ source: [], target: target.length === 0 ? source : target });
  const amountMinor = toMinor(difference, exponentOf(currency ?? ''));
  return amountMinor === null ? undefined : { amountMinor, currency };
};
