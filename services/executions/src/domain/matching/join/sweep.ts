/**
 * The sweep: pairs whose amounts and dates lie within each other's windows. Both sides lie in lanes sorted by amount; each source's
 * window moves only forwards through the lanes that its days reach. The work grows with rows and pairs, never with their product.
 */
import { giveBackLanes, type LaneGrid, type Lanes, lanesOf } from './lanes.ts';

/** The least and the most amount that a source accepts; NaN of a source without an amount. */
export interface AmountBand {
  readonly sources: Float64Array;
  readonly targets: Float64Array;
  readonly least: (source: number) => number;
  readonly most: (source: number) => number;
}

/** The days that a source of this day accepts. */
export interface DayBand {
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  readonly absent: number;
  readonly rangeOf: (day: number) => DayRange;
}

interface DayRange {
  readonly first: number;
  readonly last: number;
}

export interface Bands {
  readonly amount: AmountBand | undefined;
  readonly day: DayBand | undefined;
  readonly sourceCurrencies: Int32Array;
  readonly targetCurrencies: Int32Array;
}

type Pair = (source: number, target: number) => void;

export const sweep = (bands: Bands, sourceRows: Uint32Array, targetRows: Uint32Array, pair: Pair): void => {
  const { amount, day, sourceCurrencies, targetCurrencies } = bands;
  const grid = gridOf(day, sourceRows, targetRows);
  if (grid === undefined) return;
  const absentDay = day?.absent ?? Number.NaN;
  const ours = { currencies: sourceCurrencies, days: day?.sources, absentDay, low: amount?.least, high: amount?.most };
  const low = amount === undefined ? undefined : (row: number) => amount.targets[row] as number;
  const theirs = { currencies: targetCurrencies, days: day?.targets, absentDay, low, high: undefined };
  const sources = lanesOf(sourceRows, ours, grid);
  const targets = lanesOf(targetRows, theirs, grid);
  const reached = createReached(targets, grid, day);
  for (const [place, currency] of sources.currencies.entries()) {
    // Different currencies never match. A record without one has no amount either, so it may meet any.
    const met = targets.currencies.flatMap((other, index) => (other === currency || other === 0 || currency === 0 ? [index] : []));
    for (let lane = 0; lane < grid.lanesPerCurrency; lane += 1) {
      const start = sources.starts[place * grid.lanesPerCurrency + lane] as number;
      const end = sources.starts[place * grid.lanesPerCurrency + lane + 1] as number;
      if (start === end || !reached.by(sources, start, end, lane, met)) continue;
      if (amount === undefined) reached.byDay(sources, start, end, pair);
      else reached.byAmount(sources, start, end, pair);
    }
  }
  giveBackLanes(sources);
  giveBackLanes(targets);
};

const daysPerLaneMax = 65_536;
const lanesPerRow = 4;
const lanesMin = 256;

/** Lanes about as wide as the window, so that it lies in one or two of them; undefined where no row has a date. */
const gridOf = (day: DayBand | undefined, sourceRows: Uint32Array, targetRows: Uint32Array): LaneGrid | undefined => {
  if (day === undefined) return { firstDay: 0, daysPerLane: 1, lanesPerCurrency: 1 };
  const ours = rangeOfDays(day.sources, sourceRows, day.absent);
  const theirs = rangeOfDays(day.targets, targetRows, day.absent);
  if (ours.last < ours.first || theirs.last < theirs.first) return undefined;
  const [first, last] = [Math.min(ours.first, theirs.first), Math.max(ours.last, theirs.last)];
  const window = Math.max(...[ours.first, ours.last].map((one) => widthOf(day.rangeOf(one))));
  // A single date of the year 9999 must not ask for more lanes than there are rows.
  const lanesMax = Math.max(lanesMin, (sourceRows.length + targetRows.length) * lanesPerRow);
  const daysPerLane = Math.min(daysPerLaneMax, Math.max(1, window, Math.ceil((last - first + 1) / lanesMax)));
  return { firstDay: first, daysPerLane, lanesPerCurrency: Math.floor((last - first) / daysPerLane) + 1 };
};

const widthOf = ({ first, last }: DayRange): number => last - first + 1;

const rangeOfDays = (days: Int32Array, rows: Uint32Array, absent: number): DayRange => {
  // Days are whole numbers of 32 bits, and so are these ends of them: with infinities the loop would run on doubles.
  let first = 2 ** 31 - 1;
  let last = -(2 ** 31);
  for (let index = 0; index < rows.length; index += 1) {
    const day = days[rows[index] as number] as number;
    if (day === absent) continue;
    if (day < first) first = day;
    if (day > last) last = day;
  }
  return { first, last };
};

/**
 * The target lanes that a source lane's days reach, and what its sources find there. Sources come in the order of the least that they
 * accept, so that each lane's window only moves forwards.
 */
const createReached = (targets: Lanes, { firstDay, daysPerLane, lanesPerCurrency }: LaneGrid, dayBand: DayBand | undefined) => {
  const { rows, lows: amounts, order, dayInLane } = targets;
  const laneOf = (one: number): number => Math.min(lanesPerCurrency - 1, Math.max(0, Math.floor((one - firstDay) / daysPerLane)));
  /** By the source's day in its lane. */
  const firstDays = new Int32Array(daysPerLane);
  const lastDays = new Int32Array(daysPerLane);
  const isKnown = new Uint8Array(daysPerLane);
  /** Of each lane its first day, and where its window begins and the lane ends. */
  const laneDays: number[] = [];
  const begins: number[] = [];
  const ends: number[] = [];

  return {
    /** Whether there is any, for the sources from `start` to `end`. */
    by: (sources: Lanes, start: number, end: number, lane: number, currencies: readonly number[]): boolean => {
      const laneDay = firstDay + lane * daysPerLane;
      let first = Number.POSITIVE_INFINITY;
      let last = Number.NEGATIVE_INFINITY;
      isKnown.fill(0);
      for (let at = start; at < end; at += 1) {
        const offset = sources.dayInLane[at] as number;
        if (isKnown[offset] === 1) continue;
        isKnown[offset] = 1;
        const range = dayBand === undefined ? { first: firstDay, last: firstDay } : dayBand.rangeOf(laneDay + offset);
        firstDays[offset] = range.first;
        lastDays[offset] = range.last;
        first = Math.min(first, range.first);
        last = Math.max(last, range.last);
      }
      laneDays.length = begins.length = ends.length = 0;
      for (const currency of currencies) {
        for (let index = laneOf(first); index <= laneOf(last); index += 1) {
          const begin = targets.starts[currency * lanesPerCurrency + index] as number;
          const end = targets.starts[currency * lanesPerCurrency + index + 1] as number;
          if (begin === end) continue;
          laneDays.push(firstDay + index * daysPerLane);
          begins.push(begin);
          ends.push(end);
        }
      }
      return laneDays.length > 0;
    },

    byAmount: (sources: Lanes, start: number, end: number, pair: Pair): void => {
      for (let at = start; at < end; at += 1) {
        const least = sources.lows[at] as number;
        const place = sources.order[at] as number;
        const source = sources.rows[place] as number;
        const most = sources.highs[place] as number;
        const offset = sources.dayInLane[place] as number;
        const first = firstDays[offset] as number;
        const last = lastDays[offset] as number;
        for (let lane = 0; lane < laneDays.length; lane += 1) {
          const laneDay = laneDays[lane] as number;
          if (laneDay > last || laneDay + daysPerLane <= first) continue;
          const beyond = ends[lane] as number;
          let target = begins[lane] as number;
          while (target < beyond && (amounts[target] as number) < least) target += 1;
          begins[lane] = target;
          for (; target < beyond && (amounts[target] as number) <= most; target += 1) {
            const other = order[target] as number;
            const day = laneDay + (dayInLane[other] as number);
            if (day >= first && day <= last) pair(source, rows[other] as number);
          }
        }
      }
    },

    byDay: (sources: Lanes, start: number, end: number, pair: Pair): void => {
      for (let at = start; at < end; at += 1) {
        const offset = sources.dayInLane[at] as number;
        const first = firstDays[offset] as number;
        const last = lastDays[offset] as number;
        for (let lane = 0; lane < laneDays.length; lane += 1) {
          const laneDay = laneDays[lane] as number;
          for (let target = begins[lane] as number; target < (ends[lane] as number); target += 1) {
            const day = laneDay + (dayInLane[target] as number);
            if (day >= first && day <= last) pair(sources.rows[at] as number, rows[target] as number);
          }
        }
      }
    },
  };
};
