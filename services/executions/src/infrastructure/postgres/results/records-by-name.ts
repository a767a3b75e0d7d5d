/** The records of a run that ends, looked for by what they are known by. */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import type { Side } from '../../../domain/side.ts';
import type { Database } from '../tables.ts';
import { resultPartition } from './partition.ts';

type Trx = Transaction<Database>;

/** What a record is known by, in whichever order its fields are stored. */
export const nameOf = (record: RawBuilder<unknown>) => sql`coalesce(${record} ->> 'id', (${record})::jsonb::text)`;

/** The key of an exception or an open item, without which of those that say the same it is about. */
export const withoutNumber = (key: RawBuilder<unknown>) => sql`regexp_replace(${key}, '#[0-9]{1,9}$', '')`;

/**
 * Each record of the run that may be called so. Hardly any is wanted. Given as values, the names are looked up in a table before a result is
 * taken apart, and each side of it is read once for that. With a million results this saves at least a third of the time.
 */
export const recordsNamed = (held: HeldExecution, names: readonly string[], places: RawBuilder<unknown>): RawBuilder<unknown> => {
  const recordsOf = (side: Side) => {
    const records = sql`${sql.ref(side)}::json`;
    return sql`
    select outcome, pass, exception_id, position, ${side} as side, ${nameOf(sql`record`)} as name
      from ${sql.table(resultPartition(held.createdAt))} cross join json_array_elements(${records}) as r(record)
     where execution_id = ${held.id} and created_at = ${held.createdAt} and ${places}
       and (coalesce(${records} #>> '{0,id}', (${records} -> 0)::jsonb::text) = any(${names}::text[])
            or cardinality is distinct from 'one-to-one' and json_array_length(${records}) > 1)`;
  };
  return sql`(${recordsOf('source')} union all ${recordsOf('target')})`;
};

/** Just after a COPY nothing is known of what was copied: the planner would go through all that is wanted once for each row of it. */
export const withoutLoops = async <Found>(trx: Trx, read: () => Promise<Found>): Promise<Found> => {
  await sql`select set_config('enable_nestloop', 'off', true)`.execute(trx);
  const found = await read();
  await sql`select set_config('enable_nestloop', 'on', true)`.execute(trx);
  return found;
};
