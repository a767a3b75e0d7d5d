/**
 * One side of a sweep: its rows in lanes, one per currency and span of days, and within a lane sorted by amount. What is compared
 * later stands beside each row, since looking it up by row would be to wait for memory.
 */
import { createCurrencyNumbers } from '../columns/currency.ts';
import { giveBack, lendDoubles, lendHalfWords, lendIntegers, lendWords } from '../columns/scratch.ts';
import { sortLane } from './sort-lane.ts';
import type { LaneColumns } from './sweep-kernel.ts';

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

/** One side's rows with what was looked up of each, before it is known where lanes begin. */
export interface LaneRows {
  readonly rows: Uint32Array;
  readonly fields: LaneFields;
  /** Lent, as are the lows; `inNoLane` of rows that are in none. */
  readonly days: Int32Array<ArrayBuffer>;
  readonly lows: Float64Array<ArrayBuffer> | undefined;
  /** The first and the last of the days; `last` is below `first` where no row is in a lane. */
  readonly first: number;
  readonly last: number;
}

export interface Lanes extends LaneColumns {
  readonly currencies: readonly number[];
  /** Where each lane begins, those of one currency after those of another, and where the last one ends. */
  readonly starts: Uint32Array;
}

const inNoLane = -(2 ** 31);

export const laneRowsOf = (rows: Uint32Array, fields: LaneFields): LaneRows => {
  const lows = fields.low && lowsOf(rows, fields.low);
  const days = lendIntegers(rows.length);
  // Days are whole numbers of 32 bits, and so are these ends of them: with infinities the loop would run on doubles.
  let first = 2 ** 31 - 1;
  let last = -(2 ** 31);
  for (let index = 0; index < rows.length; index += 1) {
    const day = fields.days === undefined ? 0 : (fields.days[rows[index] as number] as number);
    const isIn = day !== fields.absentDay && (lows === undefined || !Number.isNaN(lows[index] as number));
    days[index] = isIn ? day : inNoLane;
    if (!isIn) continue;
    if (day < first) first = day;
    if (day > last) last = day;
  }
  return { rows, fields, days, lows, first, last };
};

const lowsOf = (rows: Uint32Array, low: (row: number) => number): Float64Array<ArrayBuffer> => {
  const lows = lendDoubles(rows.length);
  for (let index = 0; index < rows.length; index += 1) lows[index] = low(rows[index] as number);
  return lows;
};

/** Fills the columns, which have room for all rows. */
export const lanesOf = (laneRows: LaneRows, grid: LaneGrid, columns: LaneColumns): Lanes => {
  const { rows, fields, days, lows } = laneRows;
  const dayOfRow = lendHalfWords(rows.length);
  const { currencies, counts } = chosen(days, dayOfRow, rows, fields.currencies, grid);
  const starts = new Uint32Array(currencies.length * grid.lanesPerCurrency + 1);
  for (let lane = 1; lane < starts.length; lane += 1) starts[lane] = (starts[lane - 1] as number) + (counts[lane - 1] as number);
  if (lows === undefined) place(starts, days, dayOfRow, rows, columns);
  else {
    const records = placeRecords(starts, days, dayOfRow, rows, lows, fields.high);
    sortLanes(starts, records, columns);
    giveBack(records.doubles);
  }
  giveBack(dayOfRow);
  return { currencies, starts, ...columns };
};

export const giveBackRows = ({ days, lows }: LaneRows): void => giveBack(days, ...(lows === undefined ? [] : [lows]));

/** Notes the lane of each row in place of its day, and its day there, and counts the rows of each lane. */
const chosen = (
  lanes: Int32Array,
  dayOfRow: Uint16Array,
  rows: Uint32Array,
  codes: Int32Array,
  { firstDay, daysPerLane, lanesPerCurrency }: LaneGrid,
): { readonly currencies: number[]; readonly counts: Uint32Array } => {
  const numbers = createCurrencyNumbers();
  let counts = new Uint32Array(lanesPerCurrency * 4);
  // A division for each row would be half of the time; half a day is more than this can be wrong by.
  const lanesPerDay = 1 / daysPerLane;
  for (let index = 0; index < rows.length; index += 1) {
    const day = lanes[index] as number;
    if (day === inNoLane) continue;
    const laneOfDay = ((day - firstDay + 0.5) * lanesPerDay) | 0;
    const lane = numbers.of(codes[rows[index] as number] as number) * lanesPerCurrency + laneOfDay;
    if (lane >= counts.length) counts = grown(counts);
    lanes[index] = lane;
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
  starts: Uint32Array,
  lanes: Int32Array,
  dayOfRow: Uint16Array,
  rows: Uint32Array,
  { rows: placedRows, days }: LaneColumns,
): void => {
  const next = starts.slice();
  for (let index = 0; index < rows.length; index += 1) {
    const lane = lanes[index] as number;
    if (lane === inNoLane) continue;
    const at = next[lane] as number;
    next[lane] = at + 1;
    placedRows[at] = rows[index] as number;
    days[at] = dayOfRow[index] as number;
  }
};

/** All that a row brings to its lane, in one place: its low, its high where there is one, and in two words its row and its day. */
interface LaneRecords {
  readonly doubles: Float64Array<ArrayBuffer>;
  readonly stride: number;
}

const placeRecords = (
  starts: Uint32Array,
  lanes: Int32Array,
  dayOfRow: Uint16Array,
  rows: Uint32Array,
  lows: Float64Array,
  high: LaneFields['high'],
): LaneRecords => {
  const next = starts.slice();
  const stride = high === undefined ? 2 : 3;
  const doubles = lendDoubles((starts[starts.length - 1] as number) * stride);
  const words = new Uint32Array(doubles.buffer);
  for (let index = 0; index < rows.length; index += 1) {
    const lane = lanes[index] as number;
    if (lane === inNoLane) continue;
    const at = next[lane] as number;
    next[lane] = at + 1;
    const row = rows[index] as number;
    const first = at * stride;
    const last = first + stride - 1;
    doubles[first] = lows[index] as number;
    if (high !== undefined) doubles[first + 1] = high(row);
    words[last * 2] = row;
    words[last * 2 + 1] = dayOfRow[index] as number;
  }
  return { doubles, stride };
};

const sortLanes = (starts: Uint32Array, records: LaneRecords, columns: LaneColumns): void => {
  const order = lendWords(starts[starts.length - 1] as number);
  const words = new Uint32Array(records.doubles.buffer);
  // Each lane from beginning to end, while it lies in a cache.
  for (let lane = 1; lane < starts.length; lane += 1) {
    const start = starts[lane - 1] as number;
    const end = starts[lane] as number;
    if (start === end) continue;
    for (let at = start; at < end; at += 1) columns.lows[at] = records.doubles[at * records.stride] as number;
    sortLane(columns.lows, order, start, end);
    takeOrder(order, start, end, records, words, columns);
  }
  giveBack(order);
};

const takeOrder = (
  order: Uint32Array,
  start: number,
  end: number,
  { doubles, stride }: LaneRecords,
  words: Uint32Array,
  { highs, rows, days }: LaneColumns,
): void => {
  for (let at = start; at < end; at += 1) {
    const first = (order[at] as number) * stride;
    const last = (first + stride - 1) * 2;
    if (highs !== undefined) highs[at] = doubles[first + 1] as number;
    rows[at] = words[last] as number;
    days[at] = words[last + 1] as number;
  }
};
