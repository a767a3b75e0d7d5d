/** Of cards 2.9 % and 0.30 are agreed, of payouts 1 % of what they come to. */
export const feeRules = {
  passes: [
    {
      name: 'cards',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '0.02' }, fee: { percent: '2.9', fixed: '0.30' }, verify: true },
      ],
    },
    {
      name: 'payouts',
      cardinality: 'many-to-one',
      match: [{ source: 'payout', target: 'payout', type: 'exact' }],
      sum: { tolerance: { absolute: '0.00' }, fee: { percent: '1' } },
    },
  ],
};
