/** What an operator does to the second factor of a user who cannot show it. */
import { type Operation, UsageError } from '@settler/chassis/operation';
import { createOutbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { endSessionsOf } from '../credentials/session-endings.ts';
import { sayInEachOrganization } from '../personal-data/own-entries.ts';
import { publicly } from '../sight.ts';
import type { Database } from '../tables.ts';
import { removeFactor } from './factor-proofs.ts';

export const removeSecondFactor: Operation = {
  command: 'second-factors remove',
  does: 'Takes one-time codes and recovery codes away from a user who has lost them, or never had them, and ends the sessions of the user. The password stays.',
  options: {
    user: { means: 'the id of the user', value: 'ID' },
    email: { means: 'or the e-mail address', value: 'ADDRESS' },
  },
  run: async ({ postgres, print }, { user, email }) => {
    if ((user === undefined) === (email === undefined)) throw new UsageError('Say whose: --user or --email.');
    // The relay of the service that runs finds the entries by itself.
    const outbox = createOutbox('identity', () => {});
    const { userId, sessionsEnded } = await publicly(postgres as unknown as Postgres<Database>, async (trx) => {
      // Held, so that nobody logs in with the factor or resets the password meanwhile.
      const account = await trx
        .selectFrom('users')
        .select('id')
        .$if(user !== undefined, (query) => query.where('id', '=', String(user)))
        .$if(email !== undefined, (query) => query.where('email', '=', String(email).trim().toLowerCase()))
        .forUpdate()
        .executeTakeFirst();
      if (account === undefined) throw new UsageError('There is no such user.');
      if (!(await removeFactor(trx, account.id))) throw new UsageError(`${account.id} has no second factor.`);
      const entry = { userId: account.id, action: 'user.totp_disabled', after: { reason: 'operator' } } as const;
      await sayInEachOrganization(trx, outbox, { ...entry, actor: { type: 'system', id: 'operator' } }, null);
      return { userId: account.id, sessionsEnded: await endSessionsOf(trx, { userId: account.id }, 'revoked') };
    });
    print(`${userId} has no second factor and no recovery codes any more, and logs in with the password alone.`);
    print(`Sessions that were ended: ${sessionsEnded}.`);
  },
};
