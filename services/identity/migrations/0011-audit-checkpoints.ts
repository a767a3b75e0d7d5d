import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** How far the audit trail was once found whole, sealed, so that a verification may go on from there. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table audit_checkpoints (
       organization_id text not null references organizations (organization_id),
       entries bigint not null,
       hash text not null,
       verified_at timestamptz not null,
       seal text not null,
       primary key (organization_id, entries));`,
  );
  await ownedByOrganization(db, 'audit_checkpoints', { app: 'select, insert', system: 'select' });
};
