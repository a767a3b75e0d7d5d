/** What an operator does to the keys that access tokens are signed with. */
import type { EncryptionKey } from '@settler/chassis/config';
import { type Operation, UsageError } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import { createSecretBox } from '@settler/chassis/secret-box';
import { sql } from 'kysely';
import { knownAfterMinutes } from '../../../domain/signing-keys.ts';
import type { Database } from '../tables.ts';
import { createSigningKeyStore } from './signing-key-store.ts';

const keysIn = (postgres: Postgres<Database>) =>
  postgres.systemDb
    .selectFrom('signing_keys')
    .select(['id', 'status', 'created_at', 'activated_at', 'retired_at'])
    .select(sql<boolean>`created_at <= now() - make_interval(mins => ${knownAfterMinutes})`.as('is_known'))
    .orderBy('created_at')
    .execute();

export const listSigningKeys: Operation = {
  command: 'signing-keys list',
  does: 'The keys that access tokens are signed with: the current one, the next, those that are only still published, and those that were withdrawn.',
  options: {},
  run: async ({ postgres, print }) => {
    for (const { id, status, created_at, activated_at, retired_at } of await keysIn(postgres as unknown as Postgres<Database>)) {
      const since = retired_at ?? activated_at ?? created_at;
      print(`${id}  ${status} since ${since.toISOString()}`);
    }
  },
};

const storeOf = (database: Postgres<Database>, keys: readonly EncryptionKey[]) =>
  createSigningKeyStore({ postgres: database, box: createSecretBox(keys), rotationMs: 0, given: undefined });

export const rotateSigningKeys: Operation = {
  command: 'signing-keys rotate',
  does: 'Signs with the next key from now on. The one before stays published for an hour, longer than what it has signed; nobody is logged out.',
  options: { now: { means: `even where the next key was published less than ${knownAfterMinutes} minutes ago` } },
  run: async ({ postgres, print, encryptionKeys }, options) => {
    // Compose passes on what is not set as nothing.
    if ((process.env['JWT_PRIVATE_KEY'] ?? '') !== '')
      throw new UsageError('The signing key is the one in JWT_PRIVATE_KEY: give the service another one there.');
    const database = postgres as unknown as Postgres<Database>;
    const next = (await keysIn(database)).find(({ status }) => status === 'next');
    if (next === undefined || (!next.is_known && options['now'] !== true))
      throw new UsageError(
        `The next key was published less than ${knownAfterMinutes} minutes ago, and somebody may not know it yet. Wait, or say --now and be sure that they do.`,
      );
    if (!(await storeOf(database, encryptionKeys()).rotate(next.id)))
      throw new UsageError('Somebody else has just rotated: look at signing-keys list.');
    const keys = await keysIn(database);
    print(`${keys.find(({ status }) => status === 'current')?.id} signs from now on; every replica follows at once.`);
  },
};

export const withdrawSigningKeys: Operation = {
  command: 'signing-keys withdraw',
  does: 'Takes a key away that somebody else may have: gateways refuse what it has signed within a second, and another key signs. Sessions go on with their refresh tokens.',
  options: {
    key: { means: 'the id of one key, as signing-keys list has it', value: 'ID' },
    all: { means: 'all of them' },
  },
  run: async ({ postgres, print, encryptionKeys }, { key, all }) => {
    if ((key === undefined) === (all === undefined)) throw new UsageError('Say which: --key or --all.');
    const database = postgres as unknown as Postgres<Database>;
    const known = (await keysIn(database)).filter(({ status }) => status !== 'withdrawn').map(({ id }) => id);
    const ids = known.filter((id) => all === true || id === key);
    if (ids.length === 0) throw new UsageError('There is no such key, or it was withdrawn before: look at signing-keys list.');
    if (!(await storeOf(database, encryptionKeys()).withdraw(ids)))
      throw new UsageError('Somebody else has just changed the keys: look at signing-keys list.');
    const current = (await keysIn(database)).find(({ status }) => status === 'current');
    for (const id of ids) print(`${id} is withdrawn: what it has signed is refused within a second.`);
    print(`${current?.id} signs from now on.`);
  },
};
