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
    user: z
      .object({ id: userId, email: z.string().describe('In small letters.'), name: z.string().nullable().describe('For people.') })
      .describe('The account.'),
    membership: z
      .object({
        role,
        disabled: z.boolean().describe('Whether the member is shut out.'),
        createdAt: instant.describe('When the user joined.'),
      })
      .nullable()
      .describe('In this organization; null for somebody who has left it.'),
    sessions: z
      .array(
        z.object({
          id: idOf('session'),
          createdAt: instant,
          expiresAt: instant.describe('When it ends at the latest.'),
          endedAt: instant.nullable().describe('When it has ended; null where it has not.'),
        }),
      )
      .describe('In this organization, newest first, at most 1,000.'),
    apiKeys: z
      .array(z.object({ id: apiKeyId, name: z.string().describe('For people.'), createdAt: instant }))
      .describe('Those that the member made, and those that these have made.'),
    addresses: z
      .array(
        z.object({
          address: z.string().describe('IPv4 or IPv6.'),
          entries: z.int().describe('How many entries have it.'),
          firstSeenAt: instant,
          lastSeenAt: instant,
        }),
      )
      .describe('From where the member and these keys acted, as the audit trail still has it.'),
  })
  .meta({ id: 'PersonalData' });
const erasure = z
  .object({
    id: erasureId,
    userId: userId.describe('Whose personal data it is.'),
    status: z.enum(['running', 'completed']).describe('`completed` once every service has done its part.'),
    requestedAt: instant,
    completedAt: instant.nullable().describe('When the last service had done its part.'),
    services: z
      .array(
        z.object({
          service: z.enum(statefulServices).describe('Who does it.'),
          doneAt: instant.nullable().describe('When it was done; null where it is not yet.'),
        }),
      )
      .describe('How far each has come.'),
  })
  .meta({ id: 'Erasure' });

const exportView = ({ user, membership, sessions, apiKeys, addresses }: PersonalData) => ({
  user: { id: user.id, email: user.email, name: user.name },
  membership:
    membership === null ? null : { role: membership.role, disabled: membership.isDisabled, createdAt: membership.joinedAt.toISOString() },
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
    description:
      'The account, the membership, and of this organization the sessions, the API keys and the addresses that the person has left. Of somebody who is no member any more, too, until the personal data are erased. That it was read is in the audit trail.',
    params: byUser,
    answers: { 200: exported },
    handle: async ({ params, principal, address, request }) => {
      const found = await queries.personalData(principal.organizationId, params.userId);
      if (found === undefined) throw notFound('member');
      // A HEAD shows nothing.
      if (request.method === 'GET') await erasures.sayExported(params.userId, { principal, address });
      return { status: 200, headers: { 'cache-control': 'no-store' }, body: exportView(found) };
    },
  });

  endpoint('eraseMember', {
    description:
      'The member is removed at once, with the API keys and sessions; what is known of the person is erased after that, service by service: 202 names the erasure, and `GET /v1/erasures/{id}` says how far it has come. Messages that services keep for two weeks, to publish them again if the broker loses them, have the address from which something was done until then. Asking again while it goes on gives the same one; where the person was a member or was invited again in the meantime, another one. `forbidden` and `conflict` as with removing a member.',
    refuses: [409],
    params: byUser,
    answers: { 202: z.object({ id: erasureId }).meta({ id: 'ErasureRequested' }) },
    handle: async ({ params, ifMatch, principal, address }) => {
      const id = await erasures.request(newId(), params.userId, ifMatch, { principal, address });
      return { status: 202, headers: { location: `/v1/erasures/${id}` }, body: { id } };
    },
  });

  endpoint('readErasure', {
    description: 'A service that is away is asked again until it has done its part.',
    params: z.object({ id: erasureId }),
    answers: { 200: erasure },
    handle: async ({ params, principal }) => {
      const found = await queries.erasure(principal.organizationId, params.id);
      if (found === undefined) throw notFound('erasure');
      return { status: 200, body: erasureView(found) };
    },
  });
};
