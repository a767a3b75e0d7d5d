/** An account inside somebody's transaction: made, or proved to be that of whoever asks. */
import type { RawBuilder } from 'kysely';
import type { Account, Authenticated } from '../../../application/ports.ts';
import { requirePassword } from '../credentials/session-rows.ts';
import type { Trx } from '../sight.ts';
import { useProof } from './factor-proofs.ts';

/** Says whether it was: not where the e-mail address is taken. */
export const insertUser = async (trx: Trx, { user, passwordHash }: Account, createdAt: Date | RawBuilder<Date>): Promise<boolean> => {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('users')
    .values({ id: user.id, email: user.email, name: user.name, password_hash: passwordHash, created_at: createdAt })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
};

/** @throws Refusal `unauthenticated` where the password is not the account's any more, or the second factor was used at the same time */
export const requireAccount = async (trx: Trx, { user, passwordHash, proof }: Authenticated): Promise<void> => {
  await requirePassword(trx, user.id, passwordHash);
  await useProof(trx, user.id, proof);
};
