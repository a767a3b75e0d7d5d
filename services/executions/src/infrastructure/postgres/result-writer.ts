/** Writes results by COPY into the month's partition, which only the system role may touch. Every row carries its epoch. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { faultPoint } from '@settler/chassis/faults';
import type { Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import { from as copyFrom } from 'pg-copy-streams';
import type { ResultWriter } from '../../application/ports.ts';
import { partition } from './partition.ts';
import { moveColumns, recordColumns, resultColumns } from './result-rows.ts';
import type { Database } from './tables.ts';

export const createResultWriter = (postgres: Postgres<Database>): ResultWriter => ({
  begin: async ({ id, createdAt }) => {
    await postgres.system(async (trx) => {
      await sql`select ensure_result_partitions(${createdAt}::date)`.execute(trx);
      for (const table of ['results', 'result_records'] as const) {
        await sql.raw(`delete from ${partition(table, createdAt)} where execution_id = '${id}'`).execute(trx);
      }
      await trx.deleteFrom('open_item_moves').where('execution_id', '=', id).execute();
    });
  },

  write: async (held, { results, records, moves }) => {
    const client = await postgres.systemPool.connect();
    try {
      await client.query('begin');
      // The rows belong to this epoch only while this lease is held; a later claim would delete them again.
      const { rowCount } = await client.query('select 1 from executions where id = $1 and lease_epoch = $2 for key share', [
        held.id,
        held.epoch,
      ]);
      if (rowCount === 0) throw new Error('the lease was lost');
      const copy = (table: string, columns: string, rows: Uint8Array) =>
        // In one piece: a line at a time, each would be a message and a write of its own.
        pipeline(
          Readable.from([Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)]),
          client.query(copyFrom(`copy ${table} (${columns}) from stdin`)),
        );
      await copy(partition('results', held.createdAt), resultColumns, results);
      faultPoint('executions.mid-copy');
      await copy(partition('result_records', held.createdAt), recordColumns, records);
      if (moves.length > 0) await copy('open_item_moves', moveColumns, moves);
      await client.query('commit');
      client.release();
    } catch (error) {
      // Whatever state the connection is in, it is not used again.
      client.release(true);
      throw error;
    }
  },
});
