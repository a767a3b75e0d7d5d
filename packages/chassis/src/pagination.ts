/** Lists: newest first, behind opaque cursors that cannot be altered and stay put when rows are inserted. */
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Refusal } from './refusal.ts';

/** A number within a URL, as people write it: `1e2`, `0x10` and ` 7` are none. */
export const wholeNumber = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text),
    z.int({ error }).min(least, { error }).max(most, { error }),
  );
};

export const pageQuery = {
  limit: wholeNumber(1, 200).default(50).describe('How many items to return at most: 1 to 200, and 50 where it is absent.'),
  cursor: z
    .string()
    .max(500)
    .optional()
    .describe('Where to go on: `nextCursor` of the page before, with the same filters. Absent for the first page.'),
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item).describe('The items of this page.'),
    nextCursor: z
      .string()
      .nullable()
      .describe('The `cursor` of the next page; null where there is none. It stays good when items are added in between.'),
  });

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}

export interface Cursors {
  /** Where a page ended: the sort key of its last row. `list` ties the cursor to one list and its filters. */
  readonly write: (list: string, position: readonly (string | number)[]) => string;
  /** @throws Refusal `validation_failed` when the cursor is not one that `write` made for this list. */
  readonly read: (list: string, cursor: string | undefined) => readonly (string | number)[] | undefined;
}

export const createCursors = (key: Buffer): Cursors => {
  // As an object: of bytes Node would make one for every page.
  const sealKey = createSecretKey(key);
  const sealed = (list: string, body: string): string => {
    const seal = createHmac('sha256', sealKey).update(`${list}\n${body}`).digest().subarray(0, 12);
    return `${body}.${seal.toString('base64url')}`;
  };
  return {
    write: (list, position) => sealed(list, Buffer.from(JSON.stringify(position)).toString('base64url')),
    read: (list, cursor) => {
      if (cursor === undefined) return undefined;
      const [body = ''] = cursor.split('.', 1);
      // As it is written, and not what it decodes to: that is the same with letters behind it that say nothing.
      const [given, expected] = [Buffer.from(cursor), Buffer.from(sealed(list, body))];
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        const message = 'is not a cursor of this list; use `nextCursor` of the page before, with the same filters';
        throw new Refusal('validation_failed', `cursor: ${message}`, { errors: [{ path: 'cursor', message }] });
      }
      return JSON.parse(Buffer.from(body, 'base64url').toString()) as (string | number)[];
    },
  };
};

/** The page out of `limit + 1` rows: the extra row only says that there is more. */
export const toPage = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursorAfter: (row: Row) => string,
): Page<Item> => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(item), nextCursor: rows.length > limit && last !== undefined ? cursorAfter(last) : null };
};

/** A page of what is in memory as a whole, such as a catalogue: in the order of its names, which a cursor names. */
export const pageByName = <Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  { cursors, list, limit, cursor }: { cursors: Cursors; list: string; limit: number; cursor?: string | undefined },
): Page<Item> => {
  const [after] = cursors.read(list, cursor) ?? [];
  const rest = items
    .filter((item) => after === undefined || nameOf(item) > String(after))
    .sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return toPage(
    rest,
    limit,
    (item) => item,
    (item) => cursors.write(list, [nameOf(item)]),
  );
};
