import { ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Mails that are to be sent, and the tokens with which a forgotten password is replaced. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table mails (
       id text primary key,
       -- To whom and what about; gone once it has ended.
       sealed_body text,
       status text not null default 'waiting' check (status in ('waiting', 'sent', 'dropped', 'failed')),
       attempts int not null default 0,
       -- While one process sends it, when another may try.
       next_attempt_at timestamptz not null default now(),
       created_at timestamptz not null default now(),
       ended_at timestamptz);
     create index mails_due on mails (next_attempt_at) where status = 'waiting';
     create index mails_ended on mails (ended_at);

     create table password_resets (
       token_hash bytea primary key,
       user_id text not null references users (id),
       expires_at timestamptz not null,
       used_at timestamptz);
     create index password_resets_of_user on password_resets (user_id);
     create index password_resets_expiry on password_resets (expires_at);`,
  );
  // Requests write mails and cannot read them.
  await ownedByService(db, 'mails', { app: 'insert', system: 'select, update, delete' });
  await ownedByService(db, 'password_resets', { app: 'select, insert, update', system: 'select, delete' });
};
