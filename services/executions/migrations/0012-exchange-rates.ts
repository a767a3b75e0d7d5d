import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table exchange_rates (
       id text primary key,
       organization_id text not null,
       -- One of the base is worth this many of the quote.
       base text not null,
       quote text not null check (quote <> base),
       date date not null,
       rate numeric not null check (rate > 0 and scale(rate) <= 12),
       source text,
       updated_by_type text not null,
       updated_by_id text not null,
       updated_at timestamptz(3) not null default now(),
       revision bigint not null default 1,
       -- The newest rate of a pair on or before a day is one step of this index.
       unique (organization_id, base, quote, date));
     create index exchange_rates_newest on exchange_rates (organization_id, date desc, id desc);`,
  );
  await ownedByOrganization(db, 'exchange_rates');
};
