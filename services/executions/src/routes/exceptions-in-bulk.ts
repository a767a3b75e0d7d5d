import type { Endpoints } from '@settler/chassis/endpoint';
import { exceptionId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { ExceptionStore, Wanted } from '../application/exceptions.ts';
import type { Members } from '../application/ports.ts';
import type { ExceptionFilter } from '../application/queries.ts';
import { bulkChanged, bulkChanges, bulkOutcome, bulkResolutions } from './examples.ts';
import { changing, exceptionFilters, exceptionStatus, requireMember, resolving, saysSomething } from './exceptions.ts';

export interface BulkNeeds {
  readonly store: Pick<ExceptionStore, 'resolveMany' | 'changeMany'>;
  readonly members: Members;
}

const many = {
  ids: z.array(exceptionId).min(1, 'must name at least one').max(1_000).optional().describe('At most 1,000 of them.'),
  filter: z
    .strictObject(exceptionFilters)
    .refine(saysSomething, 'must narrow the list by at least one of its fields')
    .optional()
    .describe('As the list takes it. Without a status what is not closed is meant; those that have waited longest come first.'),
};
const isEither = ({ ids, filter }: { readonly ids?: unknown; readonly filter?: unknown }): boolean =>
  (ids === undefined) !== (filter === undefined);
const eitherMessage = 'must have either ids or filter';
const wantedOf = (ids: readonly string[] | undefined, filter: ExceptionFilter = {}): Wanted => (ids === undefined ? { filter } : { ids });
const resolveBody = z.strictObject({ ...many, ...resolving }).refine(isEither, eitherMessage);
const changeBody = z
  .strictObject({ ...many, ...changing })
  .refine(isEither, eitherMessage)
  .refine(({ ids: _, filter: __, ...change }) => saysSomething(change), 'must change something');
const answer = z.object({
  data: z.array(
    z.object({
      id: exceptionId,
      status: exceptionStatus.nullable().describe('As it is now; null where there is no such exception.'),
      code: z
        .enum(['not_found', 'conflict', 'approval_required'])
        .optional()
        .describe(
          'Why this call left it as it was; absent where it is as was asked for. `approval_required`: resolve it by itself, and a second person decides.',
        ),
    }),
  ),
  hasMore: z.boolean().describe('Whether the filter finds more on which this can be done than the thousand of one call: ask again.'),
});

export const exceptionBulkRoutes = (endpoint: Endpoints['endpoint'], { store, members }: BulkNeeds): void => {
  endpoint('resolveExceptions', {
    description:
      'At most a thousand, in one transaction, and each with an outcome of its own: 200 says that the call was carried out, and `code` why one was left as it is. Of what a filter finds, those that can be resolved and have waited longest come first; where `hasMore` is true, ask again, with another `Idempotency-Key`.',
    body: resolveBody,
    answers: { 200: answer },
    examples: { bodies: bulkResolutions, answers: { 200: bulkOutcome } },
    handle: async ({ body: { ids, filter, resolution, note: said = null }, principal, address }) => ({
      status: 200,
      body: await store.resolveMany(wantedOf(ids, filter), { resolution, note: said }, { principal, address }),
    }),
  });

  endpoint('updateExceptions', {
    description:
      'What one exception takes, for at most a thousand, in one transaction, and each with an outcome of its own: 200 says that the call was carried out, and `code` why one was left as it is. Of what a filter finds, those that this changes and that have waited longest come first; where `hasMore` is true, ask again, with another `Idempotency-Key`. The assignee has to be a member who is not disabled: `validation_failed`.',
    body: changeBody,
    answers: { 200: answer },
    examples: { bodies: bulkChanges, answers: { 200: bulkChanged } },
    prepare: ({ body, principal }) => requireMember(members, body.assigneeId, principal),
    handle: async ({ body: { ids, filter, ...change }, principal, address }) => ({
      status: 200,
      body: await store.changeMany(wantedOf(ids, filter), change, { principal, address }),
    }),
  });
};
