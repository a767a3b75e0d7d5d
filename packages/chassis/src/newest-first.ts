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
  page: NewestFirst,
  item: (row: Row) => Item,
  time: Time = madeAt as Time,
): Promise<Page<Item>> => pageOf(await rowsOf(query, page, time), page, item, time);

/**
 * Of several lists the one that they are together. Each is read in its order from its own index, and no further than a page goes: asked for
 * at once, all of them would be read, and sorted, before the first is told.
 * @throws as `newestFirst`
 */
export const newestOfEach = async <DB, Table extends keyof DB, Row extends Dated<typeof madeAt>, Item>(
  queries: readonly SelectQueryBuilder<DB, Table, Row>[],
  page: NewestFirst,
  item: (row: Row) => Item,
): Promise<Page<Item>> => {
  // Sent together: none of them needs an answer of another.
  const rows = (await Promise.all(queries.map((query) => rowsOf(query, page, madeAt)))).flat();
  return pageOf(rows.sort(newerFirst).slice(0, page.limit + 1), page, item, madeAt);
};

const newerFirst = (one: Dated<typeof madeAt>, other: Dated<typeof madeAt>): number => {
  const [at, otherAt] = [one[madeAt].valueOf(), other[madeAt].valueOf()];
  if (at !== otherAt) return at < otherAt ? 1 : -1;
  return one.id < other.id ? 1 : -1;
};

const textOf = (at: Date | string): string => (typeof at === 'string' ? at : at.toISOString());

const rowsOf = async <DB, Table extends keyof DB, Row extends Dated<Time>, Time extends string>(
  query: SelectQueryBuilder<DB, Table, Row>,
  { cursors, list, limit, cursor }: NewestFirst,
  time: Time,
): Promise<Row[]> => {
  const column = sql.ref(time);
  const after = cursors.read(list, cursor);
  const rest = after === undefined ? query : query.where(sql<boolean>`(${column}, id) < (${after[0]}, ${after[1]})`);
  const rows = await rest
    .orderBy(column, 'desc')
    .orderBy(sql.ref('id'), 'desc')
    .limit(limit + 1)
    .execute();
  return rows as Row[];
};

const pageOf = <Row extends Dated<Time>, Item, Time extends string>(
  rows: Row[],
  { cursors, list, limit }: NewestFirst,
  item: (row: Row) => Item,
  time: Time,
): Page<Item> => toPage(rows, limit, item, (row) => cursors.write(list, [textOf(row[time]), row.id]));
