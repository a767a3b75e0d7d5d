/** Second factors inside somebody's transaction: a proof counts once, whoever shows it at the same time. */
import { Refusal } from '@settler/chassis/refusal';
import { sql } from 'kysely';
import type { FactorProof } from '../../../application/ports.ts';
import type { Trx } from '../sight.ts';

/**
 * Takes what was checked outside of this transaction.
 * @throws Refusal `unauthenticated` where it was used since, or where there is a second factor now and there was none
 */
export const useProof = async (trx: Trx, userId: string, proof: FactorProof | undefined): Promise<void> => {
  const factor = await trx
    .selectFrom('totp_secrets')
    .select('last_step')
    .where('id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .forUpdate()
    .executeTakeFirst();
  if (factor === undefined) return;
  if (!(await isTaken(trx, userId, factor.last_step, proof)))
    throw new Refusal('unauthenticated', 'The one-time code is wrong, or was used already.');
};

const isTaken = async (trx: Trx, userId: string, lastStep: bigint, proof: FactorProof | undefined): Promise<boolean> => {
  switch (proof?.kind) {
    case undefined:
      return false;
    case 'code': {
      if (BigInt(proof.step) <= lastStep) return false;
      await trx
        .updateTable('totp_secrets')
        .set({ last_step: BigInt(proof.step) })
        .where('id', '=', userId)
        .execute();
      return true;
    }
    case 'recoveryCode': {
      const { numUpdatedRows } = await trx
        .updateTable('recovery_codes')
        .set({ used_at: sql<Date>`now()` })
        .where('user_id', '=', userId)
        .where('code_hash', '=', proof.hash)
        .where('used_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    }
  }
};

/** A short password was admitted because there is a second factor. @throws Refusal `conflict` where there is none any more */
export const requireFactor = async (trx: Trx, userId: string): Promise<void> => {
  const found = await trx
    .selectFrom('totp_secrets')
    .select('id')
    .where('id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .forShare()
    .executeTakeFirst();
  if (found === undefined)
    throw new Refusal('conflict', 'One-time codes were turned off at the same time, so the password has to be longer.');
};

/** Takes the secret and the recovery codes away, and says whether one-time codes were on. */
export const removeFactor = async (trx: Trx, userId: string): Promise<boolean> => {
  // The secret first: whoever confirms it at the same time draws recovery codes, which have to go as well.
  const removed = await trx.deleteFrom('totp_secrets').where('id', '=', userId).returning('confirmed_at').executeTakeFirst();
  await trx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  return removed !== undefined && removed.confirmed_at !== null;
};
