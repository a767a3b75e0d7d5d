/** A value of bytes from the database as it is. As a result it would come as text, twice as long, and take three times as long. */
import type { Pool } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": a header, and for each row how many fields it has, and their lengths.
const extensionLengthAt = 15;
const headerBytes = 19;
const fieldCountBytes = 2;
const lengthBytes = 4;
const noMoreRows = -1;

/**
 * What the query finds, which is one row of one field that is not null; undefined where it finds none. COPY takes no parameters: `queryOf` is
 * given what makes a literal of a text.
 */
export const copiedBytes = async (pool: Pool, queryOf: (literal: (text: string) => string) => string): Promise<Buffer | undefined> => {
  const client = await pool.connect();
  try {
    const query = queryOf((text) => client.escapeLiteral(text));
    const parts: Buffer[] = await client.query(copyTo(`copy (${query}) to stdout (format binary)`)).toArray();
    const found = firstField(joined(parts));
    client.release();
    return found;
  } catch (error) {
    // Whatever state the connection is in, it is not used again.
    client.release(true);
    throw error;
  }
};

/** In memory that threads share: whoever sends it to another one copies nothing. */
const joined = (parts: readonly Buffer[]): Buffer => {
  const whole = Buffer.from(new SharedArrayBuffer(parts.reduce((sum, { length }) => sum + length, 0)));
  let to = 0;
  for (const part of parts) to += part.copy(whole, to);
  return whole;
};

const firstField = (copied: Buffer): Buffer | undefined => {
  const row = headerBytes + copied.readInt32BE(extensionLengthAt);
  if (copied.readInt16BE(row) === noMoreRows) return undefined;
  const field = row + fieldCountBytes + lengthBytes;
  return copied.subarray(field, field + copied.readInt32BE(row + fieldCountBytes));
};
