/**
 * Failed logins in the audit trail: counted, one entry for each account and round, in every organization of the user. An entry per
 * attempt would let whoever guesses write as much into other people's trails as they like.
 */
import type { Logger } from '@settler/chassis/logger';
import { auditMessage, type Outbox } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';

const batchRows = 5_000;

interface Denied {
  readonly userId: string;
  readonly failures: number;
  readonly since: Date;
}

export const startDeniedLogins = (postgres: Postgres<Database>, outbox: Outbox, logger: Logger, everyMs: number) => {
  const round = () =>
    postgres.system(async (trx) => {
      for (const denied of await takeUnsaid(trx)) await say(trx, outbox, denied);
    });
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(round).catch((error: unknown) => logger.warn({ err: error }, 'failed logins are said in the next round'));
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
};

const takeUnsaid = async (trx: Trx): Promise<readonly Denied[]> => {
  const { rows } = await sql<Denied>`
    with said as (
      update login_failures set said_at = now()
       where position in (select position from login_failures where user_id is not null and said_at is null
                           order by position limit ${batchRows} for update skip locked)
      returning user_id, at)
    select user_id as "userId", count(*)::int as failures, min(at) as since from said group by user_id`.execute(trx);
  return rows;
};

const say = async (trx: Trx, outbox: Outbox, { userId, failures, since }: Denied): Promise<void> => {
  const memberships = await trx.selectFrom('memberships').select('organization_id').where('user_id', '=', userId).execute();
  for (const { organization_id: organizationId } of memberships) {
    await actFor(trx, organizationId);
    await outbox.append(trx, [
      auditMessage('identity', organizationId, {
        actor: { type: 'system', id: 'identity' },
        // Many addresses may be behind one entry.
        address: null,
        action: 'user.login_denied',
        resource: { type: 'user', id: userId },
        after: { failures, since: since.toISOString() },
      }),
    ]);
  }
};
