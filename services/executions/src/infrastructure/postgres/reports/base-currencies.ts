/** The currency in which an organization keeps its books: a copy of what identity says, changed only by what is newer. */
import type { Envelope } from '@settler/contracts/envelope';
import { organizationUpdated } from '@settler/contracts/events/identity';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../tables.ts';

export const recordBaseCurrency = async (trx: Transaction<Database>, envelope: Envelope): Promise<void> => {
  const { organizationId, baseCurrency } = organizationUpdated.data.parse(envelope.data);
  await sql`
    insert into base_currencies (organization_id, currency, version)
    values (${organizationId}, ${baseCurrency}, ${envelope.aggregateversion})
    on conflict (organization_id) do update set currency = excluded.currency, version = excluded.version
    where excluded.version > base_currencies.version`.execute(trx);
};

/** Undefined until identity has said something of the transaction's organization. */
export const baseCurrencyOf = async (trx: Transaction<Database>): Promise<string | undefined> =>
  (await trx.selectFrom('base_currencies').select('currency').executeTakeFirst())?.currency;
