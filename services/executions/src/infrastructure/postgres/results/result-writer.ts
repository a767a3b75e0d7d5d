/** Writes results by COPY into the month's partition, which only the system role may touch. Every row carries its epoch. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { faultPoint } from '@settler/chassis/faults';
import type { Postgres } from '@settler/chassis/postgres';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { HeldExecution, ResultDigest, ResultWriter } from '../../../application/ports.ts';
import type { PassSum } from '../../../domain/certificate.ts';
import type { Database } from '../tables.ts';
import { insertMatchKeys } from './match-keys.ts';
import { resultPartition } from './partition.ts';
import { draftColumns, moveColumns, resultColumns } from './result-rows.ts';

export const createResultWriter = (postgres: Postgres<Database>): ResultWriter => ({
  begin: (held) =>
    whileHeld(postgres, held, async (client) => {
      const { id, createdAt } = held;
      await client.query('select ensure_result_partitions($1::date)', [createdAt]);
      for (const table of [
        resultPartition(createdAt),
        'result_sums',
        'result_digests',
        'match_keys',
        'open_item_moves',
        'exception_drafts',
      ])
        await client.query(`delete from ${table} where execution_id = $1`, [id]);
    }),

  write: (held, { results, moves, drafts, sums, digests, keys }) =>
    whileHeld(postgres, held, async (client) => {
      await copy(client, resultPartition(held.createdAt), resultColumns, results);
      faultPoint('executions.mid-copy');
      await insertSums(client, held, sums);
      await insertDigests(client, held, digests);
      if (keys !== undefined && keys.source.length + keys.target.length > 0)
        await insertMatchKeys(client, held, digests[0]?.first ?? 0, keys);
      if (moves.length > 0) await copy(client, 'open_item_moves', moveColumns, moves);
      if (drafts.length > 0) await copy(client, 'exception_drafts', draftColumns, drafts);
    }),
});

/**
 * One transaction on a connection of its own, which commits only while the lease is held. It asks last: a worker may have been still for
 * a minute in between. A claim waits for those that have asked, so that whoever has it next deletes all of their rows, and keeps its own.
 */
const whileHeld = async (
  { systemPool }: Postgres<Database>,
  { id, epoch }: HeldExecution,
  write: (client: PoolClient) => Promise<void>,
): Promise<void> => {
  const client = await systemPool.connect();
  try {
    await client.query('begin');
    await write(client);
    const { rowCount } = await client.query('select 1 from executions where id = $1 and lease_epoch = $2 for share', [id, epoch]);
    if (rowCount === 0) throw new Error('the lease was lost');
    await client.query('commit');
    client.release();
  } catch (error) {
    // Whatever state the connection is in, it is not used again.
    client.release(true);
    throw error;
  }
};

/** In one piece: a line at a time, each would be a message and a write of its own. */
const copy = (client: PoolClient, table: string, columns: string, rows: Uint8Array): Promise<void> =>
  pipeline(
    Readable.from([Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)]),
    client.query(copyFrom(`copy ${table} (${columns}) from stdin`)),
  );

const insertSums = (client: PoolClient, { id, organizationId, epoch }: HeldExecution, sums: readonly PassSum[]): Promise<unknown> => {
  const column = <Value>(of: (sum: PassSum) => Value): Value[] => sums.map(of);
  return client.query(
    `insert into result_sums (execution_id, organization_id, epoch, side, currency, outcome, pass, carried, count, amount_minor)
     select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::bigint[], $10::numeric[])`,
    [
      id,
      organizationId,
      epoch,
      column(({ side }) => side),
      column(({ currency }) => currency),
      column(({ outcome }) => outcome),
      column(({ pass }) => pass),
      column(({ carried }) => carried),
      column(({ count }) => count),
      column(({ amountMinor }) => amountMinor.toString()),
    ],
  );
};

/** Policies keep COPY from their table, and there are few. Lists go as JSON: arrays of arrays have one length. Bits go one behind the other. */
const insertDigests = (client: PoolClient, { id, organizationId }: HeldExecution, digests: readonly ResultDigest[]): Promise<unknown> => {
  const column = <Value>(of: (digest: ResultDigest) => Value): Value[] => digests.map(of);
  const [trigrams, pentagrams] = [column((digest) => digest.trigrams), column((digest) => digest.pentagrams)];
  return client.query(
    `insert into result_digests (execution_id, organization_id, first, last, outcomes, passes, id_least, id_most, amount_most, trigrams, pentagrams)
     select $1, $2, first, last, array(select json_array_elements_text(outcomes)), array(select json_array_elements_text(passes)),
            id_least, id_most, amount_most, substring($10::bytea from (n::int - 1) * $11::int + 1 for $11::int), substring($12::bytea from (n::int - 1) * $13::int + 1 for $13::int)
       from unnest($3::int[], $4::int[], $5::json[], $6::json[], $7::text[], $8::text[], $9::float8[]) with ordinality
            as d(first, last, outcomes, passes, id_least, id_most, amount_most, n)`,
    [
      id,
      organizationId,
      column(({ first }) => first),
      column(({ last }) => last),
      column(({ outcomes }) => JSON.stringify(outcomes)),
      column(({ passes }) => JSON.stringify(passes)),
      column(({ idLeast }) => idLeast),
      column(({ idMost }) => idMost),
      column(({ amountMost }) => amountMost),
      Buffer.concat(trigrams),
      trigrams[0]?.length ?? 0,
      Buffer.concat(pentagrams),
      pentagrams[0]?.length ?? 0,
    ],
  );
};
