import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Whether the user has ever shown the mailbox: a second factor that was set before must not keep its owner out. Who is here already counts as
 * having shown it, and keeps the factor through a reset as until now.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table users add column if not exists mailbox_proved boolean not null default true;
     alter table users alter column mailbox_proved set default false;`,
  );
};
