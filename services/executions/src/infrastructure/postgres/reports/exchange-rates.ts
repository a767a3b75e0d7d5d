/** An organization's exchange rates: who sets them, and which of them holds on a day. */
import { requireRevision } from '@settler/chassis/entity-tag';
import { newestFirst } from '@settler/chassis/newest-first';
import type { Outbox, OutboxMessage } from '@settler/chassis/outbox';
import type { Cursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound } from '@settler/chassis/refusal';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { ExchangeRateStore, ExchangeRateView } from '../../../application/exchange-rates.ts';
import type { Actor } from '../../../application/ports.ts';
import type { ExchangeRate } from '../../../domain/base-totals.ts';
import { auditOf } from '../audit.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exchange_rates']>;

const rateOf = ({ base, quote, date, rate, source }: Row | ExchangeRate): ExchangeRate => ({ base, quote, date, rate, source });

const viewOf = (row: Row): ExchangeRateView => ({
  id: row.id,
  ...rateOf(row),
  updatedBy: { type: row.updated_by_type, id: row.updated_by_id },
  updatedAt: row.updated_at.toISOString(),
});

export const createExchangeRateStore = (postgres: Postgres<Database>, outbox: Outbox, cursors: Cursors): ExchangeRateStore => ({
  list: (organizationId, { base, quote, from, to, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = JSON.stringify(['exchange rates', organizationId, base, quote, from, to]);
      let query = trx.selectFrom('exchange_rates').selectAll();
      if (base !== undefined) query = query.where('base', '=', base);
      if (quote !== undefined) query = query.where('quote', '=', quote);
      if (from !== undefined) query = query.where('date', '>=', from);
      if (to !== undefined) query = query.where('date', '<=', to);
      return newestFirst(query, { cursors, list, limit, cursor }, viewOf, 'date');
    }),

  read: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('exchange_rates').selectAll().where('id', '=', id).executeTakeFirst();
      return row && { view: viewOf(row), revision: row.revision };
    }),

  set: (rates, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const { organizationId } = actor.principal;
      // One at a time, so that the trail says truly what was there before, and two lists in different orders do not wait for each other.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`exchange rates of ${organizationId}`}, 0))`.execute(trx);
      const before = await storedLike(trx, rates);
      const changed = rates.filter((rate) => !isSame(before.get(keyOf(rate)), rate));
      if (changed.length > 0) await write(trx, changed, actor);
      const after = await storedLike(trx, rates);
      await outbox.append(
        trx,
        changed.map((rate) => setMessage(before.get(keyOf(rate)), after.get(keyOf(rate)) as Row, actor)),
      );
      return rates.map((rate) => viewOf(after.get(keyOf(rate)) as Row));
    }),

  remove: (id, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const row = await trx.selectFrom('exchange_rates').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
      if (row === undefined) throw notFound('exchange rate');
      requireRevision(ifMatch, row.revision);
      await trx.deleteFrom('exchange_rates').where('id', '=', id).execute();
      const resource = { type: 'exchange-rate', id } as const;
      await outbox.append(trx, [auditOf({ action: 'exchange-rate.deleted', resource, before: { ...rateOf(row) } }, actor)]);
    }),
});

const keyOf = ({ base, quote, date }: ExchangeRate): string => `${base} ${quote} ${date}`;

const isSame = (row: Row | undefined, rate: ExchangeRate): boolean => row?.rate === rate.rate && row.source === rate.source;

const storedLike = async (trx: Trx, rates: readonly ExchangeRate[]): Promise<ReadonlyMap<string, Row>> => {
  const column = (name: 'base' | 'quote' | 'date') => rates.map((rate) => rate[name]);
  const rows = await trx
    .selectFrom('exchange_rates')
    .selectAll()
    .where(
      sql<boolean>`(base, quote, date) in (select * from unnest(${column('base')}::text[], ${column('quote')}::text[], ${column('date')}::date[]))`,
    )
    .execute();
  return new Map(rows.map((row) => [keyOf(row), row]));
};

const write = (trx: Trx, rates: readonly (ExchangeRate & { readonly newId: string })[], { principal }: Actor) =>
  trx
    .insertInto('exchange_rates')
    .values(
      rates.map(({ newId, ...rate }) => ({
        id: newId,
        organization_id: principal.organizationId,
        ...rateOf(rate),
        updated_by_type: principal.kind,
        updated_by_id: principal.id,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'base', 'quote', 'date']).doUpdateSet(({ ref }) => ({
        rate: ref('excluded.rate'),
        source: ref('excluded.source'),
        updated_by_type: ref('excluded.updated_by_type'),
        updated_by_id: ref('excluded.updated_by_id'),
        updated_at: sql<Date>`now()`,
        revision: sql<bigint>`exchange_rates.revision + 1`,
      })),
    )
    .execute();

const setMessage = (before: Row | undefined, after: Row, actor: Actor): OutboxMessage => {
  const resource = { type: 'exchange-rate', id: after.id } as const;
  const was = before === undefined ? {} : { before: { ...rateOf(before) } };
  return auditOf({ action: 'exchange-rate.set', resource, ...was, after: { ...rateOf(after) } }, actor);
};

/** Between a currency and each of the others, in both directions: the newest rate on or before the day. */
export const ratesOn = async (trx: Trx, currency: string, others: readonly string[], date: string): Promise<ExchangeRate[]> => {
  const { rows } = await sql<ExchangeRate>`
    select newest.* from unnest(${others}::text[]) as other(currency)
     cross join lateral (values (other.currency, ${currency}::text), (${currency}::text, other.currency)) as pair(base, quote)
     cross join lateral (select r.base, r.quote, r.date, r.rate, r.source from exchange_rates r
                          where r.base = pair.base and r.quote = pair.quote and r.date <= ${date}::date
                          order by r.date desc limit 1) as newest`.execute(trx);
  return rows;
};
