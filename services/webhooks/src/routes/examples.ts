/** Endpoints and deliveries as the reference shows them. */

const headers = { Authorization: 'Bearer of-the-receiver' } as const;
const url = 'https://hooks.example.com/settler';

export const newWebhooks = {
  'Runs that end, and every exception': {
    url,
    events: ['execution.completed', 'execution.failed', 'exception.*'],
    description: 'Finance dashboard',
    headers,
  },
  Everything: { url, events: ['*'] },
} as const;

export const webhookChanges = {
  'Hold what comes, while the receiver is repaired': { status: 'paused' },
  'Send what was held': { status: 'active' },
  'Other events': { events: ['execution.*'] },
} as const;

export const webhook = {
  id: 'whk_01jqv8m0c4e7r9t2w5y8a1b3d6',
  url,
  events: ['execution.completed', 'execution.failed', 'exception.*'],
  description: 'Finance dashboard',
  headers: { Authorization: '••••' },
  status: 'active',
  disabledReason: null,
  createdAt: '2026-04-01T09:30:00.000Z',
  updatedAt: '2026-04-01T09:30:00.000Z',
} as const;
export const newWebhook = { ...webhook, secret: 'whsec_bm9ib2R5cyBzZWNyZXQsIG5vYm9keXMgc2VjcmV0' } as const;

export const delivery = {
  id: 'dlv_01jqv8m0c4e7r9t2w5y8a1b3d6',
  webhookId: webhook.id,
  eventId: 'evt_01jqv8m0c4e7r9t2w5y8a1b3d6',
  eventType: 'execution.completed',
  sequence: 17,
  status: 'pending',
  attempts: [
    { at: '2026-04-01T09:30:01.200Z', statusCode: 503, latencyMs: 84, responseBody: 'down for maintenance', error: null },
    {
      at: '2026-04-01T09:30:06.100Z',
      statusCode: null,
      latencyMs: 15_000,
      responseBody: null,
      error: 'no complete answer within 15000 ms',
    },
  ],
  nextAttemptAt: '2026-04-01T09:35:21.000Z',
  nextReason: 'schedule',
  createdAt: '2026-04-01T09:30:01.100Z',
} as const;
