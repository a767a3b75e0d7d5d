/** Whether what is stored opens under the keys that this process was given. */
import type { Postgres } from '@settler/chassis/postgres';
import type { Database } from './tables.ts';

/** One whose secret was altered is an endpoint's own trouble, and keeps nobody else's events back. */
const lookedAt = 10;

export type OpenStoredSecret = (organizationId: string, endpointId: string, sealed: string) => unknown;

/**
 * Before anything is sent, or each delivery would use an attempt up, and what is sealed from now on nobody else could open.
 * @throws where none of the newest endpoints' secrets opens
 */
export const requireKnownKey = async ({ systemDb }: Pick<Postgres<Database>, 'systemDb'>, open: OpenStoredSecret): Promise<void> => {
  const newest = await systemDb
    .selectFrom('endpoints')
    .select(['id', 'organization_id', 'secret'])
    .orderBy('created_at', 'desc')
    .limit(lookedAt)
    .execute();
  let failure: unknown;
  for (const { id, organization_id: organizationId, secret } of newest) {
    try {
      open(organizationId, id, secret);
      return;
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
};
