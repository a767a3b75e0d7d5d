import { z } from 'zod';
import { apiKeyId, invitationId, organizationId, userId } from '../ids.ts';
import { role, scope } from '../scopes.ts';
import { instant } from '../time.ts';
import { defineEvent } from './define.ts';

const organization = z.object({
  organizationId,
  name: z.string(),
  slug: z.string(),
  baseCurrency: z.string(),
  createdAt: instant,
});

// Personal data live in identity alone: events know user ids only.
const membership = z.object({ userId, organizationId, role });

const apiKey = z.object({
  apiKeyId,
  organizationId,
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(scope),
  expiresAt: instant.nullable(),
});

const organizationExample = {
  organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  name: 'Harbour Coffee',
  slug: 'harbour-coffee',
  baseCurrency: 'EUR',
  createdAt: '2026-04-01T09:30:00.000Z',
};

const membershipExample = {
  userId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: organizationExample.organizationId,
  role: 'developer' as const,
};

const apiKeyExample = {
  apiKeyId: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: organizationExample.organizationId,
  name: 'nightly import',
  prefix: 'stl_live_4fGh7Kq2WxYz',
  scopes: ['jobs:read' as const, 'jobs:execute' as const],
  expiresAt: null,
};

export const organizationCreated = defineEvent({
  type: 'organization.created',
  major: 1,
  service: 'identity',
  description: 'An organization was registered.',
  data: organization,
  example: organizationExample,
});

export const userRegistered = defineEvent({
  type: 'user.registered',
  major: 1,
  service: 'identity',
  description: 'A user registered, with the role in the new organization.',
  data: membership,
  example: { userId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6', organizationId: organizationExample.organizationId, role: 'owner' },
});

export const organizationUpdated = defineEvent({
  type: 'organization.updated',
  major: 1,
  service: 'identity',
  description: 'The name or the base currency of an organization was changed.',
  data: organization,
  example: organizationExample,
});

export const userInvited = defineEvent({
  type: 'user.invited',
  major: 1,
  service: 'identity',
  description: 'Somebody was invited to the organization by mail, with a role to be. The address is not in the event.',
  data: z.object({ invitationId, organizationId, role, expiresAt: instant }),
  example: {
    invitationId: 'inv_01jqv8m0c4e7r9t2w5y8a1b3d6',
    organizationId: organizationExample.organizationId,
    role: 'developer' as const,
    expiresAt: '2026-04-03T09:30:00.000Z',
  },
});

export const userJoined = defineEvent({
  type: 'user.joined',
  major: 1,
  service: 'identity',
  description: 'A user accepted an invitation and is a member of the organization.',
  data: membership.extend({ invitationId }),
  example: { ...membershipExample, invitationId: 'inv_01jqv8m0c4e7r9t2w5y8a1b3d6' },
});

export const userRoleChanged = defineEvent({
  type: 'user.role_changed',
  major: 1,
  service: 'identity',
  description: 'A member has another role now.',
  data: membership.extend({ previousRole: role }),
  example: { ...membershipExample, previousRole: 'viewer' as const },
});

export const userDisabled = defineEvent({
  type: 'user.disabled',
  major: 1,
  service: 'identity',
  description: 'A member was shut out of the organization until further notice.',
  data: membership,
  example: membershipExample,
});

export const userEnabled = defineEvent({
  type: 'user.enabled',
  major: 1,
  service: 'identity',
  description: 'A member that was shut out of the organization may come in again.',
  data: membership,
  example: membershipExample,
});

export const userRemoved = defineEvent({
  type: 'user.removed',
  major: 1,
  service: 'identity',
  description: 'A user is no member of the organization any more.',
  data: membership,
  example: membershipExample,
});

export const apiKeyCreated = defineEvent({
  type: 'api-key.created',
  major: 1,
  service: 'identity',
  description: 'An API key was created. The key itself is never in an event.',
  data: apiKey,
  example: apiKeyExample,
});

export const apiKeyRevoked = defineEvent({
  type: 'api-key.revoked',
  major: 1,
  service: 'identity',
  description: 'An API key was revoked; it stops working everywhere within a second.',
  data: apiKey,
  example: apiKeyExample,
});

export const apiKeyRotated = defineEvent({
  type: 'api-key.rotated',
  major: 1,
  service: 'identity',
  description: 'Another API key took the place of this one, which works until `expiresAt`, or no more where it was revoked at once.',
  data: apiKey.extend({ successorId: apiKeyId }),
  example: { ...apiKeyExample, successorId: 'key_01jqv8m0c4e7r9t2w5y8a1b3d7' },
});
