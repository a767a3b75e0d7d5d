import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { organizationId } from '@settler/contracts/ids';
import { role } from '@settler/contracts/scopes';
import { z } from 'zod';
import type { Queries } from '../application/queries.ts';
import { organizationAnswer, organizationView } from './shapes.ts';

const principalAnswer = z
  .object({
    type: z.enum(['user', 'apiKey', 'system']),
    id: z.string(),
    organizationId,
    role: role.optional(),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'Principal' });
const myOrganization = z.object({ ...organizationAnswer.shape, role }).meta({ id: 'MyOrganization' });

export const meRoutes = (endpoint: Endpoints['endpoint'], queries: Queries): void => {
  endpoint('readMe', {
    answers: { 200: principalAnswer },
    handle: async ({ principal: { kind, id, organizationId, role, scopes } }) => ({
      status: 200,
      body: { type: kind, id, organizationId, ...(role === undefined ? {} : { role }), scopes },
    }),
  });

  endpoint('listMyOrganizations', {
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(myOrganization) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.organizationsOf(principal.id, query);
      return { status: 200, body: { data: data.map((one) => ({ ...organizationView(one), role: one.role })), nextCursor } };
    },
  });

  endpoint('readOrganization', {
    answers: { 200: organizationAnswer },
    handle: async ({ principal }) => {
      const found = await queries.organization(principal.organizationId);
      if (found === undefined) throw notFound('organization');
      return resource(200, organizationView(found.organization), found.revision);
    },
  });
};
