/**
 * Who may change whom. An organization always has somebody who may do everything in it: its last owner that is not shut out stays
 * one. Owners are changed by owners alone, and by no API key, so that a key that leaks cannot take an organization over.
 */
import { allows, type Role, type Scope, scopesBeyond, scopesFor } from '@settler/contracts/scopes';

export interface Standing {
  readonly role: Role;
  readonly isDisabled: boolean;
}

/** Who does it: users with the role that they have now, keys without any. */
export interface Doer {
  readonly role: Role | undefined;
  readonly scopes: readonly string[];
}

export interface MembershipRefusal {
  readonly code: 'forbidden' | 'conflict';
  readonly detail: string;
  readonly requiredScope?: Scope;
}

const isActiveOwner = (standing: Standing | undefined): boolean => standing?.role === 'owner' && !standing.isDisabled;

/** Whether somebody may give this role to another. */
export const grantFault = (doer: Doer, role: Role): MembershipRefusal | undefined => {
  if (role === 'owner' && doer.role !== 'owner') return { code: 'forbidden', detail: 'Only owners make owners.' };
  const [beyond] = scopesBeyond(doer.scopes, scopesFor(role));
  if (beyond === undefined) return undefined;
  const detail = `You can give no rights that you do not have, and you do not have the scope ${beyond}.`;
  return { code: 'forbidden', detail, requiredScope: beyond };
};

/** Nothing about an invitation changes until it is gone. */
export const invitationRevision = 1;

/** What speaks against inviting somebody with this role; `replaced` is that of an invitation of the same address. */
export const invitationFault = (doer: Doer, role: Role, replaced: Role | undefined): MembershipRefusal | undefined =>
  grantFault(doer, role) ?? (replaced === undefined ? undefined : withdrawalFault(doer, replaced));

/** Whether an invitation stays good when this is what whoever made it may do from now on. */
export const mayStillInvite = (inviter: Doer, role: Role): boolean =>
  allows(inviter.scopes, 'members:write') && grantFault(inviter, role) === undefined;

/** What an owner promised, another owner may take back. */
export const withdrawalFault = (doer: Doer, role: Role): MembershipRefusal | undefined =>
  role === 'owner' && doer.role !== 'owner' ? { code: 'forbidden', detail: 'Only owners withdraw the invitation of an owner.' } : undefined;

/** What speaks against a change; `after` is undefined where the member is removed. */
export const membershipFault = (
  doer: Doer,
  before: Standing,
  after: Standing | undefined,
  otherActiveOwners: number,
): MembershipRefusal | undefined => {
  if (before.role === 'owner' && doer.role !== 'owner') return { code: 'forbidden', detail: 'Only owners change and remove owners.' };
  const gains = after !== undefined && (after.role !== before.role || (before.isDisabled && !after.isDisabled));
  const fault = gains ? grantFault(doer, after.role) : undefined;
  if (fault !== undefined) return fault;
  if (!isActiveOwner(before) || isActiveOwner(after) || otherActiveOwners > 0) return undefined;
  return { code: 'conflict', detail: 'This is the last owner; make somebody else an owner first.' };
};
