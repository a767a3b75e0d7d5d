/** What every service tells the audit trail. No secrets, and user ids instead of names. */
import { z } from 'zod';
import type { AuditActionOf } from './audit-actions.ts';
import { apiKeyId } from './ids.ts';
import type { StatefulService } from './services.ts';

export const auditType = 'audit.recorded';

export const auditActor = z.object({
  type: z.enum(['user', 'apiKey', 'system']).describe('What it is.'),
  id: z.string().describe('Of the user or the API key; of the system, the part of it.'),
});

export const auditRecord = z.object({
  actor: auditActor,
  keyId: apiKeyId.optional(),
  /** The client's address; kept apart from the chain, so that it can be erased. */
  address: z.string().nullable(),
  /** Of `auditActions`, but read as text: an identity that is older than the service that wrote it must not lose the entry. */
  action: z.string().regex(/^[a-z-]+\.[a-z_]+$/),
  resource: z.object({ type: z.string(), id: z.string() }),
  before: z.record(z.string(), z.unknown()).optional(),
  after: z.record(z.string(), z.unknown()).optional(),
});

/** As a service writes it: one of its own actions, about a resource of that action's entity. */
export type AuditRecord<Service extends StatefulService> = AuditRecordOf<AuditActionOf<Service>>;
type AuditRecordOf<Action extends string> = Action extends `${infer Entity}.${string}`
  ? Omit<z.infer<typeof auditRecord>, 'action' | 'resource'> & {
      readonly action: Action;
      readonly resource: { readonly type: Entity; readonly id: string };
    }
  : never;

export const auditExample: AuditRecord<'jobs'> = {
  actor: { type: 'user', id: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6' },
  address: '192.0.2.7',
  action: 'job.created',
  resource: { type: 'job', id: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6' },
  after: { name: 'Shop orders against card payments', version: 1 },
};

/** What a doorbell carries: which execution may be ready, and the epoch it had, so that a lost one can be rung again. */
export const doorbellType = 'execution.ready';
export const doorbell = z.object({ executionId: z.string(), epoch: z.number().int().nonnegative() });
export const doorbellExample: z.infer<typeof doorbell> = { executionId: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d6', epoch: 0 };
