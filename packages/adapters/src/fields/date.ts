/** Dates and instants as ISO 8601 writes them, or by a pattern of the mapping, to the ISO day of the wire. */
import { compileDateFormat } from './date-format.ts';
import { dayOf, readOffset, type WrittenTime, zoneOffset } from './day.ts';
import { quoted, type Unreadable } from './unreadable.ts';

export type ReadDate = (cell: string) => string | Unreadable;

// A space for the T, and before the offset, because Stripe writes `2026-04-01 09:30:00` and Shopify `2026-04-01 09:30:00 -0400`.
const iso =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?(?: ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$/i;

const readIso = (text: string): WrittenTime | undefined => {
  // The commonest cell of all, at a third of what the pattern costs.
  if (text.length === 10) return readPlainDay(text);
  const parts = iso.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour = 0, minute = 0, second = 0, offset] = parts;
  return {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    offsetMinutes: offset === undefined ? undefined : readOffset(offset),
  };
};

const readPlainDay = (text: string): WrittenTime | undefined => {
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return undefined;
  let packed = 0;
  for (const index of plainDigits) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    packed = packed * 10 + digit;
  }
  const [year, month, day] = [Math.floor(packed / 10_000), Math.floor(packed / 100) % 100, packed % 100];
  return { year, month, day, hour: 0, minute: 0, second: 0, offsetMinutes: undefined };
};
const plainDigits = [0, 1, 2, 3, 5, 6, 8, 9];

export type DateOptions = {
  readonly format?: string | undefined;
  readonly timezone?: string | undefined;
  /** Whether there is a mapping that could say the format. */
  readonly isMapped?: boolean | undefined;
};

/** `format` must be one that `compileDateFormat` accepts and `timezone` one that Intl knows; the configuration's schema sees to both. */
export const dateReader = ({ format, timezone, isMapped = true }: DateOptions = {}): ReadDate => {
  const compiled = format === undefined ? undefined : compileDateFormat(format);
  if (compiled !== undefined && 'problem' in compiled) throw new Error(compiled.problem);
  const zone = timezone === undefined ? undefined : zoneOffset(timezone);
  const read = compiled?.read ?? readIso;
  const hint = isMapped ? '; give the mapping a "format"' : '';
  const expected = format === undefined ? `an ISO date such as 2026-04-01${hint}` : `a date written as ${format}`;
  return (cell) => {
    const written = read(cell.trim());
    return written === undefined ? { reason: `${quoted(cell)} is not ${expected}` } : dayOf(cell, written, zone);
  };
};
