import type { Role } from '@settler/contracts/scopes';
import type { Actor, Invitation, InvitationStore, Throttle } from '../ports.ts';

export interface InviteMemberInput {
  readonly email: string;
  readonly role: Role;
}

export interface InviteMemberNeeds {
  readonly invitations: InvitationStore;
  readonly throttle: Pick<Throttle, 'spend'>;
  readonly newId: () => string;
}

/** Whether the address has an account is nothing that the inviter learns: there is the same mail and the same answer either way. */
export const inviteMember = ({ invitations, throttle, newId }: InviteMemberNeeds) => ({
  /**
   * Nobody's mailbox gets more from one organization than the limit of a login, and an organization writes no more mails than an
   * address may fail logins. Counted per organization: that others invite somebody is not this one's to know.
   */
  admit: async ({ email }: InviteMemberInput, { principal: { organizationId } }: Actor): Promise<void> => {
    await throttle.spend(`invitation of ${organizationId} to ${email}`, `invitations of ${organizationId}`);
  },

  complete: (input: InviteMemberInput, actor: Actor): Promise<Invitation> => invitations.create({ ...input, id: newId() }, actor),
});
