/** The signing keys in the database: made once however many replicas start, and rotated by whichever comes first. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Postgres } from '@settler/chassis/postgres';
import { placeOf, type SecretBox } from '@settler/chassis/secret-box';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { sql } from 'kysely';
import { type KeyPlan, type KeyState, planKeys, planRotation, planWithdrawal } from '../../../domain/signing-keys.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { revoke } from './revocations.ts';

export interface PublishedKey {
  readonly id: string;
  readonly jwk: Record<string, unknown>;
}

export interface SigningKeys {
  readonly signing: { readonly id: string; readonly key: KeyObject };
  readonly published: readonly PublishedKey[];
}

export interface SigningKeyStore {
  /** Makes, rotates and forgets keys as is due. */
  readonly maintain: () => Promise<void>;
  /** Signs with the next key from now on. Says whether it was still `nextId`; where not, nothing is done. */
  readonly rotate: (nextId: string) => Promise<boolean>;
  /**
   * What these have signed counts no more, and others sign from now on. Says whether all of them were there; where not, nothing is done.
   */
  readonly withdraw: (ids: readonly string[]) => Promise<boolean>;
  readonly read: () => Promise<SigningKeys>;
}

export interface SigningKeyNeeds {
  readonly postgres: Postgres<Database>;
  readonly box: SecretBox;
  readonly rotationMs: number;
  readonly given: KeyObject | undefined;
}

const modulusLength = 2048;
const generate = promisify(generateKeyPair);
const place = (id: string) => placeOf('system', 'signing_keys', 'sealed_private_key', id);

const describeKey = async (key: KeyObject): Promise<PublishedKey> => {
  const { kty, n, e } = await exportJWK(createPublicKey(key));
  const id = await calculateJwkThumbprint({ kty: kty ?? '', n: n ?? '', e: e ?? '' });
  return { id, jwk: { kty, n, e, kid: id, alg: 'RS256', use: 'sig' } };
};

export const createSigningKeyStore = ({ postgres, box, rotationMs, given }: SigningKeyNeeds): SigningKeyStore => {
  const insert = async (trx: Trx, key: KeyObject, status: 'current' | 'next'): Promise<void> => {
    const { id, jwk } = await describeKey(key);
    await trx
      .insertInto('signing_keys')
      .values({
        id,
        status,
        public_jwk: JSON.stringify(jwk),
        sealed_private_key: box.seal(key.export({ format: 'pem', type: 'pkcs8' }).toString(), place(id)),
        activated_at: status === 'current' ? sql<Date>`now()` : null,
      })
      .execute();
  };

  const activate = async (trx: Trx, id: string): Promise<void> => {
    const { numUpdatedRows } = await trx
      .updateTable('signing_keys')
      .set({ status: 'current', activated_at: sql<Date>`now()`, retired_at: null })
      .where('id', '=', id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n && given !== undefined) await insert(trx, given, 'current');
  };

  /** One at a time, whoever comes: what is planned is planned for the keys that there are then. */
  const carryOut = (planFor: (keys: readonly KeyState[], now: Date) => KeyPlan | undefined): Promise<boolean> =>
    postgres.system(async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtext('settler signing keys'))`.execute(trx);
      const rows = await trx
        .selectFrom('signing_keys')
        .select(['id', 'status', 'created_at', 'activated_at', 'retired_at', sql<Date>`clock_timestamp()`.as('now')])
        .execute();
      const states = rows.map(({ id, status, created_at: createdAt, activated_at: activatedAt, retired_at: retiredAt }) => {
        return { id, status, createdAt, activatedAt, retiredAt };
      });
      const plan = planFor(states, rows[0]?.now ?? new Date());
      if (plan === undefined) return false;
      if (plan.retire !== undefined)
        await trx
          .updateTable('signing_keys')
          .set({ status: 'retired', retired_at: sql<Date>`now()` })
          .where('id', '=', plan.retire)
          .execute();
      // A private key that nobody may sign with is nothing to keep.
      if (plan.withdraw !== undefined)
        await trx
          .updateTable('signing_keys')
          .set({ status: 'withdrawn', retired_at: sql<Date>`now()`, sealed_private_key: null })
          .where('id', 'in', plan.withdraw)
          .execute();
      if (plan.activate !== undefined) await activate(trx, plan.activate);
      if (plan.forget.length > 0) await trx.deleteFrom('signing_keys').where('id', 'in', plan.forget).execute();
      if (plan.publish !== undefined && given !== undefined) await insert(trx, given, 'next');
      for (const status of plan.create) await insert(trx, (await generate('rsa', { modulusLength })).privateKey, status);
      await revoke(trx, 'signingKey', plan.withdraw ?? []);
      return true;
    });

  // Opened once for as long as it signs.
  let opened: SigningKeys['signing'] | undefined;

  return {
    maintain: async () => {
      const givenId = given === undefined ? undefined : (await describeKey(given)).id;
      await carryOut((keys, now) => planKeys(keys, now, rotationMs, givenId));
    },

    rotate: (nextId) => carryOut((keys, now) => planRotation(keys, now, nextId)),
    withdraw: (ids) => carryOut((keys, now) => planWithdrawal(keys, now, ids)),

    read: async () => {
      const rows = await postgres.systemDb
        .selectFrom('signing_keys')
        .selectAll()
        .where('status', '<>', 'withdrawn')
        .orderBy(sql`case status when 'current' then 0 when 'next' then 1 else 2 end, retired_at desc`)
        .execute();
      const current = rows.find((row) => row.status === 'current');
      if (current === undefined || current.sealed_private_key === null) throw new Error('there is no signing key');
      if (opened?.id !== current.id)
        opened = { id: current.id, key: createPrivateKey(box.open(current.sealed_private_key, place(current.id))) };
      return { signing: opened, published: rows.map((row) => ({ id: row.id, jwk: row.public_jwk })) };
    },
  };
};
