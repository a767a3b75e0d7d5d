/**
 * Due deliveries are claimed in the database, committed before any byte is sent, and finished under the claim's id: a worker that
 * lost its claim changes nothing. A process that dies after sending leaves the claim to expire, and the same id is sent again.
 *
 * A delivery that is held while it is on its way keeps its claim: what comes of the attempt is recorded, and it is held where it would be
 * tried again.
 *
 * Whoever locks an endpoint and deliveries of it locks the endpoint first: so nobody who has one of them waits for the other.
 */
import { randomUUID } from 'node:crypto';
import { isVictim } from '@settler/chassis/database-errors';
import { auditMessage, type Outbox } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { Attempted, Claimed, Claims, DeliveryStatus } from '../../application/ports.ts';
import type { Verdict } from '../../domain/retry.ts';
import type { Database } from './tables.ts';

export interface ClaimOptions {
  readonly leaseMs: number;
  /** Deliveries that one endpoint is sent at once. */
  readonly perEndpoint: number;
}

/** Due deliveries that are read one by one. */
const littleMax = 1_000;

export const createClaims = (postgres: Postgres<Database>, outbox: Outbox, { leaseMs, perEndpoint }: ClaimOptions): Claims => ({
  claim: async (free, running) => {
    const claimId = randomUUID();
    const { rows } = await sql<Omit<Claimed, 'claimId'>>`
      -- Where little is due, it is read: 3 ms, however many endpoints wait for later. Where much is, it goes from one endpoint with something
      -- pending to the next, however much each has: 20 ms with 200,000 due at a hundred of them, where reading it all takes two seconds.
      with recursive early as materialized (
        select endpoint_id from deliveries
         where status = 'pending' and next_attempt_at <= now() and (claimed_until is null or claimed_until < now())
         order by next_attempt_at limit ${littleMax + 1}),
      much as (select from early having count(*) > ${littleMax}),
      pending as (
        (select endpoint_id from deliveries where status = 'pending' and exists (select from much) order by endpoint_id limit 1)
        union all
        select (select d.endpoint_id from deliveries d where d.status = 'pending' and d.endpoint_id > p.endpoint_id order by d.endpoint_id limit 1)
          from pending p where p.endpoint_id is not null),
      waiting as (
        select distinct endpoint_id from early where not exists (select from much)
        union all
        select p.endpoint_id from pending p
         where exists (select from deliveries o where o.endpoint_id = p.endpoint_id and o.status = 'pending' and o.next_attempt_at <= now())),
      due as (
        select d.id, d.next_attempt_at, e.organization_id, row_number() over (partition by e.id order by d.next_attempt_at, d.sequence) as turn
          from waiting w
          join endpoints e on e.id = w.endpoint_id and e.status = 'active'
          cross join lateral (select count(*) as in_flight from deliveries o
                               where o.endpoint_id = e.id and o.status = 'pending' and o.claimed_until > now()) f
          cross join lateral (select o.id, o.next_attempt_at, o.sequence from deliveries o
                               where o.endpoint_id = e.id and o.status = 'pending' and o.next_attempt_at <= now()
                                 and (o.claimed_until is null or o.claimed_until < now())
                               order by o.next_attempt_at, o.sequence limit greatest(0, ${perEndpoint} - f.in_flight)) d),
      -- How many slots its organization has with it.
      held as (
        select due.id, due.next_attempt_at,
               coalesce(running.slots, 0) + row_number() over (partition by organization_id order by turn, due.next_attempt_at) as slots
          from due left join unnest(${[...running.keys()]}::text[], ${[...running.values()]}::int[]) as running (organization_id, slots)
                          using (organization_id)),
      placed as (select id, slots, row_number() over (order by slots, next_attempt_at) as place from held),
      picked as (
        select d.id from deliveries d join placed on placed.id = d.id
         where placed.slots <= ${free} + 1 - placed.place and d.status = 'pending' and (d.claimed_until is null or d.claimed_until < now())
         order by placed.place limit ${free} for update of d skip locked)
      update deliveries set claim_id = ${claimId}, claimed_until = now() + make_interval(secs => ${leaseMs / 1000}::float8)
        from picked, endpoints e, events v
       where deliveries.id = picked.id and e.id = deliveries.endpoint_id and v.id = deliveries.event_id
      returning deliveries.id, deliveries.organization_id as "organizationId", deliveries.endpoint_id as "endpointId", deliveries.event_id as "eventId",
                deliveries.sequence, deliveries.attempt_count as attempts, e.url, e.headers, e.sealed_headers as "sealedHeaders", e.secret as "sealedSecret", v.body`.execute(
      postgres.systemDb,
    );
    return rows.map((row) => ({ ...row, claimId }));
  },

  finish: (claimed, attempted, verdict) => repeated(() => record(postgres, outbox, claimed, attempted, verdict)),
});

const victimTriesMax = 3;

/** What was sent cannot be unsent: its record is not given up because others were in its way. */
const repeated = async <Result>(work: () => Promise<Result>, triesLeft = victimTriesMax): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (triesLeft > 1 && isVictim(error)) return repeated(work, triesLeft - 1);
    throw error;
  }
};

/** The attempt, what follows from it, and for a 410 the end of the endpoint: one transaction, or nothing if the claim was lost. */
const record = (postgres: Postgres<Database>, outbox: Outbox, claimed: Claimed, attempted: Attempted, said: Verdict): Promise<boolean> =>
  postgres.system(async (trx) => {
    const verdict = await holding(trx, claimed, said);
    const next = {
      delivered: { status: 'delivered' as const, next_attempt_at: null, next_reason: null },
      // With all else that is for the endpoint: whoever makes it active again wants this, too.
      gone: { status: 'held' as const, next_attempt_at: null, next_reason: 'held' },
      failed: { status: 'failed' as const, next_attempt_at: null, next_reason: null },
      retry: {
        status: sql<DeliveryStatus>`status`,
        next_attempt_at: sql<Date>`case status when 'pending' then now() + make_interval(secs => ${verdict.kind === 'retry' ? verdict.delayMs / 1000 : 0}::float8) end`,
        next_reason: sql<string>`case status when 'pending' then ${verdict.kind === 'retry' ? verdict.reason : null} else next_reason end`,
      },
    }[verdict.kind];
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set({ ...next, attempt_count: claimed.attempts + 1, claim_id: null, claimed_until: null })
      .where('id', '=', claimed.id)
      .where('claim_id', '=', claimed.claimId)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await trx
      .insertInto('attempts')
      .values({
        delivery_id: claimed.id,
        organization_id: claimed.organizationId,
        position: claimed.attempts + 1,
        at: sql<Date>`now()`,
        status_code: attempted.statusCode,
        latency_ms: attempted.latencyMs,
        response_body: attempted.responseBody,
        error: attempted.error,
      })
      .execute();
    if (verdict.kind === 'gone') await disable(trx, outbox, claimed);
    return true;
  });

/**
 * What the answer means for where the endpoint is now. A receiver that has moved leaves a 410 behind, or asks for patience while it does: that
 * was said of the old address, and the new one is tried at once. Where it succeeded, or was tried for the last time, there is nothing to
 * take back. A 410 locks the endpoint, so that it cannot move before it is disabled.
 */
const holding = async (trx: Transaction<Database>, { endpointId, url }: Claimed, verdict: Verdict): Promise<Verdict> => {
  if (verdict.kind === 'delivered' || verdict.kind === 'failed') return verdict;
  const now = await trx
    .selectFrom('endpoints')
    .select('url')
    .where('id', '=', endpointId)
    .$if(verdict.kind === 'gone', (query) => query.forUpdate())
    .executeTakeFirst();
  return now === undefined || now.url === url ? verdict : { kind: 'retry', delayMs: 0, reason: 'schedule' };
};

/** It says of itself that it is gone: nothing is sent to it until somebody makes it active again. */
const disable = async (trx: Transaction<Database>, outbox: Outbox, { organizationId, endpointId }: Claimed): Promise<void> => {
  const { numUpdatedRows } = await trx
    .updateTable('endpoints')
    .set({
      status: 'disabled',
      disabled_reason: 'The endpoint answered 410 Gone.',
      revision: sql<bigint>`revision + 1`,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', endpointId)
    .where('status', '<>', 'disabled')
    .executeTakeFirst();
  await trx
    .updateTable('deliveries')
    .set({ status: 'held', next_attempt_at: null, next_reason: 'held' })
    .where('endpoint_id', '=', endpointId)
    .where('status', '=', 'pending')
    .execute();
  // Several deliveries may have been told so.
  if (numUpdatedRows === 0n) return;
  await actFor(trx, organizationId);
  await outbox.append(trx, [
    auditMessage('webhooks', organizationId, {
      actor: { type: 'system', id: 'webhooks' },
      address: null,
      action: 'webhook.disabled',
      resource: { type: 'webhook', id: endpointId },
      after: { status: 'disabled', reason: 'answered 410' },
    }),
  ]);
};
