/**
 * What a transaction sees before an organization is known. The policies show it the rows of the organization that it names, the
 * memberships (and their organizations) of the user that it names, and the API key whose locator or the invitation whose token's hash
 * it names; a user is named only once proved, the other two because naming them is how they are looked for.
 */
import { publicOwner } from '@settler/chassis/endpoint';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { Database } from './tables.ts';

export type Trx = Transaction<Database>;

/**
 * A transaction of a public route. It names an owner that no organization can be, as the idempotency record of such a route
 * does, and therefore joins that record's transaction: the answer is recorded exactly when the effect is.
 */
export const publicly = <Result>(postgres: Postgres<Database>, work: (trx: Trx) => Promise<Result>): Promise<Result> =>
  postgres.organization(publicOwner, work);

/** Does `work` under another organization than the transaction's own, which is its own again afterwards. */
export const underOrganization = async <Result>(trx: Trx, organizationId: string, work: () => Promise<Result>): Promise<Result> => {
  const { rows } = await sql<{ name: string | null }>`select current_setting('app.organization_id', true) as name`.execute(trx);
  await actFor(trx, organizationId);
  const result = await work();
  await actFor(trx, rows[0]?.name ?? '');
  return result;
};

export const asUser = async (trx: Trx, userId: string): Promise<void> => {
  await sql`select set_config('app.user_id', ${userId}, true)`.execute(trx);
};

export const showingKey = async (trx: Trx, locator: string): Promise<void> => {
  await sql`select set_config('app.api_key_locator', ${locator}, true)`.execute(trx);
};

export const showingInvitation = async (trx: Trx, tokenHash: Buffer): Promise<void> => {
  await sql`select set_config('app.invitation_hash', ${tokenHash.toString('hex')}, true)`.execute(trx);
};
