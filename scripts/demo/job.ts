/** The demo's job: a shop's orders against what its card provider booked for them. The README makes the same one with curl. */
export const shopJob = {
  name: 'Harbour Coffee: orders against card payments',
  description: 'A month of orders in two currencies against the charges and refunds of the card provider.',
  tags: ['demo'],
  source: {
    adapter: 'csv',
    config: { fields: { id: 'Name', reference: 'Name', amount: 'Total', currency: 'Currency', date: 'Paid at' } },
  },
  target: {
    adapter: 'csv',
    config: {
      fields: {
        id: 'balance_transaction_id',
        reference: 'description',
        amount: 'gross',
        fee: 'fee',
        net: 'net',
        currency: 'currency',
        date: 'created_utc',
        type: 'reporting_category',
      },
    },
  },
  rules: {
    passes: [
      {
        name: 'by order number',
        match: [
          { field: 'reference', type: 'exact', normalize: { source: [{ stripPrefix: '#' }], target: [{ stripPrefix: 'Order #' }] } },
          { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' }, verify: true },
          { field: 'date', type: 'date', within: { before: 0, after: 7 }, verify: true },
        ],
      },
    ],
    duplicates: { by: ['reference', 'amount', 'currency'], action: 'flag' },
  },
} as const;
