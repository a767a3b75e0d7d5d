import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** An id with one of `%,|` in it could be taken for several ids, or for those of two sides: it is written so that it cannot. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  const written = (id: string): string => `replace(replace(replace(${id}, '%', '%25'), ',', '%2C'), '|', '%7C')`;
  const ofOne = (table: string, id: string): string => `
    -- Its own policies would hide all of them from their owner.
    alter table ${table} no force row level security;
    update ${table} set record_key = regexp_replace(record_key, ':.*$', ':') || ${written(id)}
     where ${id} ~ '[%,|]' and record_key in ('source:' || ${id}, 'target:' || ${id}) and length(${written(id)}) < 900;
    alter table ${table} force row level security;`;
  await statements(
    db,
    [
      ofOne('open_items', `(record::jsonb ->> 'id')`),
      ofOne('match_records', `(record::jsonb ->> 'id')`),
      ofOne('exceptions', `(case jsonb_array_length(records) when 1 then records -> 0 ->> 'id' end)`),
    ].join('\n'),
  );
};
