import type { Endpoints } from '@settler/chassis/endpoint';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { auditActor } from '@settler/contracts/audit';
import { apiKeyId, idOf } from '@settler/contracts/ids';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { AuditQueries } from '../application/queries.ts';

const token = z.string().regex(/^[\w.:-]{1,200}$/, 'must be letters, digits, dots, hyphens, colons and underscores');
const query = z.strictObject({
  ...pageQuery,
  actor: token.optional().describe("A user's or API key's id."),
  action: token.optional().describe('Such as `job.created`.'),
  resource: token.optional().describe('An id, or a type such as `job`.'),
  since: instantInput.optional(),
  until: instantInput.optional().describe('Not included.'),
});

const verifyQuery = z.strictObject({
  from: z
    .enum(['start', 'checkpoint'])
    .default('start')
    .describe(
      '`start` reads every entry. `checkpoint` reads those that came after the last verification that found all well, and says nothing of the ones before.',
    ),
});

const entry = z
  .object({
    id: idOf('auditEvent'),
    at: instant,
    actor: auditActor,
    keyId: apiKeyId.optional(),
    address: z.string().nullable().describe('Cleared in time; the hash leaves it out.'),
    action: z.string(),
    resource: z.object({ type: z.string(), id: z.string() }),
    before: z.record(z.string(), z.unknown()).optional(),
    after: z.record(z.string(), z.unknown()).optional(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEvent' });
const verdict = z
  .object({
    valid: z.boolean(),
    entries: z.int(),
    firstBadId: z
      .string()
      .optional()
      .describe('The first entry that was altered, or that follows a missing one; absent where the end is missing.'),
    checkpoint: z
      .object({ entries: z.int(), verifiedAt: instant })
      .optional()
      .describe('What was found whole before and not read again; absent where every entry was read.'),
    badCheckpoints: z
      .int()
      .optional()
      .describe('Checkpoints that were altered, among the newest hundred. They are not believed, and the trail is not called valid.'),
  })
  .meta({ id: 'AuditVerdict' });

export const auditRoutes = (endpoint: Endpoints['endpoint'], queries: AuditQueries, clock: () => Date): void => {
  endpoint('listAuditEvents', {
    query,
    answers: { 200: pageOf(entry) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('verifyAuditTrail', {
    query: verifyQuery,
    answers: { 200: verdict },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.verify(principal.organizationId, query.from, clock()) }),
  });
};
