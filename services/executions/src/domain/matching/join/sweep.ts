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
  const reach = createReach(grid, day);
  for (const [place, currency] of sources.currencies.entries()) {
    // Different currencies never match. A record without one has no amount either, so it may meet any.
    const met = targets.currencies.flatMap((other, index) => (other === currency || other === 0 || currency === 0 ? [index] : []));
    for (let lane = 0; lane < grid.lanesPerCurrency; lane += 1) {
      const ours = laneAt(sources, place * grid.lanesPerCurrency + lane);
      if (ours.start === ours.end) continue;
      const { first, last } = reach.of(sources, ours, lane);
      for (const other of met) {
        for (let index = first; index <= last; index += 1) {
          const theirs = laneAt(targets, other * grid.lanesPerCurrency + index);
          if (theirs.start === theirs.end) continue;
          const days = reach.within(index);
          if (amount === undefined) meetByDay(sources, ours, targets, theirs, days, pair);
          else meetByAmount(sources, ours, targets, theirs, days, pair);
        }
      }
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

interface Lane {
  readonly start: number;
  readonly end: number;
}

const laneAt = ({ starts }: Lanes, index: number): Lane => ({ start: starts[index] as number, end: starts[index + 1] as number });

/** By the source's day in its lane, the first and the last day that it accepts, as days in the target's lane; they may lie outside it. */
interface ReachedDays {
  readonly daysPerLane: number;
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** How far the days of one lane after another reach. */
const createReach = ({ firstDay, daysPerLane, lanesPerCurrency }: LaneGrid, day: DayBand | undefined) => {
  const laneOf = (one: number): number => Math.min(lanesPerCurrency - 1, Math.max(0, Math.floor((one - firstDay) / daysPerLane)));
  const [firstDays, lastDays] = [new Int32Array(daysPerLane), new Int32Array(daysPerLane)];
  const within: ReachedDays = { daysPerLane, first: new Int32Array(daysPerLane), last: new Int32Array(daysPerLane) };
  const isKnown = new Uint8Array(daysPerLane);

  return {
    /** The first and the last lane that sources of this one reach. */
    of: ({ dayInLane }: Lanes, { start, end }: Lane, lane: number): { readonly first: number; readonly last: number } => {
      const laneDay = firstDay + lane * daysPerLane;
      let first = Number.POSITIVE_INFINITY;
      let last = Number.NEGATIVE_INFINITY;
      isKnown.fill(0);
      for (let at = start; at < end; at += 1) {
        const offset = dayInLane[at] as number;
        if (isKnown[offset] === 1) continue;
        isKnown[offset] = 1;
        const range = day === undefined ? { first: firstDay, last: firstDay } : day.rangeOf(laneDay + offset);
        firstDays[offset] = range.first;
        lastDays[offset] = range.last;
        first = Math.min(first, range.first);
        last = Math.max(last, range.last);
      }
      return { first: laneOf(first), last: laneOf(last) };
    },
    /** The same array for every lane, filled anew. */
    within: (lane: number): ReachedDays => {
      const laneDay = firstDay + lane * daysPerLane;
      for (let offset = 0; offset < daysPerLane; offset += 1) {
        within.first[offset] = (firstDays[offset] as number) - laneDay;
        within.last[offset] = (lastDays[offset] as number) - laneDay;
      }
      return within;
    },
  };
};

/** Sources come in the order of the least that they accept, so that the window in the other lane only moves forwards. */
const meetByAmount = (
  { lows: leasts, highs, order, rows, dayInLane }: Lanes,
  { start, end }: Lane,
  targets: Lanes,
  theirs: Lane,
  { daysPerLane, first: firstDays, last: lastDays }: ReachedDays,
  pair: Pair,
): void => {
  const { lows: amounts, order: otherOrder, rows: otherRows, dayInLane: otherDays } = targets;
  const beyond = theirs.end;
  let begin = theirs.start;
  for (let at = start; at < end; at += 1) {
    const place = order[at] as number;
    const offset = dayInLane[place] as number;
    const first = firstDays[offset] as number;
    const last = lastDays[offset] as number;
    if (last < 0 || first >= daysPerLane) continue;
    const least = leasts[at] as number;
    while (begin < beyond && (amounts[begin] as number) < least) begin += 1;
    if (begin === beyond) return;
    const most = highs[place] as number;
    for (let target = begin; target < beyond && (amounts[target] as number) <= most; target += 1) {
      const other = otherOrder[target] as number;
      // Below zero it is beyond all.
      if (((otherDays[other] as number) - first) >>> 0 <= last - first) pair(rows[place] as number, otherRows[other] as number);
    }
  }
};

const meetByDay = (
  { rows, dayInLane }: Lanes,
  { start, end }: Lane,
  targets: Lanes,
  theirs: Lane,
  { first: firstDays, last: lastDays }: ReachedDays,
  pair: Pair,
): void => {
  const { rows: otherRows, dayInLane: otherDays } = targets;
  for (let at = start; at < end; at += 1) {
    const offset = dayInLane[at] as number;
    const first = firstDays[offset] as number;
    const last = lastDays[offset] as number;
    for (let target = theirs.start; target < theirs.end; target += 1) {
      const day = otherDays[target] as number;
      if (day >= first && day <= last) pair(rows[at] as number, otherRows[target] as number);
    }
  }
};
