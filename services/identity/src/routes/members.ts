/** The organization and who is in it. */
import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { userId } from '@settler/contracts/ids';
import { currency } from '@settler/contracts/money';
import { role } from '@settler/contracts/scopes';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Member, MemberStore, OrganizationStore } from '../application/ports.ts';
import type { Queries } from '../application/queries.ts';
import { organizationAnswer, organizationView, text } from './shapes.ts';

export interface MemberNeeds {
  readonly members: MemberStore;
  readonly organizations: OrganizationStore;
  readonly queries: Queries;
}

const organizationBody = z
  .strictObject({ name: text(200), baseCurrency: currency })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const memberBody = z
  .strictObject({ role, disabled: z.boolean().describe('Whether the member is shut out of this organization.') })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const byUser = z.object({ userId });

const answer = z
  .object({
    userId,
    email: z.string(),
    name: z.string().nullable(),
    role,
    disabled: z.boolean(),
    createdAt: instant.describe('When the user joined.'),
  })
  .meta({ id: 'Member' });

const view = ({ id, email, name, role, isDisabled, joinedAt }: Member) => ({
  userId: id,
  email,
  name,
  role,
  disabled: isDisabled,
  createdAt: joinedAt.toISOString(),
});

export const memberRoutes = (endpoint: Endpoints['endpoint'], { members, organizations, queries }: MemberNeeds): void => {
  endpoint('readOrganization', {
    answers: { 200: organizationAnswer },
    handle: async ({ principal }) => {
      const found = await queries.organization(principal.organizationId);
      if (found === undefined) throw notFound('organization');
      return resource(200, organizationView(found.organization), found.revision);
    },
  });

  endpoint('updateOrganization', {
    body: organizationBody,
    answers: { 200: organizationAnswer },
    handle: async ({ body: { name, baseCurrency }, ifMatch, principal, address }) => {
      const change = { ...(name === undefined ? {} : { name }), ...(baseCurrency === undefined ? {} : { baseCurrency }) };
      const { organization, revision } = await organizations.update(ifMatch, change, { principal, address });
      return resource(200, organizationView(organization), revision);
    },
  });

  endpoint('listMembers', {
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.members(principal.organizationId, query);
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('updateMember', {
    params: byUser,
    body: memberBody,
    answers: { 200: answer },
    handle: async ({ params, body, ifMatch, principal, address }) => {
      const change = {
        ...(body.role === undefined ? {} : { role: body.role }),
        ...(body.disabled === undefined ? {} : { isDisabled: body.disabled }),
      };
      const member = await members.update(params.userId, ifMatch, change, { principal, address });
      return resource(200, view(member), member.revision);
    },
  });

  endpoint('removeMember', {
    refuses: [409],
    params: byUser,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await members.remove(params.userId, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
