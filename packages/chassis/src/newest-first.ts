/** The order that nearly every list has: by when its rows were made, newest first, and by id where that was at the same moment. */
import { type SelectQueryBuilder, sql } from 'kysely';
import { type Cursors, type Page, toPage } from './pagination.ts';

export interface NewestFirst {
  readonly cursors: Cursors;
  /** What the cursor is tied to: the list with its filters. */
  readonly list: string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

interface Dated {
  readonly created_at: Date;
  readonly id: string;
}

/** @throws Refusal `validation_failed` for a cursor of another list */
export const newestFirst = async <DB, Table extends keyof DB, Row extends Dated, Item>(
  query: SelectQueryBuilder<DB, Table, Row>,
  { cursors, list, limit, cursor }: NewestFirst,
  item: (row: Row) => Item,
): Promise<Page<Item>> => {
  const after = cursors.read(list, cursor);
  const rest = after === undefined ? query : query.where(sql<boolean>`(created_at, id) < (${after[0]}::timestamptz, ${after[1]})`);
  const rows = await rest
    .orderBy(sql.ref('created_at'), 'desc')
    .orderBy(sql.ref('id'), 'desc')
    .limit(limit + 1)
    .execute();
  return toPage(rows as Row[], limit, item, (row) => cursors.write(list, [row.created_at.toISOString(), row.id]));
};
