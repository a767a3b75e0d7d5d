/**
 * The holidays of payment systems, by the rules that they publish, so that no list has to be kept up to date. Only what a government
 * proclaims for a single year is listed. Before the year in `since` a rule knows of weekends alone.
 */
export interface HolidayRule {
  readonly since: number;
  /** In no particular order. Some may lie on a weekend. */
  readonly holidaysIn: (year: number) => readonly number[];
}

const dayMs = 86_400_000;

export const dayNumber = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date) / dayMs;

/**
 * Days on which TARGET (T2) settles no euro payments: New Year's Day, Good Friday, Easter Monday, 1 May, 25 and 26 December. Decided by
 * the ECB on 15 July 1999 for 2000 and on 14 December 2000 from 2002 "until further notice"; 2001 was the same. TARGET opened on
 * 4 January 1999 and closed that year on 1 January and 25 December alone; the last days of 1999 and 2001 were closed besides, for the
 * change of the millennium and for the euro's notes and coins.
 */
export const targetHolidays: HolidayRule = {
  since: 1999,
  holidaysIn: (year) => {
    const always = [dayNumber(year, 1, 1), dayNumber(year, 12, 25)];
    const once = year === 1999 || year === 2001 ? [dayNumber(year, 12, 31)] : [];
    const sinceThen = [easterSunday(year) - 2, easterSunday(year) + 1, dayNumber(year, 5, 1), dayNumber(year, 12, 26)];
    return year < 2000 ? [...always, ...once] : [...always, ...once, ...sinceThen];
  },
};

/**
 * The public holidays of 5 U.S.C. 6103(a) as the Federal Reserve Banks keep them (Federal Reserve statistical release K.8): a holiday on
 * a Sunday closes them on Monday, one on a Saturday closes nothing. Federal offices are closed on the Friday before such a Saturday, but
 * Fedwire and FedACH settle on it, and a window for payments has to count the days on which payments move. For the same reason neither
 * Inauguration Day, which is a holiday around Washington alone, nor days of mourning that a president orders are in it.
 *
 * Since 1971, when the Uniform Monday Holiday Act took effect. It had Veterans Day on the fourth Monday of October, until 1977;
 * Martin Luther King's birthday is kept since 1986, Juneteenth since 2021.
 */
export const usFederalHolidays: HolidayRule = {
  since: 1971,
  holidaysIn: (year) => [
    orMonday(dayNumber(year, 1, 1)),
    ...(year < 1986 ? [] : [nthMonday(3, year, 1)]),
    nthMonday(3, year, 2),
    lastMonday(year, 5),
    ...(year < 2021 ? [] : [orMonday(dayNumber(year, 6, 19))]),
    orMonday(dayNumber(year, 7, 4)),
    nthMonday(1, year, 9),
    nthMonday(2, year, 10),
    year < 1978 ? nthMonday(4, year, 10) : orMonday(dayNumber(year, 11, 11)),
    // Thanksgiving, the fourth Thursday.
    onOrAfter(dayNumber(year, 11, 22), thursday),
    orMonday(dayNumber(year, 12, 25)),
  ],
};

/**
 * Bank holidays of England and Wales: Good Friday and Christmas Day by custom, those of the Banking and Financial Dealings Act 1971,
 * Schedule 1, and by yearly proclamation New Year's Day and the first Monday in May; the latter since 1978, where this rule begins. Of
 * those with a fixed date, weekdays follow as substitutes for what falls on a weekend.
 */
export const ukBankHolidays: HolidayRule = {
  since: 1978,
  holidaysIn: (year) => {
    const christmas = orWeekday(dayNumber(year, 12, 25));
    return [
      orWeekday(dayNumber(year, 1, 1)),
      easterSunday(year) - 2,
      easterSunday(year) + 1,
      ukMoved.earlyMay[year] ?? nthMonday(1, year, 5),
      ukMoved.spring[year] ?? lastMonday(year, 5),
      lastMonday(year, 8),
      christmas,
      orWeekday(christmas + 1),
      ...(ukOnce[year] ?? []),
    ];
  },
};

/** By proclamation: in May for the anniversaries of the victory of 1945, in spring for the jubilees of Elizabeth II. */
const ukMoved: Record<'earlyMay' | 'spring', Record<number, number>> = {
  earlyMay: { 1995: dayNumber(1995, 5, 8), 2020: dayNumber(2020, 5, 8) },
  spring: { 2002: dayNumber(2002, 6, 4), 2012: dayNumber(2012, 6, 4), 2022: dayNumber(2022, 6, 2) },
};

/** By proclamation: weddings, jubilees, the millennium, a funeral and a coronation. */
const ukOnce: Record<number, readonly number[]> = {
  1981: [dayNumber(1981, 7, 29)],
  1999: [dayNumber(1999, 12, 31)],
  2002: [dayNumber(2002, 6, 3)],
  2011: [dayNumber(2011, 4, 29)],
  2012: [dayNumber(2012, 6, 5)],
  2022: [dayNumber(2022, 6, 3), dayNumber(2022, 9, 19)],
  2023: [dayNumber(2023, 5, 8)],
};

const [monday, thursday, saturday, sunday] = [0, 3, 5, 6];

const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

const onOrAfter = (day: number, weekday: number): number => day + ((weekday - weekdayOf(day) + 7) % 7);

const nthMonday = (nth: number, year: number, month: number): number => onOrAfter(dayNumber(year, month, 7 * nth - 6), monday);

/** Of a month with 31 days. */
const lastMonday = (year: number, month: number): number => onOrAfter(dayNumber(year, month, 25), monday);

const orMonday = (day: number): number => (weekdayOf(day) === sunday ? day + 1 : day);

const orWeekday = (day: number): number => (weekdayOf(day) >= saturday ? onOrAfter(day, monday) : day);

/** In the Gregorian calendar, by the algorithm of Meeus, Jones and Butcher (Meeus, Astronomical Algorithms, chapter 8). */
const easterSunday = (year: number): number => {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const ofCentury = year % 100;
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * golden + century - Math.floor(century / 4) - correction + 15) % 30;
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(ofCentury / 4) - epact - (ofCentury % 4)) % 7;
  const shift = Math.floor((golden + 11 * epact + 22 * weekday) / 451);
  return dayNumber(year, 3, 22 + epact + weekday - 7 * shift);
};
