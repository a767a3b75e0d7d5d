import type { Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import { sql } from 'kysely';
import type { PasswordStore } from '../../../application/ports.ts';
import { endSessionsOf } from '../credentials/session-endings.ts';
import { sayInEachOrganization } from '../personal-data/own-entries.ts';
import type { Database } from '../tables.ts';
import { requireFactor } from './factor-proofs.ts';
import { endResetsOf } from './password-resets.ts';

export const createPasswordStore = (postgres: Postgres<Database>, outbox: Outbox): PasswordStore => ({
  change: ({ user, passwordHash: before }, { hash, isShort }, { principal, address }) =>
    postgres.organization(principal.organizationId, async (trx) => {
      // The one that was checked must still be the one that is replaced: whoever knew an older one must not undo a reset.
      const { numUpdatedRows } = await trx
        .updateTable('users')
        .set({ password_hash: hash, password_changed_at: sql<Date>`now()` })
        .where('id', '=', user.id)
        .where('password_hash', '=', before)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new Refusal('conflict', 'The password was changed at the same time.');
      if (isShort) await requireFactor(trx, user.id);
      const sessionsEnded = await endSessionsOf(trx, { userId: user.id, except: principal.sessionId }, 'password');
      await endResetsOf(trx, user.id);
      await sayInEachOrganization(trx, outbox, { userId: user.id, action: 'user.password_changed', after: { sessionsEnded } }, address);
    }),
});
