import type { Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import { noOrganization, placeOf, type SecretBox } from '@settler/chassis/secret-box';
import { sql } from 'kysely';
import type { SecondFactors } from '../../../application/ports.ts';
import { compact, isCode } from '../../../domain/totp.ts';
import type { TotpSecrets } from '../../totp-secrets.ts';
import { requirePassword } from '../credentials/session-rows.ts';
import { requireSession } from '../members/doers.ts';
import { sayInEachOrganization } from '../personal-data/own-entries.ts';
import type { Database } from '../tables.ts';
import { removeFactor, useProof } from './factor-proofs.ts';

export interface SecondFactorNeeds {
  readonly postgres: Postgres<Database>;
  readonly outbox: Outbox;
  readonly box: SecretBox;
  readonly secrets: TotpSecrets;
}

const place = (userId: string) => placeOf(noOrganization, 'totp_secrets', 'sealed_secret', userId);
const isOnAlready = () => new Refusal('conflict', 'One-time codes are on already; turn them off first.');

export const createSecondFactors = ({ postgres, outbox, box, secrets }: SecondFactorNeeds): SecondFactors => {
  const read = (userId: string) =>
    postgres.anonymous((trx) => trx.selectFrom('totp_secrets').selectAll().where('id', '=', userId).executeTakeFirst());
  const hasRecoveryCode = (userId: string, hash: Buffer) =>
    postgres.anonymous((trx) =>
      trx
        .selectFrom('recovery_codes')
        .select('used_at')
        .where('user_id', '=', userId)
        .where('code_hash', '=', hash)
        .where('used_at', 'is', null)
        .executeTakeFirst(),
    );

  return {
    isOn: async (userId) => {
      const found = await read(userId);
      return found !== undefined && found.confirmed_at !== null;
    },

    check: async (userId, text) => {
      const row = await read(userId);
      if (row === undefined || row.confirmed_at === null) return { isOn: false };
      const given = compact(text ?? '');
      if (isCode(given)) {
        const step = secrets.stepOf(box.open(row.sealed_secret, place(userId)), given, row.last_step);
        return { isOn: true, proof: step === undefined ? undefined : { kind: 'code', step } };
      }
      const hash = secrets.recoveryHash(userId, given);
      return { isOn: true, proof: (await hasRecoveryCode(userId, hash)) === undefined ? undefined : { kind: 'recoveryCode', hash } };
    },

    enrol: (userId, { principal }) =>
      postgres.organization(principal.organizationId, async (trx) => {
        await requireSession(trx, principal);
        const secret = secrets.draw();
        const enrolled = { sealed_secret: box.seal(secret, place(userId)), enrolled_at: sql<Date>`now()`, last_step: 0n };
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('totp_secrets')
          .values({ id: userId, ...enrolled })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(enrolled).where('totp_secrets.confirmed_at', 'is', null))
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n) throw isOnAlready();
        return secrets.textOf(secret);
      }),

    checkEnrolment: async (userId, code) => {
      const row = await read(userId);
      if (row === undefined) throw new Refusal('conflict', 'There is nothing to confirm; ask for a secret first.');
      if (row.confirmed_at !== null) throw isOnAlready();
      const step = secrets.stepOf(box.open(row.sealed_secret, place(userId)), compact(code), row.last_step);
      return step === undefined ? undefined : { enrolledAt: row.enrolled_at, step };
    },

    confirm: (userId, { enrolledAt, step }, { principal, address }) =>
      postgres.organization(principal.organizationId, async (trx) => {
        // An operator who takes the factor away is waited for here, and has ended the session; or waits, and takes this one away, too.
        await trx.selectFrom('users').select('id').where('id', '=', userId).forShare().execute();
        await requireSession(trx, principal);
        const { numUpdatedRows } = await trx
          .updateTable('totp_secrets')
          .set({ confirmed_at: sql<Date>`now()`, last_step: BigInt(step) })
          .where('id', '=', userId)
          .where('enrolled_at', '=', enrolledAt)
          .where('confirmed_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new Refusal('conflict', 'Another secret was asked for, or confirmed, at the same time.');
        const codes = secrets.drawRecoveryCodes();
        await trx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
        await trx
          .insertInto('recovery_codes')
          .values(codes.map((code) => ({ user_id: userId, code_hash: secrets.recoveryHash(userId, code) })))
          .execute();
        await sayInEachOrganization(trx, outbox, { userId, action: 'user.totp_enabled' }, address);
        return codes;
      }),

    remove: ({ user, passwordHash, proof }, { principal, address }) =>
      postgres.organization(principal.organizationId, async (trx) => {
        await requirePassword(trx, user.id, passwordHash);
        await useProof(trx, user.id, proof);
        await removeFactor(trx, user.id);
        await sayInEachOrganization(trx, outbox, { userId: user.id, action: 'user.totp_disabled' }, address);
      }),
  };
};
