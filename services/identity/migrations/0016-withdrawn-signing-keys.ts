import { ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** A signing key that was withdrawn stays known without its private half, and gateways are told of it as of what else was revoked. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table signing_keys
       drop constraint signing_keys_status_check,
       add constraint signing_keys_status_check check (status in ('next', 'current', 'retired', 'withdrawn')),
       alter column sealed_private_key drop not null,
       add constraint signing_keys_private_key check ((status = 'withdrawn') = (sealed_private_key is null));
     alter table revocations
       drop constraint revocations_kind_check,
       add constraint revocations_kind_check check (kind in ('apiKey', 'session', 'user', 'signingKey'));
     create index revocations_of_signing_keys on revocations (subject_id) where kind = 'signingKey';`,
  );
  await ownedByService(db, 'revocation_counter', { system: 'select, update' });
  await ownedByService(db, 'revocations', { system: 'insert' });
};
