/** Which day an instant or a written date is. */
import { quoted, type Unreadable } from './unreadable.ts';

/** What was written: a wall time, and its offset from UTC in minutes where one was written too. */
export type WrittenTime = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly offsetMinutes: number | undefined;
};

/** `Z`, `UTC`, `+02`, `+0200` or `+02:00`, in minutes. More than 59 minutes past the hour is no offset: `NaN`, which `dayOf` refuses. */
export const readOffset = (text: string): number => {
  if (!/^[+-]/.test(text)) return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', ''))];
  const total = minutes > 59 ? Number.NaN : hours * 60 + minutes;
  return text.startsWith('-') ? -total : total;
};

const dayMs = 86_400_000;
const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const dayExists = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= (month === 2 && isLeap(year) ? 29 : (daysIn[month - 1] ?? 0));

const exists = ({ year, month, day, hour, minute, second, offsetMinutes = 0 }: WrittenTime): boolean =>
  dayExists(year, month, day) && hour <= 23 && minute <= 59 && second <= 59 && Math.abs(offsetMinutes) <= 18 * 60;

// The years that contracts' `day` knows; what lies outside them is a typing error or a placeholder.
const inRange = (year: number): boolean => year >= 1900 && year <= 2999;

/** Days since 1970-01-01. Undefined where there is no such day, or none that is taken. */
export const dayNumber = (year: number, month: number, day: number): number | undefined => {
  if (!inRange(year) || !dayExists(year, month, day)) return undefined;
  // Years begin in March, so that the day that not every year has is the last of one.
  const shifted = month <= 2 ? year - 1 : year;
  const daysBefore = Math.floor((153 * ((month + 9) % 12) + 2) / 5);
  return shifted * 365 + Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400) + daysBefore + day - 719_469;
};

const isoDay = (year: number, month: number, day: number): string =>
  `${year}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`;

/**
 * The day as `yyyy-MM-dd`. An instant (a time with an offset) counts on its day in `zone`, UTC without one. A wall time
 * without an offset is already in the zone that its writer meant, so the day that is written counts.
 */
export const dayOf = (cell: string, written: WrittenTime, zone: ZoneOffset | undefined): string | Unreadable => {
  if (!exists(written)) return { reason: `${quoted(cell)} is not a date that exists` };
  const { year, month, day, hour, minute, second, offsetMinutes } = written;
  if (!inRange(year)) return { reason: `${quoted(cell)} is not between 1900-01-01 and 2999-12-31` };
  if (offsetMinutes === undefined) return isoDay(year, month, day);
  const instant = Date.UTC(year, month - 1, day, hour, minute, second) - offsetMinutes * 60_000;
  const local = new Date(instant + (zone === undefined ? 0 : zone(instant)));
  if (!inRange(local.getUTCFullYear())) return { reason: `${quoted(cell)} is not between 1900-01-01 and 2999-12-31` };
  return isoDay(local.getUTCFullYear(), local.getUTCMonth() + 1, local.getUTCDate());
};

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
export type ZoneOffset = (instant: number) => number;

export const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    // RangeError is the only way Intl has of saying that it does not know the zone.
    return false;
  }
};

/**
 * Asking Intl takes microseconds per instant, which a million rows would feel. A UTC day that begins and ends with the same
 * offset has it throughout, so almost every instant is answered from the memory of its day; at most one entry per day of the calendar.
 */
export const zoneOffset = (timeZone: string): ZoneOffset => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const ask = (instant: number): number => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  };
  const steady = new Map<number, number | undefined>();
  return (instant) => {
    const day = Math.floor(instant / dayMs);
    if (!steady.has(day)) {
      const [first, last] = [ask(day * dayMs), ask((day + 1) * dayMs)];
      steady.set(day, first === last ? first : undefined);
    }
    return steady.get(day) ?? ask(instant);
  };
};
