/**
 * The sweep: pairs whose amounts and dates lie within each other's windows. Both sides lie in lanes sorted by amount; each source's
 * window moves only forwards through the lanes that its days reach. The work grows with rows and pairs, never with their product.
 */
import { noCurrency } from '@settler/contracts/currency-codes';
import { createCurrencyNumbers } from '../columns/currency.ts';
import { giveBackRows, type LaneGrid, type LaneRows, type Lanes, laneRowsOf, lanesOf } from './lanes.ts';
import { type Pair, type SweepMemory, sweepMemory } from './sweep-kernel.ts';

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

export const sweep = (bands: Bands, sourceRows: Uint32Array, targetRows: Uint32Array, pair: Pair): void => {
  const { amount, day, sourceCurrencies, targetCurrencies } = bands;
  const absentDay = day?.absent ?? Number.NaN;
  const low = amount === undefined ? undefined : (row: number) => amount.targets[row] as number;
  const ours = laneRowsOf(sourceRows, {
    currencies: sourceCurrencies,
    days: day?.sources,
    absentDay,
    low: amount?.least,
    high: amount?.most,
  });
  const theirs = laneRowsOf(targetRows, { currencies: targetCurrencies, days: day?.targets, absentDay, low, high: undefined });
  if (areAny(ours) && areAny(theirs)) meetInLanes(bands, ours, theirs, pair);
  giveBackRows(ours);
  giveBackRows(theirs);
};

const areAny = ({ first, last }: LaneRows): boolean => first <= last;

const meetInLanes = ({ amount, day }: Bands, ourRows: LaneRows, theirRows: LaneRows, pair: Pair): void => {
  const grid = gridOf(day, ourRows, theirRows);
  const memory = sweepMemory(ourRows.rows.length, theirRows.rows.length);
  const sources = lanesOf(ourRows, grid, memory.sources);
  const targets = lanesOf(theirRows, grid, memory.targets);
  const reach = createReach(grid, day, memory);
  const placeOf = new Map(targets.currencies.map((currency, place) => [currency, place]));
  for (const [place, currency] of sources.currencies.entries()) {
    // Different currencies never match. A record without one has no amount either, so it may meet any.
    const met = currency === noCurrency ? placeOf.values().toArray() : [currency, noCurrency].flatMap((one) => placeOf.get(one) ?? []);
    for (let lane = 0; lane < grid.lanesPerCurrency; lane += 1) {
      const ours = laneAt(sources, place * grid.lanesPerCurrency + lane);
      if (ours.start === ours.end) continue;
      const { first, last } = reach.of(sources, ours, lane);
      for (const other of met) {
        for (let index = first; index <= last; index += 1) {
          const theirs = laneAt(targets, other * grid.lanesPerCurrency + index);
          if (theirs.start === theirs.end) continue;
          reach.within(index);
          if (amount === undefined) meetByDay(sources, ours, targets, theirs, memory, pair);
          else memory.meet(ours.start, ours.end, theirs.start, theirs.end, grid.daysPerLane, pair);
        }
      }
    }
  }
};

const daysPerLaneMax = 65_536;
const lanesPerRow = 4;
const lanesMin = 256;

/** Lanes about as wide as the window, so that it lies in one or two of them. */
const gridOf = (day: DayBand | undefined, ours: LaneRows, theirs: LaneRows): LaneGrid => {
  if (day === undefined) return { firstDay: 0, daysPerLane: 1, lanesPerCurrency: 1 };
  const [first, last] = [Math.min(ours.first, theirs.first), Math.max(ours.last, theirs.last)];
  const window = Math.max(...[ours.first, ours.last].map((one) => widthOf(day.rangeOf(one))));
  // A single date of the year 9999 must not ask for more lanes than there are rows, however many currencies share them.
  const lanesOfAll = Math.max(lanesMin, (ours.rows.length + theirs.rows.length) * lanesPerRow);
  const areFew = ((last - first) / window + 1) * currenciesMax <= lanesOfAll;
  const lanesMax = areFew ? lanesOfAll : Math.ceil(lanesOfAll / currencyCountOf(ours, theirs));
  const daysPerLane = Math.min(daysPerLaneMax, Math.max(1, window, Math.ceil((last - first + 1) / lanesMax)));
  return { firstDay: first, daysPerLane, lanesPerCurrency: Math.floor((last - first) / daysPerLane) + 1 };
};

/** Of three letters each. */
const currenciesMax = 26 ** 3;

const currencyCountOf = (...sides: readonly LaneRows[]): number => {
  const numbers = createCurrencyNumbers();
  for (const { rows, fields } of sides) for (const row of rows) numbers.of(fields.currencies[row] as number);
  return numbers.codes().length;
};

const widthOf = ({ first, last }: DayRange): number => last - first + 1;

interface Lane {
  readonly start: number;
  readonly end: number;
}

const laneAt = ({ starts }: Lanes, index: number): Lane => ({ start: starts[index] as number, end: starts[index + 1] as number });

/** How far the days of one lane after another reach. */
const createReach = (
  { firstDay, daysPerLane, lanesPerCurrency }: LaneGrid,
  day: DayBand | undefined,
  within: Pick<SweepMemory, 'firstDays' | 'lastDays'>,
) => {
  const laneOf = (one: number): number => Math.min(lanesPerCurrency - 1, Math.max(0, Math.floor((one - firstDay) / daysPerLane)));
  const [firstDays, lastDays] = [new Int32Array(daysPerLane), new Int32Array(daysPerLane)];
  const isKnown = new Uint8Array(daysPerLane);
  // Lanes of a few rows may be thousands of days wide: only those days are looked at.
  const known = new Int32Array(daysPerLane);
  let knownCount = 0;

  return {
    /** The first and the last lane that sources of this one reach. */
    of: ({ days }: Lanes, { start, end }: Lane, lane: number): { readonly first: number; readonly last: number } => {
      const laneDay = firstDay + lane * daysPerLane;
      let first = Number.POSITIVE_INFINITY;
      let last = Number.NEGATIVE_INFINITY;
      for (let index = 0; index < knownCount; index += 1) isKnown[known[index] as number] = 0;
      knownCount = 0;
      for (let at = start; at < end; at += 1) {
        const offset = days[at] as number;
        if (isKnown[offset] === 1) continue;
        isKnown[offset] = 1;
        known[knownCount] = offset;
        knownCount += 1;
        const range = day === undefined ? { first: firstDay, last: firstDay } : day.rangeOf(laneDay + offset);
        firstDays[offset] = range.first;
        lastDays[offset] = range.last;
        first = Math.min(first, range.first);
        last = Math.max(last, range.last);
      }
      return { first: laneOf(first), last: laneOf(last) };
    },
    /** Says in the memory which days of a lane of targets they reach. */
    within: (lane: number): void => {
      const laneDay = firstDay + lane * daysPerLane;
      for (let index = 0; index < knownCount; index += 1) {
        const offset = known[index] as number;
        within.firstDays[offset] = (firstDays[offset] as number) - laneDay;
        within.lastDays[offset] = (lastDays[offset] as number) - laneDay;
      }
    },
  };
};

const meetByDay = (
  { rows, days }: Lanes,
  { start, end }: Lane,
  { rows: otherRows, days: otherDays }: Lanes,
  theirs: Lane,
  { firstDays, lastDays }: SweepMemory,
  pair: Pair,
): void => {
  for (let at = start; at < end; at += 1) {
    const offset = days[at] as number;
    const first = firstDays[offset] as number;
    const last = lastDays[offset] as number;
    for (let target = theirs.start; target < theirs.end; target += 1) {
      const day = otherDays[target] as number;
      if (day >= first && day <= last) pair(rows[at] as number, otherRows[target] as number);
    }
  }
};
