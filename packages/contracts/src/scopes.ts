/** Scopes are what a credential may do; a role is a set of scopes that a member has in an organization. */
import { z } from 'zod';

export const scopes = [
  'jobs:read',
  'jobs:write',
  'jobs:delete',
  'jobs:execute',
  'executions:read',
  'executions:write',
  'exceptions:read',
  'exceptions:write',
  'reports:read',
  'reports:export',
  'files:read',
  'files:write',
  'webhooks:read',
  'webhooks:write',
  'webhooks:delete',
  'api-keys:read',
  'api-keys:write',
  'members:read',
  'members:write',
  'audit:read',
  '*',
] as const;

export const scope = z.enum(scopes).meta({ id: 'Scope', description: 'What a credential may do; `*` is everything.' });
export type Scope = z.infer<typeof scope>;

export const roles = ['owner', 'admin', 'developer', 'viewer'] as const;
export const role = z.enum(roles).meta({
  id: 'Role',
  description:
    'A set of scopes: an `owner` may do everything, an `admin` everything but change owners, a `developer` everything about jobs, runs, exceptions, files, webhooks and API keys, a `viewer` may read.',
});
export type Role = z.infer<typeof role>;

const concrete = scopes.filter((name) => name !== '*');

const scopesOfRole: Readonly<Record<Role, readonly Scope[]>> = {
  owner: ['*'],
  // Everything: what an admin may not do (delete the organization, change owners) is a rule of those commands, not a scope.
  admin: concrete,
  developer: concrete.filter((name) => /^(jobs|executions|exceptions|reports|files|webhooks|api-keys):|^members:read$/.test(name)),
  viewer: concrete.filter((name) => name.endsWith(':read')),
};

/** The scopes that a role carries. */
export const scopesFor = (name: Role): readonly Scope[] => scopesOfRole[name];

/** Whether `granted` covers `required`; `*` covers everything. */
export const allows = (granted: readonly string[], required: Scope): boolean => granted.includes('*') || granted.includes(required);

/** Those of `wanted` that `granted` does not cover: a key may never do more than its creator. */
export const scopesBeyond = (granted: readonly string[], wanted: readonly Scope[]): Scope[] =>
  wanted.filter((name) => !allows(granted, name));
