import type { Endpoints } from '@settler/chassis/endpoint';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { idOf, organizationId } from '@settler/contracts/ids';
import { role } from '@settler/contracts/scopes';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { MemberStore, SessionStore } from '../application/ports.ts';
import type { MySession, Queries } from '../application/queries.ts';
import { organizationAnswer, organizationView } from './shapes.ts';

const sessionId = idOf('session');

const principalAnswer = z
  .object({
    type: z.enum(['user', 'apiKey', 'system']).describe('Whose credentials they are.'),
    id: z.string().describe('Of the user or the API key.'),
    organizationId: organizationId.describe('The organization that they are good for.'),
    role: role.optional().describe('Of a user; an API key has none.'),
    scopes: z.array(z.string()).describe('What they may do; `*` is everything.'),
  })
  .meta({ id: 'Principal' });
const myOrganization = z
  .object({ ...organizationAnswer.shape, role: role.describe('What you may do in it.') })
  .meta({ id: 'MyOrganization' });

const mySession = z
  .object({
    id: sessionId,
    organizationId: organizationId.describe('The organization that its tokens are of.'),
    isCurrent: z.boolean().describe('Whether it is the one that asks.'),
    createdAt: instant,
    refreshedAt: instant.nullable().describe('When its tokens were last exchanged.'),
    expiresAt: instant.describe('When it ends, however often it is refreshed.'),
  })
  .meta({ id: 'Session' });

export interface MeNeeds {
  readonly members: MemberStore;
  readonly queries: Queries;
  readonly sessions: SessionStore;
}

export const meRoutes = (endpoint: Endpoints['endpoint'], { members, queries, sessions }: MeNeeds): void => {
  endpoint('readMe', {
    description: 'The user or the API key, its organization, and what it may do.',
    answers: { 200: principalAnswer },
    handle: async ({ principal: { kind, id, organizationId, role, scopes } }) => ({
      status: 200,
      body: { type: kind, id, organizationId, ...(role === undefined ? {} : { role }), scopes },
    }),
  });

  endpoint('listMyOrganizations', {
    description: 'Those that let you in; the one that you joined last comes first. `POST /v1/auth/refresh` goes on in another one.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(myOrganization) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.organizationsOf(principal.id, query);
      return { status: 200, body: { data: data.map((one) => ({ ...organizationView(one), role: one.role })), nextCursor } };
    },
  });

  endpoint('leaveOrganization', {
    description:
      'Your sessions in it end, those that ask among them, and invitations that you have made are withdrawn. The account stays, and so do API keys that you have made. The last owner stays: `conflict`.',
    refuses: [409],
    params: z.object({ id: organizationId }),
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await members.leave(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });

  endpoint('listMySessions', {
    description: 'Those that have not ended, of all your organizations; newest first.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(mySession) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.sessionsOf(principal.id, query);
      const view = ({ createdAt, refreshedAt, expiresAt, ...rest }: MySession) => ({
        ...rest,
        isCurrent: rest.id === principal.sessionId,
        createdAt: createdAt.toISOString(),
        refreshedAt: refreshedAt?.toISOString() ?? null,
        expiresAt: expiresAt.toISOString(),
      });
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('endMySession', {
    description: 'It ends, and its access tokens with it, within a second. That may be the one that asks.',
    params: z.object({ id: sessionId }),
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await sessions.endOwn(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
