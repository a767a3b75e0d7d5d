/** The order that nearly every list has: by when its rows were made, or another time they have, newest first, and by id where that is the same. */
import { type SelectQueryBuilder, sql } from 'kysely';
import { type Cursors, type Page, toPage } from './pagination.ts';

export interface NewestFirst {
  readonly cursors: Cursors;
  /** What the cursor is tied to: the list with its filters. */
  readonly list: string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

const madeAt = 'created_at';

/** Days are text. */
type Dated<Time extends string> = Readonly<Record<Time, Date | string>> & { readonly id: string };

/** @throws Refusal `validation_failed` for a cursor of another list */
export const newestFirst = async <DB, Table extends keyof DB, Row extends Dated<Time>, Item, Time extends string = typeof madeAt>(
  query: SelectQueryBuilder<DB, Table, Row>,
  { cursors, list, limit, cursor }: NewestFirst,
  item: (row: Row) => Item,
  time: Time = madeAt as Time,
): Promise<Page<Item>> => {
  const column = sql.ref(time);
  const after = cursors.read(list, cursor);
  const rest = after === undefined ? query : query.where(sql<boolean>`(${column}, id) < (${after[0]}, ${after[1]})`);
  const rows = await rest
    .orderBy(column, 'desc')
    .orderBy(sql.ref('id'), 'desc')
    .limit(limit + 1)
    .execute();
  return toPage(rows as Row[], limit, item, (row) => {
    const at: Date | string = row[time];
    return cursors.write(list, [typeof at === 'string' ? at : at.toISOString(), row.id]);
  });
};
