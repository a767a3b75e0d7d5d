/** Writes results by COPY into the month's partition, which only the system role may touch. Every row carries its epoch. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { faultPoint } from '@settler/chassis/faults';
import { newId } from '@settler/chassis/ids';
import type { Postgres } from '@settler/chassis/postgres';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { carriesForward } from '@settler/contracts/rules';
import { sql } from 'kysely';
import { from as copyFrom } from 'pg-copy-streams';
import type { HeldExecution, MatchedResult, ResultWriter } from '../../application/ports.ts';
import { partition } from './partition.ts';
import { keyOfOne } from './record-key.ts';
import type { Database } from './tables.ts';

const resultColumns =
  'created_at, id, organization_id, execution_id, epoch, position, outcome, pass, cardinality, score, margin, delta, category, reason, line, due_on, conditions, source, target, amount_max, search';
const recordColumns = 'created_at, organization_id, execution_id, epoch, side, currency, amount_minor, outcome, pass, carried';
const moveColumns = 'execution_id, epoch, identity, side, occurrence, outcome, record, record_key';

/** A field of COPY's text format: NUL cannot be stored as text, the rest is escaped. */
const field = (value: unknown): string => {
  if (value === null || value === undefined) return '\\N';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replaceAll('\0', '\u{fffd}').replaceAll(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
};
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const line = (values: readonly unknown[]): string => `${values.map(field).join('\t')}\n`;

// PostgreSQL's jsonb refuses NUL and lone surrogates, which JSON can spell.
const storable = (value: unknown): string => JSON.stringify(value).replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, '\\ufffd');

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

  write: async (held, results, firstPosition) => {
    const client = await postgres.systemPool.connect();
    try {
      await client.query('begin');
      // The rows belong to this epoch only while this lease is held; a later claim would delete them again.
      const { rowCount } = await client.query('select 1 from executions where id = $1 and lease_epoch = $2 for key share', [
        held.id,
        held.epoch,
      ]);
      if (rowCount === 0) throw new Error('the lease was lost');
      const copy = (table: string, columns: string, lines: readonly string[]) =>
        // In one piece: a line at a time, each would be a message and a write of its own.
        pipeline(Readable.from([Buffer.from(lines.join(''))]), client.query(copyFrom(`copy ${table} (${columns}) from stdin`)));
      await copy(
        partition('results', held.createdAt),
        resultColumns,
        results.map((result, index) => resultLine(held, result, firstPosition + index)),
      );
      faultPoint('executions.mid-copy');
      await copy(
        partition('result_records', held.createdAt),
        recordColumns,
        results.flatMap((result) => recordLines(held, result)),
      );
      const moves = results.flatMap((result) => moveLines(held, result));
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

const head = ({ organizationId, id, epoch }: HeldExecution) => [organizationId, id, epoch];

const resultLine = (held: HeldExecution, result: MatchedResult, position: number): string => {
  const records = [...result.source, ...result.target];
  const amounts = records.flatMap(({ amountMinor, currency }) =>
    amountMinor === null ? [] : [[amountMinor < 0n ? -amountMinor : amountMinor, exponentOf(currency)] as const],
  );
  const largest = amounts.reduce<readonly [bigint, number] | undefined>(
    (most, amount) => (most === undefined || amount[0] > most[0] ? amount : most),
    undefined,
  );
  return line([
    held.createdAt.toISOString(),
    newId('result'),
    ...head(held),
    position,
    result.outcome,
    result.pass,
    result.cardinality,
    result.score,
    result.margin,
    result.delta === null ? null : storable(result.delta),
    result.category,
    result.reason,
    result.line,
    result.dueOn ?? null,
    storable(result.conditions),
    storable(result.source.map(({ record }) => record)),
    storable(result.target.map(({ record }) => record)),
    largest === undefined ? null : fromMinor(largest[0], largest[1]),
    searchText(records.map(({ record }) => record)),
  ]);
};

const searchText = (records: readonly Readonly<Record<string, unknown>>[]): string =>
  records
    .flatMap((record) => [record['id'], record['reference'], record['counterparty'], record['description']])
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .join(' ')
    .toLowerCase()
    .slice(0, 2_000);

const recordLines = (held: HeldExecution, { outcome, pass, source, target }: MatchedResult): string[] => {
  const lines = (side: string, records: MatchedResult['source']) =>
    records.map(({ currency, amountMinor, carried }) =>
      line([held.createdAt.toISOString(), ...head(held), side, currency, amountMinor, outcome, pass, carried]),
    );
  return [...lines('source', source), ...lines('target', target)];
};

const moveLines = ({ id, epoch, definition }: HeldExecution, { outcome, source, target }: MatchedResult): string[] => {
  if (!carriesForward(definition.rules)) return [];
  const lines = (side: 'source' | 'target', records: MatchedResult['source']) =>
    records.flatMap(({ openItem, record }) =>
      openItem === undefined
        ? []
        : [line([id, epoch, openItem.identity, side, openItem.occurrence, outcome, storable(record), keyOfOne(side, record)])],
    );
  return [...lines('source', source), ...lines('target', target)];
};
