/** What an operator does to the keys that access tokens are signed with. */
import { type Operation, UsageError } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import { createSecretBox } from '@settler/chassis/secret-box';
import { sql } from 'kysely';
import { knownAfterMinutes } from '../../domain/signing-keys.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import type { Database } from './tables.ts';

const keysIn = (postgres: Postgres<Database>) =>
  postgres.systemDb
    .selectFrom('signing_keys')
    .select(['id', 'status', 'created_at', 'activated_at', 'retired_at'])
    .select(sql<boolean>`created_at <= now() - make_interval(mins => ${knownAfterMinutes})`.as('is_known'))
    .orderBy('created_at')
    .execute();

export const listSigningKeys: Operation = {
  command: 'signing-keys list',
  does: 'The keys that access tokens are signed with: the current one, the next, and those that are only still published.',
  options: {},
  run: async ({ postgres, print }) => {
    for (const { id, status, created_at, activated_at, retired_at } of await keysIn(postgres as unknown as Postgres<Database>)) {
      const since = retired_at ?? activated_at ?? created_at;
      print(`${id}  ${status} since ${since.toISOString()}`);
    }
  },
};

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
    const store = createSigningKeyStore({ postgres: database, box: createSecretBox(encryptionKeys()), rotationMs: 0, given: undefined });
    if (!(await store.rotate(next.id))) throw new UsageError('Somebody else has just rotated: look at signing-keys list.');
    const keys = await keysIn(database);
    print(`${keys.find(({ status }) => status === 'current')?.id} signs from now on; every replica follows within a minute.`);
  },
};
