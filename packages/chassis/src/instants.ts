/** Instants as PostgreSQL writes them. */
import { createRequire } from 'node:module';

const pg = createRequire(import.meta.url)('pg') as typeof import('pg');

const timestamptz = 1184;
const ofAnyForm = pg.types.getTypeParser(timestamptz, 'text') as (text: string) => Date;

const zero = 48;
const dash = 45;
const pair = (text: string, at: number): number => (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;

/**
 * `2026-11-29 01:52:19.608+00`, in UTC, as nearly all of them are: pages have hundreds, and the library's way with every form that there is
 * takes five times as long. What has another form is left to it. Digits beyond milliseconds are dropped, as it does.
 */
export const parseInstant = (text: string): Date => {
  const end = text.length - 3;
  if (end < 19 || end > 26 || !text.endsWith('+00') || text.charCodeAt(4) !== dash) return ofAnyForm(text);
  const year = pair(text, 0) * 100 + pair(text, 2);
  // Date.UTC takes those for years of the last century.
  if (year < 100) return ofAnyForm(text);
  let ms = 0;
  for (let at = 20, unit = 100; at < Math.min(end, 23); at += 1, unit /= 10) ms += (text.charCodeAt(at) - zero) * unit;
  return new Date(Date.UTC(year, pair(text, 5) - 1, pair(text, 8), pair(text, 11), pair(text, 14), pair(text, 17), ms));
};
