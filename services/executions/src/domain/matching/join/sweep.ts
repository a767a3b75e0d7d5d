/**
 * The sweep: pairs whose amounts and dates lie within each other's windows. Both sides lie in lanes, one per currency and day, sorted
 * by amount; lanes that a window connects are run through together, each only forwards. The work grows with rows and pairs, never
 * with their product.
 */
import { lowerBound } from '../columns/order.ts';

/** The least and the most amount that a source accepts. Both grow with the source's own amount, but for a share above a hundred percent. */
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
  readonly rangeOf: (day: number) => { readonly first: number; readonly last: number };
}

export interface Bands {
  readonly amount: AmountBand | undefined;
  readonly day: DayBand | undefined;
  readonly sourceCurrencies: Int32Array;
  readonly targetCurrencies: Int32Array;
}

interface Lane {
  readonly currency: number;
  readonly day: number;
  /** Sorted by amount where amounts matter. */
  readonly rows: Uint32Array;
}

export const sweep = (
  { amount, day, sourceCurrencies, targetCurrencies }: Bands,
  sources: Uint32Array,
  targets: Uint32Array,
  pair: (source: number, target: number) => void,
): void => {
  const sourceLanes = lanesOf(sources, sourceCurrencies, day?.sources, day?.absent, amount?.sources);
  const targetLanes = lanesOf(targets, targetCurrencies, day?.targets, day?.absent, amount?.targets);
  const byCurrency = Map.groupBy(targetLanes, ({ currency }) => currency);
  for (const lane of sourceLanes) {
    const range = day === undefined ? undefined : day.rangeOf(lane.day);
    for (const [currency, lanes] of byCurrency) {
      // Different currencies never match. A record without one has no amount either, so it may meet any.
      if (currency !== lane.currency && currency !== 0 && lane.currency !== 0) continue;
      const from = range === undefined ? 0 : lowerBound(0, lanes.length, (index) => (lanes[index] as Lane).day >= range.first);
      for (let index = from; index < lanes.length; index += 1) {
        const other = lanes[index] as Lane;
        if (range !== undefined && other.day > range.last) break;
        if (amount === undefined) all(lane.rows, other.rows, pair);
        else together(amount, lane.rows, other.rows, pair);
      }
    }
  }
};

const all = (sources: Uint32Array, targets: Uint32Array, pair: (source: number, target: number) => void): void => {
  for (const source of sources) for (const target of targets) pair(source, target);
};

const together = (
  { targets: amounts, least, most }: AmountBand,
  sources: Uint32Array,
  targets: Uint32Array,
  pair: (source: number, target: number) => void,
): void => {
  const last = targets.length;
  let low = 0;
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < sources.length; index += 1) {
    const source = sources[index] as number;
    const bottom = least(source);
    const top = most(source);
    // Windows of a percentage above a hundred do not grow with their amounts; there the search starts over.
    if (bottom < before) low = lowerBound(0, low, (at) => (amounts[targets[at] as number] as number) >= bottom);
    before = bottom;
    while (low < last && (amounts[targets[low] as number] as number) < bottom) low += 1;
    for (let at = low; at < last; at += 1) {
      const target = targets[at] as number;
      if (!((amounts[target] as number) <= top)) break;
      pair(source, target);
    }
  }
};

/** Ascending by currency and day. Rows without a date or an amount that matters are in none. */
const lanesOf = (
  rows: Uint32Array,
  currencies: Int32Array,
  days: Int32Array | undefined,
  absent: number | undefined,
  amounts: Float64Array | undefined,
): Lane[] => {
  const laneKey = (row: number): number =>
    (currencies[row] as number) * 2 ** 26 + (days === undefined ? 0 : (days[row] as number) + dayShift);
  const isLaned = (row: number): boolean =>
    (days === undefined || days[row] !== absent) && (amounts === undefined || !Number.isNaN(amounts[row] as number));
  let key = -1;
  let cell: { count: number; next: number } = { count: 0, next: 0 };
  const cells = new Map<number, { count: number; next: number }>();
  const cellOf = (wanted: number) => {
    // Rows of one day often stand together.
    if (wanted === key) return cell;
    key = wanted;
    const known = cells.get(wanted);
    if (known !== undefined) {
      cell = known;
      return known;
    }
    cell = { count: 0, next: 0 };
    cells.set(wanted, cell);
    return cell;
  };
  for (const row of rows) if (isLaned(row)) cellOf(laneKey(row)).count += 1;
  const sorted = [...cells].sort(([one], [other]) => one - other);
  let start = 0;
  for (const [, one] of sorted) {
    one.next = start;
    start += one.count;
  }
  const placed = new Uint32Array(start);
  key = -1;
  for (const row of rows) {
    if (!isLaned(row)) continue;
    const one = cellOf(laneKey(row));
    placed[one.next] = row;
    one.next += 1;
  }
  return sorted.map(([laneOf, { count, next }]) => {
    const laneRows = placed.subarray(next - count, next);
    if (amounts !== undefined) sortByAmount(laneRows, amounts);
    const currency = Math.floor(laneOf / 2 ** 26);
    return { currency, day: laneOf - currency * 2 ** 26 - dayShift, rows: laneRows };
  });
};

/** Days from some 45,000 years before to after 1970 become non-negative. */
const dayShift = 2 ** 25 - 1;

const indexBitsMax = 20;

/**
 * Amount and index in one double where both fit, because numbers are sorted natively several times as fast as by a comparison of
 * ours. Rows of equal amounts keep their order either way.
 */
const sortByAmount = (rows: Uint32Array, amounts: Float64Array): void => {
  const size = rows.length;
  if (size < 2) return;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let isSorted = true;
  let before = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const amount = amounts[row] as number;
    if (amount < least) least = amount;
    if (amount > most) most = amount;
    if (amount < before) isSorted = false;
    before = amount;
  }
  if (isSorted) return;
  const indexBits = Math.ceil(Math.log2(size));
  const unit = 2 ** indexBits;
  if (indexBits > indexBitsMax || (most - least + 1) * unit > Number.MAX_SAFE_INTEGER) {
    rows.set(Array.from(rows).sort((one, other) => (amounts[one] as number) - (amounts[other] as number)));
    return;
  }
  const packed = new Float64Array(size);
  for (let index = 0; index < size; index += 1) packed[index] = ((amounts[rows[index] as number] as number) - least) * unit + index;
  packed.sort();
  const copy = rows.slice();
  for (let index = 0; index < size; index += 1) rows[index] = copy[(packed[index] as number) % unit] as number;
};
