import { createHash, createHmac } from 'node:crypto';
import type { Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import type { SecretBox } from '@settler/chassis/secret-box';
import { sql } from 'kysely';
import type { PasswordResets } from '../../../application/ports.ts';
import { passwordResetMail, passwordResetSeconds } from '../../../domain/mail.ts';
import { endSessionsOf } from '../credentials/session-endings.ts';
import { orderMail } from '../mail-queue.ts';
import { sayInEachOrganization } from '../personal-data/own-entries.ts';
import { publicly, type Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { requireFactor } from './factor-proofs.ts';

export interface PasswordResetNeeds {
  readonly postgres: Postgres<Database>;
  readonly outbox: Outbox;
  readonly box: SecretBox;
  readonly key: Buffer;
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The tokens in all mails until now: whoever reads those later must not undo what the user has chosen since. */
export const endResetsOf = async (trx: Trx, userId: string): Promise<void> => {
  await trx
    .updateTable('password_resets')
    .set({ used_at: sql<Date>`now()` })
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute();
};

/** Tokens are computed from the mail that they are in: one that has to be sent again holds the same, and only hashes are kept. */
export const createPasswordResets = ({ postgres, outbox, box, key }: PasswordResetNeeds): PasswordResets => ({
  order: (email) => publicly(postgres, (trx) => orderMail(trx, box, { kind: 'passwordReset', email })),

  mailOf: ({ id, orderedAt }, { email }) =>
    postgres.anonymous(async (trx) => {
      const user = await trx.selectFrom('users').select(['id', 'password_changed_at']).where('email', '=', email).executeTakeFirst();
      const expiresAt = new Date(orderedAt.getTime() + passwordResetSeconds * 1000);
      if (user === undefined || expiresAt <= new Date()) return undefined;
      // Ordered while there was another one.
      if (user.password_changed_at !== null && user.password_changed_at >= orderedAt) return undefined;
      const token = `spr_${createHmac('sha256', key).update(id).digest('base64url')}`;
      await trx
        .insertInto('password_resets')
        .values({ token_hash: hashOf(token), user_id: user.id, expires_at: expiresAt })
        .onConflict((conflict) => conflict.column('token_hash').doNothing())
        .execute();
      return passwordResetMail(email, token);
    }),

  find: (token) =>
    postgres.anonymous((trx) =>
      trx
        .selectFrom('password_resets')
        .innerJoin('users', 'users.id', 'password_resets.user_id')
        .select(['users.id', 'users.email', 'users.name'])
        .where('token_hash', '=', hashOf(token))
        .where('used_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .executeTakeFirst(),
    ),

  reset: (token, { hash, isShort }, address) =>
    publicly(postgres, async (trx) => {
      // The account before its tokens, as everything that ends those does: of two mails that are used at once, the second finds its token used.
      await trx
        .selectFrom('users')
        .select('id')
        .where('id', '=', (of) => of.selectFrom('password_resets').select('user_id').where('token_hash', '=', hashOf(token)))
        .forUpdate()
        .execute();
      const used = await trx
        .updateTable('password_resets')
        .set({ used_at: sql<Date>`now()` })
        .where('token_hash', '=', hashOf(token))
        .where('used_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .returning('user_id')
        .executeTakeFirst();
      if (used === undefined) return false;
      const { user_id: userId } = used;
      await trx.updateTable('users').set({ password_hash: hash, password_changed_at: sql<Date>`now()` }).where('id', '=', userId).execute();
      if (isShort) await requireFactor(trx, userId);
      await endResetsOf(trx, userId);
      await sayInEachOrganization(trx, outbox, { userId, action: 'user.password_reset' }, address);
      await endSessionsOf(trx, { userId }, 'password');
      return true;
    }),
});
