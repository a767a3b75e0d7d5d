/** Jobs as the reference shows them: a shop's orders against what was paid for them. */

const csvOrders = {
  adapter: 'csv',
  config: {
    delimiter: ';',
    fields: {
      id: 'Order',
      amount: { column: 'Total', decimal: ',' },
      currency: { value: 'EUR' },
      date: { column: 'Placed', format: 'dd.MM.yyyy' },
      reference: 'Order',
      counterparty: 'Customer',
    },
  },
} as const;

const csvPayments = {
  adapter: 'csv',
  config: { fields: { id: 'Payment', amount: 'Amount', currency: 'Currency', date: 'Paid on', reference: 'Order', fee: 'Fee' } },
} as const;

const byReference = [
  { field: 'reference', type: 'exact', normalize: ['trim', 'lowercase'] },
  { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' }, verify: true },
  { field: 'date', type: 'date', within: { after: 3, unit: 'business-days', calendar: 'TARGET' } },
] as const;

const files = {
  name: 'Shop orders against card payments',
  description: 'Every morning: the orders of the day before, as the shop exports them, against the report of the card processor.',
  tags: ['shop', 'cards'],
  source: csvOrders,
  target: csvPayments,
  rules: { matching: byReference, openItems: { carryForward: true, maxAgeDays: 90 } },
} as const;

const records = {
  name: 'Ledger against bank',
  source: {
    adapter: 'records',
    config: {
      records: [
        { id: 'L-1001', amount: '1250.00', currency: 'EUR', date: '2026-04-01', reference: 'R-17', counterparty: 'Nordwind GmbH' },
        { id: 'L-1002', amount: '-980.50', currency: 'EUR', date: '2026-04-02', reference: 'Rent April' },
      ],
    },
  },
  target: {
    adapter: 'records',
    config: {
      records: [
        { id: 'B-1', amount: '1250.00', currency: 'EUR', date: '2026-04-01', reference: 'R-17', counterparty: 'NORDWIND GMBH' },
        { id: 'B-2', amount: '-980.50', currency: 'EUR', date: '2026-04-02', reference: 'Rent April' },
      ],
    },
  },
  rules: {
    passes: [
      { name: 'by reference', match: [...byReference.slice(0, 1), { field: 'amount', type: 'amount', verify: true }] },
      {
        name: 'by amount and name',
        match: [
          { field: 'amount', type: 'amount' },
          { field: 'date', type: 'date', within: { before: 1, after: 3 } },
          { field: 'counterparty', type: 'fuzzy', threshold: 0.88, normalize: ['lowercase'] },
        ],
      },
    ],
    approval: { above: { EUR: '1000.00' } },
  },
  schedule: { cron: '30 6 * * MON-FRI', timezone: 'Europe/Berlin' },
} as const;

const payouts = {
  name: 'Card payments against payouts',
  tags: ['payouts'],
  source: {
    adapter: 'csv',
    config: { fields: { id: 'Charge', amount: 'Amount', currency: 'Currency', date: 'Captured', payoutId: 'Payout' } },
  },
  target: {
    adapter: 'csv',
    config: { fields: { id: 'Payout', amount: 'Net', currency: 'Currency', date: 'Arrived', reference: 'Payout' } },
  },
  rules: {
    passes: [
      {
        name: 'payouts',
        cardinality: 'many-to-one',
        match: [{ source: 'payoutId', target: 'reference', type: 'exact' }],
        sum: { fee: { percent: '1.4', fixed: '0.25' }, tolerance: { absolute: '0.05' } },
      },
    ],
    severity: { categories: { fee_mismatch: 'high' } },
  },
} as const;

export const newJobs = {
  'CSV against CSV': files,
  'Records against records, by schedule': records,
  'A payout of many payments, less fees': payouts,
};

const ids = {
  job: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organization: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  execution: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d6',
  user: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6',
};
const side = { records: 3, amount: '60.00' };
const counts = {
  source: side,
  target: { records: 2, amount: '30.00' },
  matched: 2,
  mismatched: 0,
  missingInTarget: 1,
  missingInSource: 0,
  duplicates: 0,
  ambiguous: 0,
  invalid: 0,
};

const configuration = {
  source: csvOrders,
  target: csvPayments,
  rules: {
    passes: [
      {
        name: 'matching',
        match: [
          {
            type: 'exact',
            source: 'reference',
            target: 'reference',
            normalize: { source: ['trim', 'lowercase'], target: ['trim', 'lowercase'] },
            verify: false,
            weight: 1,
          },
          { type: 'amount', source: 'amount', target: 'amount', tolerance: { absolute: '0.01' }, verify: true, weight: 1 },
        ],
        minScore: 0,
        cardinality: 'one-to-one',
      },
    ],
    conflictResolution: 'best',
    minMargin: 0,
    openItems: { carryForward: true, maxAgeDays: 90 },
  },
  schedule: null,
} as const;

export const job = {
  id: ids.job,
  name: files.name,
  description: files.description,
  tags: files.tags,
  status: 'active',
  version: 1,
  ...configuration,
  lastExecution: {
    executionId: ids.execution,
    organizationId: ids.organization,
    jobId: ids.job,
    jobVersion: 1,
    status: 'completed',
    dryRun: false,
    summary: { ...counts, matchRate: 0.6667, byCurrency: { EUR: counts } },
    error: null,
    createdAt: '2026-04-02T04:30:00.000Z',
    startedAt: '2026-04-02T04:30:00.020Z',
    completedAt: '2026-04-02T04:30:01.100Z',
  },
  nextRunAt: null,
  createdAt: '2026-04-01T09:30:00.000Z',
  updatedAt: '2026-04-01T09:30:00.000Z',
} as const;

export const newJob = { ...job, lastExecution: null };

export const jobVersion = {
  version: 1,
  ...configuration,
  createdBy: { type: 'user', id: ids.user },
  createdAt: '2026-04-01T09:30:00.000Z',
} as const;

export const jobChanges = {
  'A wider window': {
    rules: {
      matching: [
        { field: 'reference', type: 'exact' },
        { field: 'date', type: 'date', within: { after: 5 } },
      ],
    },
  },
  'A schedule': { schedule: { cron: '0 7 * * *', timezone: 'Europe/Berlin', misfire: 'skip' } },
  'No schedule': { schedule: null },
  'Name and tags, which make no version': { name: 'Shop orders against card payments (EU)', tags: ['shop', 'cards', 'eu'] },
} as const;
