import { ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** One-time codes from an authenticator beside the password, and ten codes for who has lost it. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table totp_secrets (
       -- The user's: a user has one authenticator.
       id text primary key references users (id) on delete cascade,
       sealed_secret text not null,
       enrolled_at timestamptz(3) not null default now(),
       -- It counts from here on.
       confirmed_at timestamptz,
       -- That of the last code that was taken: none counts twice.
       last_step bigint not null default 0);

     create table recovery_codes (
       user_id text not null references users (id) on delete cascade,
       code_hash bytea not null,
       used_at timestamptz,
       primary key (user_id, code_hash));`,
  );
  await ownedByService(db, 'totp_secrets', { app: 'select, insert, update, delete', system: 'select, update (sealed_secret)' });
  await ownedByService(db, 'recovery_codes', { app: 'select, insert, update, delete' });
};
