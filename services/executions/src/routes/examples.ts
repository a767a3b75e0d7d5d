/** Runs and what they found as the reference shows them: a shop's orders against card payments, one order of which is not paid. */
import { exampleSummary } from '@settler/contracts/events/executions';

const job = 'job_01jqv8m0c4e7r9t2w5y8a1b3d6';
const execution = 'exe_01jqv8m0c4e7r9t2w5y8a1b3d6';
const exception = 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6';
const file = 'fil_01jqv8m0c4e7r9t2w5y8a1b3d6';
const fileHash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const person = { type: 'user', id: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6' } as const;
const second = { type: 'user', id: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d7' } as const;

const orders = [
  { id: 'R-1001', amount: '19.90', currency: 'EUR', date: '2026-04-01', reference: 'R-1001', counterparty: 'Martha Jones' },
  { id: 'R-1002', amount: '10.10', currency: 'EUR', date: '2026-04-01', reference: 'R-1002', counterparty: 'Kim Lee' },
  { id: 'R-1003', amount: '30.00', currency: 'EUR', date: '2026-04-01', reference: 'R-1003', counterparty: 'Lars Holm' },
] as const;
const payments = [
  { id: 'P-1', amount: '19.90', currency: 'EUR', date: '2026-04-02', reference: 'R-1001' },
  { id: 'P-2', amount: '10.10', currency: 'EUR', date: '2026-04-02', reference: 'R-1002' },
] as const;
const [paid, , unpaid] = orders;
const [payment] = payments;
const lateOrder = { id: 'R-0990', amount: '80.00', currency: 'EUR', date: '2026-04-01', reference: 'R-0990' } as const;
const latePayment = { id: 'P-9', amount: '80.00', currency: 'EUR', date: '2026-04-09', reference: 'R-0990' } as const;

export const newExecutions = {
  'With the inputs that the job names': {},
  'By files': { source: { fileId: file }, target: { fileId: 'fil_01jqv8m0c4e7r9t2w5y8a1b3d7' }, note: 'Close of March' },
  'By records': { source: { records: orders }, target: { records: payments } },
  'The records of one month': { period: { from: '2026-03-01', to: '2026-03-31' } },
  'A trial of the job, which stores nothing': { source: { fileId: file }, dryRun: true },
  'Behind the run that is going on': { source: { fileId: file }, overlap: true },
} as const;

export const triedRules = {
  'A wider tolerance': {
    rules: {
      matching: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '0.05', percent: '1' } },
      ],
    },
    note: 'What would one per cent change?',
  },
} as const;

export const queuedExecution = {
  id: execution,
  jobId: job,
  jobVersion: 1,
  status: 'queued',
  progress: { stage: 'queued', done: 0, total: null },
  summary: null,
  error: null,
  problems: [],
  dryRun: false,
  inputs: { source: { fileId: file, sha256: fileHash }, target: null },
  period: null,
  note: 'Close of March',
  triedOn: null,
  waitingFor: null,
  attempt: 0,
  createdBy: person,
  createdAt: '2026-04-02T09:30:00.000Z',
  startedAt: null,
  completedAt: null,
  resultsDroppedAt: null,
} as const;

export const completedExecution = {
  ...queuedExecution,
  status: 'completed',
  progress: { stage: 'done', done: 3, total: 3 },
  summary: exampleSummary,
  attempt: 1,
  startedAt: '2026-04-02T09:30:00.020Z',
  completedAt: '2026-04-02T09:30:01.100Z',
} as const;

export const triedExecution = {
  ...queuedExecution,
  id: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d7',
  dryRun: true,
  inputs: { source: null, target: null },
  triedOn: execution,
} as const;

const equal = (field: string, value: string) => ({ field, type: 'exact', source: value, target: value, score: 1, passed: true });
const ofRules = { category: null, reason: null, line: null, dueOn: null, exceptionId: null, manual: null, runnerUp: null } as const;
const alone = { pass: null, cardinality: null, score: null, margin: null, delta: null, conditions: [] } as const;

const missing = {
  id: 'res_01jqv8m0c4e7r9t2w5y8a1b3d6',
  outcome: 'missing_in_target',
  source: [unpaid],
  target: [],
  ...ofRules,
  ...alone,
  category: 'missing_in_target',
  exceptionId: exception,
} as const;
const matched = {
  id: 'res_01jqv8m0c4e7r9t2w5y8a1b3d7',
  outcome: 'matched',
  source: [paid],
  target: [payment],
  ...ofRules,
  pass: 'matching',
  cardinality: 'one-to-one',
  score: 1,
  margin: 1,
  delta: { amount: '0.00', days: 1 },
  conditions: [
    equal('reference', 'R-1001'),
    { field: 'amount', type: 'amount', source: '19.90', target: '19.90', delta: '0.00', score: 1, passed: true },
  ],
} as const;

export const resultsPage = { data: [missing, matched], nextCursor: 'WzFd.Zq3kX0b1h7sR2m9t' } as const;

export const newMatches = {
  'One payment for one order': { source: [lateOrder.id], target: [latePayment.id], note: 'Paid late, as agreed by telephone' },
  'Two payments for one order': { source: ['R-0991'], target: ['P-10', 'P-11'], note: 'Paid in two halves' },
  'A record without an id, by its result': { source: ['res_01jqv8m0c4e7r9t2w5y8a1b3d8'], target: ['P-12'] },
} as const;

const byHand = {
  id: 'res_01jqv8m0c4e7r9t2w5y8a1b3d9',
  outcome: 'matched',
  source: [lateOrder],
  target: [latePayment],
  ...ofRules,
  ...alone,
  cardinality: 'one-to-one',
  delta: { amount: '0.00', days: 8 },
  manual: {
    matchId: 'res_01jqv8m0c4e7r9t2w5y8a1b3d9',
    by: person,
    at: '2026-04-10T08:15:00.000Z',
    note: 'Paid late, as agreed by telephone',
  },
} as const;
export const madeMatch = byHand;

const pending = {
  id: 'apr_01jqv8m0c4e7r9t2w5y8a1b3d6',
  status: 'pending',
  jobId: job,
  executionId: execution,
  exceptionId: exception,
  request: { kind: 'resolve', resolution: 'written_off', note: 'The customer is insolvent' },
  amount: '12500.00',
  currency: 'EUR',
  requestedBy: person,
  requestedAt: '2026-04-10T08:15:00.000Z',
  decidedBy: null,
  decidedAt: null,
  note: null,
  resultId: null,
} as const;
export const pendingResolution = pending;
export const pendingMatch = {
  ...pending,
  exceptionId: null,
  request: { kind: 'match', source: [lateOrder.id], target: [latePayment.id], note: null },
} as const;
export const approved = { ...pending, status: 'approved', decidedBy: second, decidedAt: '2026-04-10T10:00:00.000Z' } as const;
export const rejected = { ...approved, status: 'rejected', note: 'Ask for the decision of the court first' } as const;
export const withdrawn = {
  ...pending,
  status: 'withdrawn',
  decidedBy: person,
  decidedAt: '2026-04-10T09:00:00.000Z',
  note: 'The customer has paid after all',
} as const;
export const approvals = { 'Without a word': {}, 'With a reason': { note: 'Seen the decision of the court' } } as const;
export const withdrawals = { 'Without a word': {}, 'With a reason': { note: withdrawn.note } } as const;
export const rejections = { 'With a reason': { note: 'Ask for the decision of the court first' } } as const;

export const listedException = {
  id: exception,
  jobId: job,
  executionId: execution,
  category: 'missing_in_target',
  severity: 'low',
  status: 'open',
  records: [unpaid],
  sides: ['source'],
  delta: null,
  amount: '30.00',
  currency: 'EUR',
  reason: null,
  firstSeenAt: '2026-04-02T09:30:01.000Z',
  ageDays: 3,
  assigneeId: person.id,
  resolution: null,
  createdAt: '2026-04-02T09:30:01.000Z',
  updatedAt: '2026-04-03T07:00:00.000Z',
} as const;

const openOnes = { count: 3, amounts: { EUR: '80.00', USD: '12.50' } } as const;
export const summedUp = {
  ...openOnes,
  by: {
    status: [{ value: 'open', ...openOnes }],
    category: [
      { value: 'missing_in_target', count: 2, amounts: { EUR: '80.00' } },
      { value: 'duplicate', count: 1, amounts: { USD: '12.50' } },
    ],
    severity: [{ value: 'low', ...openOnes }],
    age: [
      { value: '0-7', count: 1, amounts: { USD: '12.50' } },
      { value: '31-60', count: 2, amounts: { EUR: '80.00' } },
    ],
    assignee: [
      { value: null, count: 2, amounts: { EUR: '30.00', USD: '12.50' } },
      { value: person.id, count: 1, amounts: { EUR: '50.00' } },
    ],
    job: [{ value: job, ...openOnes }],
  },
} as const;

export const comment = {
  id: 'cmt_01jqv8m0c4e7r9t2w5y8a1b3d6',
  text: 'The customer has paid by cheque; it clears on Friday.',
  createdBy: person,
  createdAt: '2026-04-03T07:00:00.000Z',
} as const;
export const newComments = { 'What was found out': { text: comment.text } } as const;

const opened = {
  at: '2026-04-02T09:30:01.000Z',
  actor: { type: 'system', id: 'executions' },
  action: 'opened',
  detail: { executionId: execution },
} as const;
const assigned = { at: '2026-04-03T06:59:00.000Z', actor: second, action: 'assigned', detail: { from: null, to: person.id } } as const;
const detail = { ...listedException, pendingApproval: null, comments: [comment], history: [opened, assigned] } as const;

export const wholeException = detail;
export const changedException = { ...detail, status: 'in_progress', severity: 'critical' } as const;
export const resolvedException = { ...detail, status: 'resolved', resolution: 'expected_timing' } as const;
export const waitingException = { ...detail, amount: '12500.00', severity: 'critical', pendingApproval: pending } as const;

export const exceptionChanges = {
  'Take it up': { status: 'in_progress', assigneeId: person.id },
  'Weigh it': { severity: 'critical' },
  'Nobody’s any more': { assigneeId: null },
  'It needs nobody': { status: 'dismissed' },
} as const;
export const resolutions = {
  'Its counterpart is late': { resolution: 'expected_timing', note: 'cheque 4711' },
  'The difference is borne': { resolution: 'written_off' },
} as const;
export const bulkResolutions = {
  'By a filter': {
    filter: { jobId: job, category: 'missing_in_target', severity: 'low' },
    resolution: 'written_off',
    note: 'below what a reminder costs',
  },
  'By ids': { ids: [exception, 'exc_01jqv8m0c4e7r9t2w5y8a1b3d7'], resolution: 'duplicate' },
} as const;
export const bulkChanges = {
  'All of a category to one person': {
    filter: { jobId: job, category: 'amount_mismatch', assignee: 'none' },
    assigneeId: person.id,
    status: 'in_progress',
  },
  'By ids': { ids: [exception, 'exc_01jqv8m0c4e7r9t2w5y8a1b3d7'], severity: 'high' },
} as const;
export const bulkChanged = {
  data: [
    { id: exception, status: 'in_progress' },
    { id: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d7', status: 'resolved', code: 'conflict' },
  ],
  hasMore: false,
} as const;
export const bulkOutcome = {
  data: [
    { id: exception, status: 'resolved' },
    { id: 'exc_01jqv8m0c4e7r9t2w5y8a1b3d7', status: 'open', code: 'approval_required' },
  ],
  hasMore: false,
} as const;

const nothing = { records: 0, amounts: {} };
export const explanation = {
  executionId: execution,
  candidates: [
    {
      record: latePayment,
      pass: 'matching',
      failed: [{ field: 'date', type: 'date', source: '2026-04-01', target: '2026-04-09', delta: 8, score: 0, passed: false }],
      outcome: 'missing_in_source',
      resultId: 'res_01jqv8m0c4e7r9t2w5y8a1b3d5',
      smallestChange: [{ path: 'passes[0].match[2].within.after', from: 3, to: 8 }],
      effect: { gained: { records: 1, amounts: { EUR: '80.00' } }, lost: nothing, moved: nothing },
    },
  ],
  reason: null,
  basis: { results: 4, of: 4 },
} as const;

const ofSource = { side: 'source', currency: 'EUR' } as const;
const ofTarget = { side: 'target', currency: 'EUR' } as const;
const three = { count: 3, amount: '60.00' };
const two = { count: 2, amount: '30.00' };
const one = { count: 1, amount: '30.00' };
const none = { count: 0, amount: '0.00' };
export const report = {
  executionId: execution,
  status: 'completed',
  summary: exampleSummary,
  matchRate: 0.6667,
  outcomes: [
    { outcome: 'matched', ...ofSource, pass: 'matching', ...two },
    { outcome: 'matched', ...ofTarget, pass: 'matching', ...two },
    { outcome: 'missing_in_target', ...ofSource, pass: null, ...one },
  ],
  ageing: [{ bucket: '0-7', currency: 'EUR', ...one }],
  comparison: null,
  base: {
    currency: 'EUR',
    ratesOn: '2026-04-02',
    totals: [
      { outcome: 'matched', side: 'source', ...two },
      { outcome: 'matched', side: 'target', ...two },
      { outcome: 'missing_in_target', side: 'source', ...one },
    ],
    rates: [],
    missing: [],
  },
  certificate: {
    holds: true,
    lines: [
      {
        ...ofSource,
        ingested: three,
        opening: none,
        accounted: three,
        byOutcome: { matched: two, missing_in_target: one },
        difference: none,
      },
      { ...ofTarget, ingested: two, opening: none, accounted: two, byOutcome: { matched: two }, difference: none },
    ],
  },
} as const;

export const fees = {
  executionId: execution,
  status: 'completed',
  lines: [
    {
      pass: 'payouts',
      currency: 'EUR',
      results: 12,
      gross: '1000.00',
      net: '970.50',
      agreed: '29.00',
      declared: '29.50',
      charged: '29.50',
      drift: '0.50',
      mismatches: { count: 1, drift: '0.50' },
    },
  ],
} as const;

export const trend = {
  data: [
    {
      executionId: execution,
      jobVersion: 1,
      createdAt: completedExecution.createdAt,
      completedAt: completedExecution.completedAt,
      summary: exampleSummary,
      opened: [{ category: 'missing_in_target', currency: 'EUR', ...one }],
    },
  ],
  nextCursor: null,
} as const;

const rate = { base: 'EUR', quote: 'USD', date: '2026-04-01', rate: '1.0835', source: 'European Central Bank' } as const;
export const newRates = { 'Two days': { rates: [rate, { ...rate, date: '2026-04-02', rate: '1.0861' }] } } as const;
export const exchangeRate = {
  id: 'fxr_01jqv8m0c4e7r9t2w5y8a1b3d6',
  ...rate,
  updatedBy: person,
  updatedAt: '2026-04-01T16:00:00.000Z',
} as const;

export const uploadedFile = {
  id: file,
  name: 'orders.csv',
  size: 10_482,
  sha256: fileHash,
  contentType: 'text/csv',
  createdAt: '2026-04-02T09:29:00.000Z',
} as const;
