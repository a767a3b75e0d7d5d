/** What every service tells the audit trail. No secrets, and user ids instead of names. */
import { z } from 'zod';
import { apiKeyId } from './ids.ts';

export const auditType = 'audit.recorded';

export const auditActor = z.object({ type: z.enum(['user', 'apiKey', 'system']), id: z.string() });

export const auditRecord = z.object({
  actor: auditActor,
  keyId: apiKeyId.optional(),
  /** The client's address; kept apart from the chain, so that it can be erased. */
  address: z.string().nullable(),
  /** `<entity>.<event in the past tense>`, listed in docs/reference. */
  action: z.string().regex(/^[a-z-]+\.[a-z_]+$/),
  resource: z.object({ type: z.string(), id: z.string() }),
  before: z.record(z.string(), z.unknown()).optional(),
  after: z.record(z.string(), z.unknown()).optional(),
});
export type AuditRecord = z.infer<typeof auditRecord>;
export const auditExample: AuditRecord = {
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
