/**
 * The streams and durable consumers, once. `provision` creates them before any service starts; services bind and never create,
 * because a consumer that several replicas create at the same time can lose its state.
 */
import type { StatefulService } from './services.ts';

const dayMs = 24 * 60 * 60 * 1000;
const mebibyte = 1024 * 1024;

export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'workqueue';
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** The service that purges what every consumer has acknowledged when the stream is nearly full. A work queue empties itself. */
  readonly keeper?: StatefulService;
}

/** Discard is `new` everywhere: a full stream refuses, and the outbox keeps what was refused; `old` would drop it in silence. */
export const streams = {
  EVT_IDENTITY: {
    name: 'EVT_IDENTITY',
    subjects: ['evt.identity.>'],
    retention: 'limits',
    maxAgeMs: 14 * dayMs,
    maxBytes: 512 * mebibyte,
    keeper: 'identity',
  },
  EVT_JOBS: {
    name: 'EVT_JOBS',
    subjects: ['evt.jobs.>'],
    retention: 'limits',
    maxAgeMs: 14 * dayMs,
    maxBytes: 512 * mebibyte,
    keeper: 'jobs',
  },
  EVT_EXECUTIONS: {
    name: 'EVT_EXECUTIONS',
    subjects: ['evt.executions.>'],
    retention: 'limits',
    maxAgeMs: 14 * dayMs,
    maxBytes: 2048 * mebibyte,
    keeper: 'executions',
  },
  AUD: { name: 'AUD', subjects: ['aud.>'], retention: 'limits', maxAgeMs: 14 * dayMs, maxBytes: 1024 * mebibyte, keeper: 'identity' },
  WORK: { name: 'WORK', subjects: ['work.>'], retention: 'workqueue', maxAgeMs: 3 * dayMs, maxBytes: 256 * mebibyte },
} as const satisfies Record<string, StreamDefinition>;

export type StreamName = keyof typeof streams;

export interface ConsumerDefinition {
  readonly durable: string;
  /** The service whose replicas share it. */
  readonly service: StatefulService;
  readonly stream: StreamName;
  readonly filters: readonly string[];
}

export const consumers = {
  auditTrail: { durable: 'identity-audit-trail', service: 'identity', stream: 'AUD', filters: ['aud.>'] },
  lastRun: { durable: 'jobs-last-run', service: 'jobs', stream: 'EVT_EXECUTIONS', filters: ['evt.executions.execution.>'] },
  executionDoorbell: { durable: 'executions-doorbell', service: 'executions', stream: 'WORK', filters: ['work.executions'] },
  runRequests: { durable: 'executions-run-requests', service: 'executions', stream: 'WORK', filters: ['work.runs'] },
  baseCurrencies: {
    durable: 'executions-base-currencies',
    service: 'executions',
    stream: 'EVT_IDENTITY',
    filters: ['evt.identity.organization.>'],
  },
  erasuresInJobs: { durable: 'jobs-erasures', service: 'jobs', stream: 'WORK', filters: ['work.erasures.jobs'] },
  erasuresInExecutions: { durable: 'executions-erasures', service: 'executions', stream: 'WORK', filters: ['work.erasures.executions'] },
  erasuresInWebhooks: { durable: 'webhooks-erasures', service: 'webhooks', stream: 'WORK', filters: ['work.erasures.webhooks'] },
  erasureAcknowledgements: { durable: 'identity-erased', service: 'identity', stream: 'WORK', filters: ['work.erased.>'] },
  fanOutIdentity: { durable: 'webhooks-fan-out-identity', service: 'webhooks', stream: 'EVT_IDENTITY', filters: ['evt.identity.>'] },
  fanOutJobs: { durable: 'webhooks-fan-out-jobs', service: 'webhooks', stream: 'EVT_JOBS', filters: ['evt.jobs.>'] },
  fanOutExecutions: {
    durable: 'webhooks-fan-out-executions',
    service: 'webhooks',
    stream: 'EVT_EXECUTIONS',
    filters: ['evt.executions.>'],
  },
} as const satisfies Record<string, ConsumerDefinition>;
