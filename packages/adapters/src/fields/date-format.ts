/** Date patterns in Unicode tokens (UTS 35), compiled once per read. Month and weekday names are English. */
import { readOffset, type WrittenTime } from './day.ts';

type Part = 'year' | 'shortYear' | 'month' | 'monthName' | 'day' | 'hour' | 'halfDayHour' | 'halfDay' | 'minute' | 'second' | 'offset';

const tokens: Readonly<Record<string, readonly [pattern: string, part?: Part]>> = {
  yyyy: ['[0-9]{4}', 'year'],
  yy: ['[0-9]{2}', 'shortYear'],
  MMMM: ['[A-Za-z]{3,9}', 'monthName'],
  MMM: ['[A-Za-z]{3}', 'monthName'],
  MM: ['[0-9]{2}', 'month'],
  M: ['[0-9]{1,2}', 'month'],
  dd: ['[0-9]{2}', 'day'],
  d: ['[0-9]{1,2}', 'day'],
  EEEE: ['[A-Za-z]{6,9}'],
  EEE: ['[A-Za-z]{3}'],
  HH: ['[0-9]{2}', 'hour'],
  H: ['[0-9]{1,2}', 'hour'],
  hh: ['[0-9]{2}', 'halfDayHour'],
  h: ['[0-9]{1,2}', 'halfDayHour'],
  a: ['[AaPp][Mm]', 'halfDay'],
  mm: ['[0-9]{2}', 'minute'],
  ss: ['[0-9]{2}', 'second'],
  S: ['[0-9]'],
  SSS: ['[0-9]{3}'],
  SSSSSS: ['[0-9]{6}'],
  X: ['Z|[+-][0-9]{2}(?:[0-9]{2})?', 'offset'],
  XX: ['Z|[+-][0-9]{4}', 'offset'],
  XXX: ['Z|[+-][0-9]{2}:[0-9]{2}', 'offset'],
  Z: ['[+-][0-9]{4}', 'offset'],
};

const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];

// Other libraries' spellings of ours; in UTS 35 they are the week's year and the day of the year.
const misspelt: Readonly<Record<string, string>> = { YYYY: 'yyyy', YY: 'yy', DD: 'dd', D: 'd' };

const strftime: Readonly<Record<string, string>> = { d: 'dd', m: 'MM', Y: 'yyyy', y: 'yy', H: 'HH', M: 'mm', S: 'ss', b: 'MMM', B: 'MMMM' };

/** A format of strftime as we write it, where all of it can be. */
const inOurTokens = (format: string): string | undefined => {
  const meant = format.replaceAll(/%([A-Za-z])/g, (whole, letter: string) => strftime[letter] ?? whole);
  return meant === format || meant.includes('%') ? undefined : meant;
};

export type DateFormat = { readonly read: (text: string) => WrittenTime | undefined };

/** Refused with a reason: an unknown token, a part twice, or a pattern that does not say year, month and day. */
export const compileDateFormat = (format: string): DateFormat | { readonly problem: string } => {
  const parts: Part[] = [];
  let pattern = '';
  for (const [piece] of format.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z]/g)) {
    if (piece === "'") return { problem: 'has a quote that is not closed' };
    if (!/^[A-Za-z]/.test(piece)) {
      pattern += literal(piece).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
      continue;
    }
    const [expression, part] = tokens[piece] ?? [];
    if (expression === undefined) {
      const meant = misspelt[piece] ?? inOurTokens(format);
      return { problem: `has an unknown token ${piece}${meant === undefined ? '' : `: write ${meant}`}` };
    }
    pattern += part === undefined ? `(?:${expression})` : `(${expression})`;
    if (part !== undefined) parts.push(part);
  }
  const problem = missing(parts);
  return problem === undefined ? { read: reading(new RegExp(`^${pattern}$`), parts) } : { problem };
};

const literal = (piece: string): string => (piece.startsWith("'") ? piece.slice(1, -1).replaceAll("''", "'") || "'" : piece);

const missing = (parts: readonly Part[]): string | undefined => {
  if (new Set(parts).size !== parts.length) return 'says the same thing twice';
  const has = (...wanted: Part[]) => parts.filter((part) => wanted.includes(part)).length === 1;
  if (!has('year', 'shortYear')) return 'needs one of yyyy and yy';
  if (!has('month', 'monthName')) return 'needs one of MM, M, MMM and MMMM';
  if (!has('day')) return 'needs one of dd and d';
  if (parts.includes('halfDayHour') !== parts.includes('halfDay')) return 'needs hh and a together';
  return undefined;
};

const reading =
  (pattern: RegExp, parts: readonly Part[]) =>
  (text: string): WrittenTime | undefined => {
    const found = pattern.exec(text);
    if (found === null) return undefined;
    let [year, month, day, hour, minute, second] = [0, 0, 0, 0, 0, 0];
    let offsetMinutes: number | undefined;
    let afternoon: boolean | undefined;
    parts.forEach((part, index) => {
      const value = found[index + 1] ?? '';
      switch (part) {
        case 'year':
          year = Number(value);
          break;
        case 'shortYear':
          // As POSIX reads two digits: 69 to 99 are of the last century.
          year = Number(value) + (Number(value) >= 69 ? 1900 : 2000);
          break;
        case 'month':
          month = Number(value);
          break;
        case 'monthName':
          month = monthNamed(value);
          break;
        case 'day':
          day = Number(value);
          break;
        case 'hour':
        case 'halfDayHour':
          hour = Number(value);
          break;
        case 'halfDay':
          afternoon = /^p/i.test(value);
          break;
        case 'minute':
          minute = Number(value);
          break;
        case 'second':
          second = Number(value);
          break;
        case 'offset':
          offsetMinutes = readOffset(value);
          break;
        default:
          part satisfies never;
      }
    });
    // 12 AM is midnight and 12 PM noon; an hour past 12 on such a clock does not exist, and 99 says so to the check of what exists.
    if (afternoon !== undefined) hour = hour < 1 || hour > 12 ? 99 : (hour % 12) + (afternoon ? 12 : 0);
    return { year, month, day, hour, minute, second, offsetMinutes };
  };

// A name that is no month becomes month 0, which does not exist.
const monthNamed = (text: string): number => {
  const name = text.toLowerCase();
  return months.findIndex((month) => month === name || (name.length === 3 && month.startsWith(name))) + 1;
};
