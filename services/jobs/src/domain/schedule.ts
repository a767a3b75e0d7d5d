/**
 * When a job runs by itself. The five fields name times of the clock on the wall of one time zone; croner says which ones, and knows no
 * zone: what daylight saving does to them is decided here, because croner 11.0.1 decides it by the form of the pattern (it drops
 * `15,45 2 * * *` where it moves `30 2 * * *`, and runs it four times when the hour repeats).
 *
 *   a time that the clock skips   runs at the first moment after
 *   a time that comes twice       runs once, the first time
 *   every hour (`*`)              is each hour that passes: those that come twice run twice, those that are skipped do not run
 */
import { Cron } from 'croner';

export type Misfire = 'skip' | 'run-once';

export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly misfire: Misfire;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** No clock that is set back repeats more than this. */
const repeatedMsMax = 3 * 60 * minuteMs;

/** What is wrong with a schedule, in words for the caller. */
export const scheduleFault = ({
  cron,
  timezone,
}: Pick<Schedule, 'cron' | 'timezone'>): { field: 'cron' | 'timezone'; message: string } | undefined => {
  const fields = cron.trim().split(/\s+/);
  if (cron.trim() === '') return { field: 'cron', message: 'must not be empty: minute, hour, day of the month, month, day of the week' };
  if (fields.length === 6) return { field: 'cron', message: 'has six fields: seconds are not supported, a job runs at most once a minute' };
  if (fields.length !== 5)
    return { field: 'cron', message: 'must have five fields: minute, hour, day of the month, month, day of the week' };
  if (!fields.every((field) => /^[\w*,/#-]+$/.test(field))) return { field: 'cron', message: 'holds a character that no field may have' };
  try {
    if (wallTimes(cron).nextRun(new Date(0)) === null) return { field: 'cron', message: 'names a day that never comes' };
  } catch (error) {
    return { field: 'cron', message: cronFault(error) };
  }
  if (!isZone(timezone)) return { field: 'timezone', message: 'must be a time zone of the IANA database, such as Europe/Berlin or UTC' };
  return undefined;
};

/** By croner's names. It counts days and months from 0, and says so to people who count from 1. */
const values: Readonly<Record<string, string>> = {
  minute: 'a minute that is not 0 to 59',
  hour: 'an hour that is not 0 to 23',
  day: 'a day of the month that is not 1 to 31',
  month: 'a month that is not 1 to 12',
  dayOfWeek: 'a day of the week that is not 0 to 7',
};

const cronFault = (error: unknown): string => {
  const said = error instanceof Error ? error.message.replace(/^CronPattern: (Syntax error, )?/, '') : '';
  const value = values[/^Invalid value for (\w+)/.exec(said)?.[1] ?? ''];
  if (value !== undefined) return `has ${value}`;
  if (said.startsWith('From value is larger')) return 'has a range that ends before it begins';
  return said === '' ? 'cannot be read' : `cannot be read: ${said}`;
};

const isZone = (timezone: string): boolean => {
  if (!/^[A-Za-z]/.test(timezone)) return false;
  try {
    formatOf(timezone);
    return true;
  } catch {
    return false;
  }
};

/** The first moment after `after` at which the schedule is due; null where there is none. @throws where `scheduleFault` finds a fault */
export const nextDue = ({ cron, timezone }: Schedule, after: Date): Date | null => {
  const walls = wallTimes(cron);
  const start = after.getTime();
  const local = start + offsetAt(timezone, start);
  if (cron.trim().split(/\s+/)[1] !== '*') return firstAfter(walls, local, start, (wall) => momentsOf(timezone, wall).first);
  const once = firstAfter(walls, local, start, (wall) => momentsOf(timezone, wall).hourly[0]);
  // Near a change alone, times that are behind on the clock may still be to come.
  const isNearChange = offsetAt(timezone, start - repeatedMsMax) !== offsetAt(timezone, start + repeatedMsMax);
  const again = firstAfter(walls, isNearChange ? local - repeatedMsMax : local, start, (wall) => momentsOf(timezone, wall).hourly.at(-1));
  return once === null || again === null || once < again ? once : again;
};

const firstAfter = (walls: Cron, from: number, after: number, momentOf: (wall: number) => number | undefined): Date | null => {
  for (let wall = walls.nextRun(new Date(from)); wall !== null; wall = walls.nextRun(wall)) {
    const moment = momentOf(wall.getTime());
    if (moment !== undefined && moment > after) return new Date(moment);
  }
  return null;
};

/** Walls are written as if they were UTC, which has no daylight saving. */
const wallTimes = (cron: string): Cron => new Cron(cron.trim(), { mode: '5-part', timezone: 'UTC', paused: true });

/** The moments at which the clock shows a time: one, two, or none and then the first moment after it. */
const momentsOf = (timezone: string, wall: number): { readonly first: number; readonly hourly: readonly number[] } => {
  const before = offsetAt(timezone, wall - dayMs);
  const after = offsetAt(timezone, wall + dayMs);
  const shown = [...new Set([wall - before, wall - after])]
    .sort((one, other) => one - other)
    .filter((moment) => moment + offsetAt(timezone, moment) === wall);
  const [first] = shown;
  if (first !== undefined) return { first, hourly: shown };
  // The clock jumps over it: between what both offsets make of it lies the jump.
  let [early, late] = [wall - Math.max(before, after), wall - Math.min(before, after)];
  while (late - early > minuteMs) {
    const middle = early + Math.floor((late - early) / 2 / minuteMs) * minuteMs;
    if (middle + offsetAt(timezone, middle) < wall) early = middle;
    else late = middle;
  }
  return { first: late, hourly: [] };
};

const formats = new Map<string, Intl.DateTimeFormat>();
const formatsMax = 1_000;

const formatOf = (timezone: string): Intl.DateTimeFormat => {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const numeric = 'numeric';
  const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric } as const;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, hourCycle: 'h23', ...fields });
  if (formats.size < formatsMax) formats.set(timezone, format);
  return format;
};

/** How far the clock of a zone is ahead of UTC, in ms. */
const offsetAt = (timezone: string, moment: number): number => {
  const parts = Object.fromEntries(
    formatOf(timezone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts as Record<string, number>;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
};

export interface Fire {
  readonly runs: boolean;
  readonly nextRunAt: Date | null;
  /** Whether due times went by without a run: this one, or others between it and now. */
  readonly missed: boolean;
}

/** What to do about a due time that has come. Later than `graceMs`, it was missed: `skip` lets it go, `run-once` runs once for all. */
export const fire = (schedule: Schedule, dueAt: Date, now: Date, graceMs: number): Fire => {
  const isLate = now.getTime() - dueAt.getTime() > graceMs;
  const following = nextDue(schedule, dueAt);
  return {
    runs: !isLate || schedule.misfire === 'run-once',
    nextRunAt: nextDue(schedule, now),
    missed: (isLate && schedule.misfire === 'skip') || (following !== null && following <= now),
  };
};
