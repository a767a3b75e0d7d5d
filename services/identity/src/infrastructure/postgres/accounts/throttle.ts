import { createHmac } from 'node:crypto';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import ipaddr from 'ipaddr.js';
import { sql } from 'kysely';
import type { Throttle } from '../../../application/ports.ts';
import { accountFailuresMax, addressFailuresMax, knownAddressDays, waitSeconds, windowMs } from '../../../domain/throttle.ts';
import { publicly, type Trx } from '../sight.ts';
import type { Database } from '../tables.ts';

interface Found {
  readonly now: Date;
  readonly known: boolean;
  readonly of_account: Date | null;
  readonly of_address: Date | null;
}

interface Counted {
  readonly account: Buffer;
  readonly from: Buffer;
  /** Whether it is known from where it comes, so that it may be from where its user was before. */
  readonly isKnowable: boolean;
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

  /** How long to wait, where as many have failed as may, and `more` besides. */
  const waitOf = async (trx: Trx, { account, from, isKnowable }: Counted, more: number): Promise<number | undefined> => {
    const since = sql`now() - make_interval(secs => ${windowMs / 1000}::float8)`;
    const nth = (column: 'account' | 'address', value: Buffer, max: number) =>
      sql<Date | null>`(select at from login_failures where ${sql.ref(column)} = ${value} and at > ${since} order by at desc offset ${max + more - 1} limit 1)`;
    const { rows } = await sql<Found>`
      select now() as now,
             exists (select 1 from known_addresses where account = ${account} and address = ${from}
                        and last_login_at > now() - make_interval(days => ${knownAddressDays})) as known,
             ${nth('account', account, accountFailuresMax)} as of_account,
             ${nth('address', from, addressFailuresMax)} as of_address`.execute(trx);
    const [found] = rows;
    if (found === undefined) return undefined;
    const { now, known, of_account: ofAccount, of_address: ofAddress } = found;
    const waits = [isKnowable && known ? undefined : waitSeconds(ofAccount, now), waitSeconds(ofAddress, now)];
    return waits.reduce((longest, wait) => (wait === undefined || wait < (longest ?? 0) ? longest : wait), undefined);
  };
  const countedOf = (email: string, address: string | null): Counted => ({
    account: accountOf(email),
    from: addressOf(address),
    isKnowable: address !== null,
  });
  const refuse = (wait: number | undefined): void => {
    if (wait === undefined) return;
    throw new Refusal('rate_limited', 'There were too many failed attempts; wait before the next one.', { retryAfterSeconds: wait });
  };

  const throttle: Throttle = {
    require: async (email, address) => refuse(await postgres.anonymous((trx) => waitOf(trx, countedOf(email, address), 0))),

    // Outside of whatever transaction the attempt was part of, because that one is rolled back.
    fail: async (email, address, userId = null) => {
      const counted = countedOf(email, address);
      const wait = await postgres.anonymous(async (trx) => {
        // One after the other, so that each sees those before it.
        for (const one of [counted.account, counted.from])
          await sql`select pg_advisory_xact_lock(hashtextextended(${`failures of ${one.toString('hex')}`}, 0))`.execute(trx);
        await trx.insertInto('login_failures').values({ account: counted.account, address: counted.from, user_id: userId }).execute();
        return waitOf(trx, counted, 1);
      });
      refuse(wait);
    },

    spend: async (what, from) => {
      await throttle.require(what, from);
      await throttle.fail(what, from);
    },

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
  return throttle;
};
