import type { Endpoints } from '@settler/chassis/endpoint';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { auditActor } from '@settler/contracts/audit';
import { auditActions } from '@settler/contracts/audit-actions';
import { apiKeyId, idOf } from '@settler/contracts/ids';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { AuditQueries } from '../application/queries.ts';
import type { VerifyTrail } from '../application/verify-trail.ts';
import { auditEntry, auditVerdict } from './examples.ts';

const actions = Object.keys(auditActions) as (keyof typeof auditActions)[];
const token = z.string().regex(/^[\w.:-]{1,200}$/, 'must be letters, digits, dots, hyphens, colons and underscores');
const query = z.strictObject({
  ...pageQuery,
  actor: token.optional().describe("A user's or API key's id."),
  action: z.enum(actions).optional().describe('Such as `job.created`; the reference of audit actions lists them.'),
  resource: token.optional().describe('An id, or a type such as `job`.'),
  since: instantInput.optional().describe('From this moment on.'),
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
    actor: auditActor.describe('Who did it: a user, an API key, or the system.'),
    keyId: apiKeyId.optional().describe('The key that it was done with.'),
    address: z.string().nullable().describe('Cleared in time; the hash leaves it out.'),
    action: z.string().describe('Such as `job.created`; the reference of audit actions lists them.'),
    resource: z
      .object({ type: z.string().describe('Such as `job`.'), id: z.string().describe('Its id.') })
      .describe('What it was done to.'),
    before: z.record(z.string(), z.unknown()).optional().describe('What there was, without secrets.'),
    after: z.record(z.string(), z.unknown()).optional().describe('What there is since then, without secrets.'),
    hash: z.string().describe('Over this entry and the hash of the one before.'),
  })
  .meta({ id: 'AuditEvent' });
const verdict = z
  .object({
    valid: z.boolean().describe('Whether nothing was altered, taken out or cut off.'),
    entries: z.int().describe('How many there are up to where it was read.'),
    firstBadId: z
      .string()
      .optional()
      .describe('The first entry that was altered, or that follows a missing one; absent where the end is missing.'),
    alteredAfter: z
      .int()
      .optional()
      .describe('How many entries the trail said it had when it was found cut off or set back. It is not called valid again.'),
    checkpoint: z
      .object({ entries: z.int().describe('How many there were.'), verifiedAt: instant.describe('When.') })
      .optional()
      .describe('What was found whole before and not read again; absent where every entry was read.'),
    badCheckpoints: z
      .int()
      .optional()
      .describe('Checkpoints that were altered, among the newest hundred. They are not believed, and the trail is not called valid.'),
  })
  .meta({ id: 'AuditVerdict' });

export const auditRoutes = (endpoint: Endpoints['endpoint'], queries: Pick<AuditQueries, 'list'>, verify: VerifyTrail): void => {
  endpoint('listAuditEvents', {
    description: 'Newest first. Entries are written by every service a moment after what they tell of, and never changed.',
    query,
    answers: { 200: pageOf(entry) },
    examples: { answers: { 200: { data: [auditEntry], nextCursor: null } } },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('verifyAuditTrail', {
    description:
      'Reads the entries and computes their hashes anew, which takes a while for long trails: up to a minute. Of a trail one verification goes on at a time; who asks meanwhile is answered by the next one. 200 says that it was done, and `valid` what was found.',
    query: verifyQuery,
    answers: { 200: verdict },
    examples: { answers: { 200: auditVerdict } },
    handle: async ({ principal, query }) => ({ status: 200, body: await verify(principal.organizationId, query.from) }),
  });
};
