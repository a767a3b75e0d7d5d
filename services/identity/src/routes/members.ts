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
import { member, memberChanges, organization, organizationChanges } from './examples.ts';
import { organizationAnswer, organizationView, text } from './shapes.ts';

export interface MemberNeeds {
  readonly members: MemberStore;
  readonly organizations: OrganizationStore;
  readonly queries: Queries;
}

const organizationBody = z
  .strictObject({
    name: text(200).describe('For people; the slug stays.'),
    baseCurrency: currency.describe('The currency in which reports tell their totals besides.'),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const memberBody = z
  .strictObject({
    role: role.describe('What the member may do from now on.'),
    disabled: z.boolean().describe('Whether the member is shut out of this organization.'),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const byUser = z.object({ userId });

const answer = z
  .object({
    userId,
    email: z.string().describe('What the member logs in with.'),
    name: z.string().nullable().describe('For people.'),
    role: role.describe('What the member may do.'),
    disabled: z.boolean().describe('Whether the member is shut out of this organization.'),
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
    description: 'The organization that the credentials are of.',
    answers: { 200: organizationAnswer },
    examples: { answers: { 200: organization } },
    handle: async ({ principal }) => {
      const found = await queries.organization(principal.organizationId);
      if (found === undefined) throw notFound('organization');
      return resource(200, organizationView(found.organization), found.revision);
    },
  });

  endpoint('updateOrganization', {
    description: 'Another base currency changes what reports tell besides, those of old runs as well, a moment later. The slug stays.',
    body: organizationBody,
    answers: { 200: organizationAnswer },
    examples: { bodies: organizationChanges, answers: { 200: { ...organization, name: 'Nordwind Handels GmbH' } } },
    handle: async ({ body: { name, baseCurrency }, ifMatch, principal, address }) => {
      const change = { ...(name === undefined ? {} : { name }), ...(baseCurrency === undefined ? {} : { baseCurrency }) };
      const { organization, revision } = await organizations.update(ifMatch, change, { principal, address });
      return resource(200, organizationView(organization), revision);
    },
  });

  endpoint('listMembers', {
    description: 'Who joined last comes first; members who are disabled are in it.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.members(principal.organizationId, query);
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('updateMember', {
    description:
      'The sessions that the member has in this organization end, because a token carries the role, and invitations that the member may make no more are withdrawn. `forbidden` for API keys and admins where an owner is changed or made, and where the role can do more than you; the last owner who is not disabled stays one: `conflict`.',
    params: byUser,
    body: memberBody,
    answers: { 200: answer },
    examples: { bodies: memberChanges, answers: { 200: member } },
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
    description:
      'The sessions that the member has in this organization end. The account stays, and so do API keys that the member has made. `forbidden` where an owner is removed by somebody who is none; the last owner stays: `conflict`.',
    refuses: [409],
    params: byUser,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await members.remove(params.userId, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
