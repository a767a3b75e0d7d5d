/** The rules that the engine is measured with: the two joins of its peers, and what a shop would really say of its orders. */
import { rules } from '../../packages/contracts/src/rules.ts';

const plainly = ['alphanumeric', 'lowercase', { stripPrefix: 'ord' }];
const reference = { field: 'reference', type: 'exact', normalize: plainly };
const currency = { field: 'currency', type: 'exact' };
const amount = { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } };

/** The same work as the joins: a key, then an amount with a cent to spare within three days. */
export const bothPassesAsWritten = {
  passes: [
    { name: 'by reference', match: [reference, currency] },
    { name: 'by amount and date', match: [amount, { field: 'date', type: 'date', within: { before: 3, after: 3 } }] },
  ],
};
export const bothPasses = rules.parse(bothPassesAsWritten);

/** Amounts and dates verified where the reference agrees, settlements by their number and, without one, by what they come to. */
export const everything = rules.parse({
  passes: [
    {
      name: 'by reference',
      match: [reference, currency, { ...amount, verify: true }, { field: 'date', type: 'date', within: { after: 5 }, verify: true }],
    },
    {
      name: 'settlements by number',
      cardinality: 'many-to-one',
      match: [{ source: 'settlement', target: 'reference', type: 'exact' }],
      sum: { tolerance: { absolute: '0.00' } },
    },
    { name: 'by amount and date', match: [amount, { field: 'date', type: 'date', within: { after: 3 } }] },
    {
      name: 'settlements without a number',
      cardinality: 'many-to-one',
      search: { maxGroupSize: 20 },
      match: [currency, { field: 'date', type: 'date', within: { after: 3 } }],
      sum: { tolerance: { absolute: '0.00' } },
    },
  ],
  duplicates: { by: ['reference', 'amount', 'date'], action: 'flag' },
});
