import { createHmac } from 'node:crypto';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import ipaddr from 'ipaddr.js';
import { sql } from 'kysely';
import type { Throttle } from '../../application/ports.ts';
import { accountFailuresMax, addressFailuresMax, knownAddressDays, waitSeconds, windowMs } from '../../domain/throttle.ts';
import { publicly } from './sight.ts';
import type { Database } from './tables.ts';

interface Found {
  readonly now: Date;
  readonly known: boolean;
  readonly of_account: Date | null;
  readonly of_address: Date | null;
}

/** Networks hand out whole /64 of IPv6: one customer has more addresses there than IPv4 has altogether. */
const networkOf = (address: string): string => {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).parts.slice(0, 4).join(':') : parsed.toString();
};

export const createThrottle = (postgres: Postgres<Database>, key: Buffer): Throttle => {
  const keyed = (kind: string, text: string) => createHmac('sha256', key).update(`${kind}\n${text}`).digest();
  const accountOf = (email: string) => keyed('account', email);
  // Who cannot be told apart is counted together.
  const addressOf = (address: string | null) => keyed('address', address === null ? 'unknown' : networkOf(address));

  return {
    require: async (email, address) => {
      const account = accountOf(email);
      const from = addressOf(address);
      const since = sql`now() - make_interval(secs => ${windowMs / 1000}::float8)`;
      const nth = (column: 'account' | 'address', value: Buffer, max: number) =>
        sql<Date | null>`(select at from login_failures where ${sql.ref(column)} = ${value} and at > ${since} order by at desc offset ${max - 1} limit 1)`;
      const found = await postgres.anonymous(async (trx) => {
        const { rows } = await sql<Found>`
          select now() as now,
                 exists (select 1 from known_addresses where account = ${account} and address = ${from}
                            and last_login_at > now() - make_interval(days => ${knownAddressDays})) as known,
                 ${nth('account', account, accountFailuresMax)} as of_account,
                 ${nth('address', from, addressFailuresMax)} as of_address`.execute(trx);
        return rows[0];
      });
      if (found === undefined) return;
      const { now, known, of_account: ofAccount, of_address: ofAddress } = found;
      const isKnown = known && address !== null;
      const waits = [isKnown ? undefined : waitSeconds(ofAccount, now), waitSeconds(ofAddress, now)].filter((wait) => wait !== undefined);
      if (waits.length === 0) return;
      throw new Refusal('rate_limited', 'There were too many failed attempts; wait before the next one.', {
        retryAfterSeconds: Math.max(...waits),
      });
    },

    // Outside of whatever transaction the attempt was part of, because that one is rolled back.
    fail: (email, address, userId = null) =>
      postgres.anonymous(async (trx) => {
        await trx
          .insertInto('login_failures')
          .values({ account: accountOf(email), address: addressOf(address), user_id: userId })
          .execute();
      }),

    forget: async (email) => {
      for (const table of ['login_failures', 'known_addresses'] as const)
        await postgres.systemDb.deleteFrom(table).where('account', '=', accountOf(email)).execute();
    },

    remember: (email, address) =>
      publicly(postgres, async (trx) => {
        await trx
          .insertInto('known_addresses')
          .values({ account: accountOf(email), address: addressOf(address) })
          .onConflict((conflict) => conflict.columns(['account', 'address']).doUpdateSet({ last_login_at: sql<Date>`now()` }))
          .execute();
      }),
  };
};
