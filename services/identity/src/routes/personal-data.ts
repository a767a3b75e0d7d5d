import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound } from '@settler/chassis/refusal';
import { apiKeyId, erasureId, idOf, userId } from '@settler/contracts/ids';
import { role } from '@settler/contracts/scopes';
import { statefulServices } from '@settler/contracts/services';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Erasure, Erasures, PersonalData } from '../application/personal-data.ts';
import type { Queries } from '../application/queries.ts';

export interface PersonalDataNeeds {
  readonly erasures: Pick<Erasures, 'request' | 'sayExported'>;
  readonly newId: () => string;
  readonly queries: Queries;
}

const byUser = z.object({ userId });

const exported = z
  .object({
    user: z.object({ id: userId, email: z.string(), name: z.string().nullable() }),
    membership: z.object({ role, disabled: z.boolean(), createdAt: instant }),
    sessions: z.array(z.object({ id: idOf('session'), createdAt: instant, expiresAt: instant, endedAt: instant.nullable() })),
    apiKeys: z
      .array(z.object({ id: apiKeyId, name: z.string(), createdAt: instant }))
      .describe('Those that the member made, and those that these have made.'),
    addresses: z
      .array(z.object({ address: z.string(), entries: z.int(), firstSeenAt: instant, lastSeenAt: instant }))
      .describe('From where the member and these keys acted, as the audit trail still has it.'),
  })
  .meta({ id: 'PersonalData' });
const erasure = z
  .object({
    id: erasureId,
    userId,
    status: z.enum(['running', 'completed']),
    requestedAt: instant,
    completedAt: instant.nullable(),
    services: z.array(z.object({ service: z.enum(statefulServices), doneAt: instant.nullable() })),
  })
  .meta({ id: 'Erasure' });

const exportView = ({ member, sessions, apiKeys, addresses }: PersonalData) => ({
  user: { id: member.id, email: member.email, name: member.name },
  membership: { role: member.role, disabled: member.isDisabled, createdAt: member.joinedAt.toISOString() },
  sessions: sessions.map(({ id, createdAt, expiresAt, endedAt }) => ({
    id,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  })),
  apiKeys: apiKeys.map(({ createdAt, ...key }) => ({ ...key, createdAt: createdAt.toISOString() })),
  addresses: addresses.map(({ firstSeenAt, lastSeenAt, ...seen }) => ({
    ...seen,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  })),
});

const erasureView = ({ requestedAt, completedAt, steps, ...rest }: Erasure) => ({
  ...rest,
  status: completedAt === null ? 'running' : 'completed',
  requestedAt: requestedAt.toISOString(),
  completedAt: completedAt?.toISOString() ?? null,
  services: steps.map(({ service, doneAt }) => ({ service, doneAt: doneAt?.toISOString() ?? null })),
});

export const personalDataRoutes = (endpoint: Endpoints['endpoint'], { erasures, newId, queries }: PersonalDataNeeds): void => {
  endpoint('exportMember', {
    params: byUser,
    answers: { 200: exported },
    handle: async ({ params, principal, address }) => {
      const found = await queries.personalData(principal.organizationId, params.userId);
      if (found === undefined) throw notFound('member');
      await erasures.sayExported(params.userId, { principal, address });
      return { status: 200, headers: { 'cache-control': 'no-store' }, body: exportView(found) };
    },
  });

  endpoint('eraseMember', {
    refuses: [409],
    params: byUser,
    answers: { 202: z.object({ id: erasureId }).meta({ id: 'ErasureRequested' }) },
    handle: async ({ params, ifMatch, principal, address }) => {
      const id = await erasures.request(newId(), params.userId, ifMatch, { principal, address });
      return { status: 202, headers: { location: `/v1/erasures/${id}` }, body: { id } };
    },
  });

  endpoint('readErasure', {
    params: z.object({ id: erasureId }),
    answers: { 200: erasure },
    handle: async ({ params, principal }) => {
      const found = await queries.erasure(principal.organizationId, params.id);
      if (found === undefined) throw notFound('erasure');
      return { status: 200, body: erasureView(found) };
    },
  });
};
