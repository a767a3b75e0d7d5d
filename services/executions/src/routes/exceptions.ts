import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { exceptionCategory } from '@settler/contracts/events/executions';
import { exceptionId, executionId, jobId, userId } from '@settler/contracts/ids';
import { decimal } from '@settler/contracts/money';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { ExecutionQueries } from '../application/queries.ts';

const status = z.enum(['open', 'in_progress', 'resolved', 'dismissed']);
const record = z.record(z.string(), z.unknown());
const listed = z
  .object({
    id: exceptionId,
    jobId,
    executionId,
    category: exceptionCategory,
    severity: z.enum(['low', 'medium', 'high', 'critical']),
    status,
    records: z.array(record),
    amount: decimal.nullable(),
    currency: z.string().nullable(),
    reason: z.string().nullable(),
    firstSeenAt: instant,
    ageDays: z.number().int(),
    assigneeId: z.string().nullable(),
    resolution: z.string().nullable(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Exception' });
const whole = z.object({ ...listed.shape, comments: z.array(record), history: z.array(record) }).meta({ id: 'ExceptionDetail' });

export const exceptionRoutes = (endpoint: Endpoints['endpoint'], queries: ExecutionQueries): void => {
  endpoint('listExceptions', {
    query: z.strictObject({
      ...pageQuery,
      jobId: jobId.optional(),
      executionId: executionId.optional(),
      status: status.optional(),
      category: exceptionCategory.optional(),
      assignee: userId.optional(),
      minAmount: decimal.optional(),
    }),
    answers: { 200: pageOf(listed) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.exceptions(principal.organizationId, query) }),
  });

  endpoint('readException', {
    params: z.object({ id: exceptionId }),
    answers: { 200: whole },
    handle: async ({ params, principal }) => {
      const found = await queries.exception(principal.organizationId, params.id);
      if (found === undefined) throw notFound('exception');
      return resource(200, found.view, found.revision);
    },
  });
};
