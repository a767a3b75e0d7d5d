/** Whether a pass brings records of different currencies together: only by a rate. */
import type { Condition, Pass } from '@settler/contracts/rules';

export const crossesCurrencies = ({ match }: Pass): boolean => match.some(hasRate);

const hasRate = (condition: Condition): boolean => {
  if (condition.type === 'oneOf') return condition.conditions.some(hasRate);
  return condition.type === 'amount' && condition.fx !== undefined;
};
