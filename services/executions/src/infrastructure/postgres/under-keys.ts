/** What there is of many records, by the keys that exceptions and open items have of them. */
import { type RawBuilder, sql } from 'kysely';

const keysTogether = 10_000;

/**
 * What there is under these keys. Given as values, in place of a join: where the planner does not know yet how many of them the job has, it
 * would go through all that the job has for each.
 */
export const underKeys = async <Row>(
  keys: Iterable<string>,
  find: (isOneOf: RawBuilder<boolean>) => Promise<readonly Row[]>,
): Promise<Row[]> => {
  const all = [...keys];
  const rows: Row[] = [];
  for (let from = 0; from < all.length; from += keysTogether)
    rows.push(...(await find(sql<boolean>`record_key = any(${all.slice(from, from + keysTogether)}::text[])`)));
  return rows;
};
