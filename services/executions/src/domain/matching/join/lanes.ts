/**
 * One side of a sweep: its rows in lanes, one per currency and span of days, and within a lane sorted by amount. What is compared
 * later stands beside each row, since looking it up by row would be to wait for memory.
 */
import { createCurrencyNumbers } from '../columns/currency.ts';
import { giveBack, lendDoubles, lendHalfWords, lendWords } from '../columns/scratch.ts';
import { sortLane } from './sort-lane.ts';

/** What a lane spans, the same on both sides of a sweep. */
export interface LaneGrid {
  readonly firstDay: number;
  /** At most 65,536. */
  readonly daysPerLane: number;
  readonly lanesPerCurrency: number;
}

/** What decides where a row goes. Rows with a NaN, or without a date that matters, are in no lane. */
export interface LaneFields {
  readonly currencies: Int32Array;
  readonly days: Int32Array | undefined;
  readonly absentDay: number;
  /** What lanes are sorted by. */
  readonly low: ((row: number) => number) | undefined;
  readonly high: ((row: number) => number) | undefined;
}

export interface Lanes {
  readonly currencies: readonly number[];
  /** Where each lane begins, those of one currency after those of another, and where the last one ends. */
  readonly starts: Uint32Array;
  /** Sorted within each lane; this and the rest is lent. */
  readonly lows: Float64Array<ArrayBuffer>;
  /** Where what belongs to a low stands in the columns below, which are not sorted: most of it is never looked at. */
  readonly order: Uint32Array<ArrayBuffer>;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly highs: Float64Array<ArrayBuffer>;
  /** Days since the lane's first one. */
  readonly dayInLane: Uint16Array<ArrayBuffer>;
}

const inNoLane = 0xffffffff;

export const lanesOf = (rows: Uint32Array, fields: LaneFields, grid: LaneGrid): Lanes => {
  const laneOfRow = lendWords(rows.length);
  const dayOfRow = lendHalfWords(rows.length);
  const { currencies, counts } = chosen(laneOfRow, dayOfRow, rows, fields, grid);
  const starts = new Uint32Array(currencies.length * grid.lanesPerCurrency + 1);
  for (let lane = 1; lane < starts.length; lane += 1) starts[lane] = (starts[lane - 1] as number) + (counts[lane - 1] as number);
  const count = starts[starts.length - 1] as number;
  const lanes: Lanes = {
    currencies,
    starts,
    lows: lendDoubles(fields.low === undefined ? 0 : count),
    order: lendWords(fields.low === undefined ? 0 : count),
    rows: lendWords(count),
    highs: lendDoubles(fields.high === undefined ? 0 : count),
    dayInLane: lendHalfWords(count),
  };
  place(lanes, laneOfRow, dayOfRow, rows, fields);
  giveBack(laneOfRow, dayOfRow);
  if (fields.low !== undefined) {
    for (let lane = 1; lane < starts.length; lane += 1) {
      sortLane(lanes.lows, lanes.order, starts[lane - 1] as number, starts[lane] as number);
    }
  }
  return lanes;
};

export const giveBackLanes = ({ lows, order, rows, highs, dayInLane }: Lanes): void => giveBack(lows, order, rows, highs, dayInLane);

/** Notes the lane of each row and its day there, and counts the rows of each lane. */
const chosen = (
  laneOfRow: Uint32Array,
  dayOfRow: Uint16Array,
  rows: Uint32Array,
  { currencies: codes, days, absentDay, low }: LaneFields,
  { firstDay, daysPerLane, lanesPerCurrency }: LaneGrid,
): { readonly currencies: number[]; readonly counts: Uint32Array } => {
  const numbers = createCurrencyNumbers();
  let counts = new Uint32Array(lanesPerCurrency * 4);
  // A division for each row would be half of the time; half a day is more than this can be wrong by.
  const lanesPerDay = 1 / daysPerLane;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    const day = days === undefined ? firstDay : (days[row] as number);
    if (day === absentDay || (low !== undefined && Number.isNaN(low(row)))) {
      laneOfRow[index] = inNoLane;
      continue;
    }
    const laneOfDay = ((day - firstDay + 0.5) * lanesPerDay) | 0;
    const lane = numbers.of(codes[row] as number) * lanesPerCurrency + laneOfDay;
    if (lane >= counts.length) counts = grown(counts);
    laneOfRow[index] = lane;
    dayOfRow[index] = day - firstDay - laneOfDay * daysPerLane;
    counts[lane] = (counts[lane] as number) + 1;
  }
  return { currencies: numbers.codes(), counts };
};

const grown = (counts: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
  const larger = new Uint32Array(counts.length * 2);
  larger.set(counts);
  return larger;
};

const place = (
  { starts, rows: placedRows, lows, highs, dayInLane }: Lanes,
  laneOfRow: Uint32Array,
  dayOfRow: Uint16Array,
  rows: Uint32Array,
  { low, high }: LaneFields,
): void => {
  const next = starts.slice();
  for (let index = 0; index < rows.length; index += 1) {
    const lane = laneOfRow[index] as number;
    if (lane === inNoLane) continue;
    const row = rows[index] as number;
    const at = next[lane] as number;
    next[lane] = at + 1;
    placedRows[at] = row;
    dayInLane[at] = dayOfRow[index] as number;
    if (low !== undefined) lows[at] = low(row);
    if (high !== undefined) highs[at] = high(row);
  }
};
