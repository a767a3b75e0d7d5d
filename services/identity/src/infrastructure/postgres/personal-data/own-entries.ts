/** What is done to the account of a user, mostly by that user, is of interest wherever the user is a member. */
import { auditMessage, type Outbox } from '@settler/chassis/outbox';
import { asUser, type Trx, underOrganization } from '../sight.ts';

export interface OwnEntry {
  readonly userId: string;
  readonly action: 'user.password_changed' | 'user.password_reset' | 'user.totp_enabled' | 'user.totp_disabled';
  readonly after?: Record<string, unknown>;
  /** Else the user. */
  readonly actor?: { readonly type: 'system'; readonly id: string };
}

/** Inside somebody's transaction: an entry in the trail of each organization of the user. */
export const sayInEachOrganization = async (
  trx: Trx,
  outbox: Outbox,
  { userId, action, after, actor }: OwnEntry,
  address: string | null,
): Promise<void> => {
  await asUser(trx, userId);
  const memberships = await trx.selectFrom('memberships').select('organization_id').where('user_id', '=', userId).execute();
  for (const { organization_id: organizationId } of memberships) {
    const entry = auditMessage('identity', organizationId, {
      actor: actor ?? { type: 'user', id: userId },
      address,
      action,
      resource: { type: 'user', id: userId },
      ...(after === undefined ? {} : { after }),
    });
    await underOrganization(trx, organizationId, () => outbox.append(trx, [entry]));
  }
};
