import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { invitationId } from '@settler/contracts/ids';
import { role } from '@settler/contracts/scopes';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { acceptInvitation } from '../application/commands/accept-invitation.ts';
import type { inviteMember } from '../application/commands/invite-member.ts';
import type { Invitation, InvitationStore } from '../application/ports.ts';
import type { Queries } from '../application/queries.ts';
import { invitationRevision } from '../domain/membership.ts';
import { acceptances, invitation as anInvitation, invitations, signedIn } from './examples.ts';
import { email, password, text, totp } from './shapes.ts';
import { type SignedInViews, signedInAnswer } from './signed-in.ts';

export interface InvitationNeeds {
  readonly invite: ReturnType<typeof inviteMember>;
  readonly accept: ReturnType<typeof acceptInvitation>;
  readonly store: InvitationStore;
  readonly queries: Queries;
  readonly views: SignedInViews;
  readonly idempotencyScope: (subject: string) => string;
}

const byId = z.object({ id: invitationId });
const acceptBody = z.strictObject({
  token: z.string().min(1, 'must not be empty').max(200).describe('Of the mail.'),
  password: password.describe('Of the account that the address has; where it has none, that of the new one.'),
  totp: totp.optional().describe('Where that account has a second factor: a code of it, or a recovery code.'),
  name: text(200).optional().describe('Of a new account; one that there is keeps its own.'),
});

const answer = z
  .object({
    id: invitationId,
    email: z.string().describe('Who is invited.'),
    role: role.describe('What the member will be able to do.'),
    expiresAt: instant.describe('Until when it can be accepted: 48 hours from the invitation on.'),
    createdAt: instant,
    invitedBy: actor.describe('Who invited.'),
  })
  .meta({ id: 'Invitation' });

const view = ({ id, email, role, expiresAt, createdAt, invitedBy }: Invitation) => ({
  id,
  email,
  role,
  expiresAt: expiresAt.toISOString(),
  createdAt: createdAt.toISOString(),
  invitedBy,
});

export const invitationRoutes = (endpoint: Endpoints['endpoint'], needs: InvitationNeeds): void => {
  const { invite, accept, store, queries, views, idempotencyScope } = needs;

  endpoint('inviteMember', {
    description:
      'A mail with a token goes to the address, whether it has an account or not; `npm start` prints it. Inviting an address again takes the place of its open invitation. An address of a member is a `conflict`; a role that can do more than you, or that of an owner by somebody who is none, is `forbidden`.',
    body: z.strictObject({ email, role: role.describe('What the member will be able to do.') }),
    answers: { 201: answer },
    examples: { bodies: invitations, answers: { 201: anInvitation } },
    prepare: ({ body, principal, address }) => invite.admit(body, { principal, address }),
    handle: async ({ body, principal, address }) => {
      const invitation = await invite.complete(body, { principal, address });
      return resource(201, view(invitation), invitationRevision, { location: `/v1/invitations/${invitation.id}` });
    },
  });

  endpoint('listInvitations', {
    description: 'Newest first; those that were accepted, withdrawn or have run out are not in it.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.invitations(principal.organizationId, query);
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('readInvitation', {
    description: 'One that was accepted, withdrawn or has run out is `not_found`.',
    params: byId,
    answers: { 200: answer },
    handle: async ({ params, principal }) => {
      const found = await queries.invitation(principal.organizationId, params.id);
      if (found === undefined) throw notFound('invitation');
      return resource(200, view(found), invitationRevision);
    },
  });

  endpoint('withdrawInvitation', {
    description: 'The token of its mail counts no more. That of an owner is withdrawn by owners alone: `forbidden`.',
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.withdraw(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });

  endpoint('acceptInvitation', {
    description:
      'Makes the account that the address has a member, or an account where there is none, and begins a session. The token counts once; one that is over or was never given is `validation_failed` at `token`. For an account that there is, its own password is asked for, and a code where it has a second factor: `unauthenticated`.',
    refuses: [401],
    body: acceptBody,
    answers: { 200: signedInAnswer },
    examples: { bodies: acceptances, answers: { 200: signedIn } },
    idempotencyScope: (body) => idempotencyScope(body.token),
    prepare: ({ body: { name = null, totp, ...body }, address }) => accept.admit({ ...body, name, totp, address }),
    handle: async ({ body: { name = null, totp, ...body }, address }, admitted) =>
      views.whole(200, await accept.complete({ ...body, name, totp, address }, admitted)),
  });
};
