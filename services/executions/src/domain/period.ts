/** The days that a run is about. Records without a readable date are kept: nothing may disappear because it could not be read. */
import { noDay } from './matching/batch.ts';
import type { Chunk } from './matching/batch-builder.ts';
import { dayOf } from './matching/day.ts';

export interface Period {
  /** Whether a record, or what could be read of one, is to be kept. */
  readonly record: (fields: Readonly<Record<string, unknown>>) => boolean;
  /** The very same chunk where all of it lies within. */
  readonly chunk: <Given extends Chunk>(chunk: Given) => Given | Chunk;
}

/** Both ends included; null for all days. */
export const createPeriod = (period: { readonly from: string; readonly to: string } | null): Period => {
  if (period === null) return { record: () => true, chunk: (chunk) => chunk };
  const first = dayOf(period.from) ?? 0;
  const last = dayOf(period.to) ?? 0;
  return {
    record: ({ date }) => typeof date !== 'string' || (date >= period.from && date <= period.to),
    chunk: (chunk) => {
      const { date } = chunk;
      if (date === undefined) return chunk;
      const unreadable = new Set(chunk.invalid.map(({ row }) => row));
      const kept = Array.from({ length: chunk.rows }, (_, row) => row).filter((row) => {
        const day = date[row] as number;
        return day === noDay || (day >= first && day <= last) || unreadable.has(row);
      });
      return kept.length === chunk.rows ? chunk : rowsOf(chunk, kept);
    },
  };
};

const rowsOf = (chunk: Chunk, kept: readonly number[]): Chunk => {
  const places = new Map(kept.map((row, place) => [row, place]));
  return {
    rows: kept.length,
    lines: Uint32Array.from(kept, (row) => chunk.lines[row] as number),
    texts: new Map([...chunk.texts].map(([name, cells]) => [name, textsOf(cells, kept)])),
    ...(chunk.amount === undefined
      ? {}
      : {
          amount: {
            units: Float64Array.from(kept, (row) => chunk.amount?.units[row] as number),
            unfit: moved(chunk.amount.unfit, places),
          },
        }),
    ...(chunk.currency === undefined ? {} : { currency: Int32Array.from(kept, (row) => chunk.currency?.[row] as number) }),
    ...(chunk.date === undefined ? {} : { date: Int32Array.from(kept, (row) => chunk.date?.[row] as number) }),
    invalid: moved(chunk.invalid, places),
  };
};

/** What is said of rows that are kept, of the places that they have then. */
const moved = <Said extends { readonly row: number }>(said: readonly Said[], places: ReadonlyMap<number, number>): Said[] =>
  said.flatMap((one) => {
    const row = places.get(one.row);
    return row === undefined ? [] : [{ ...one, row }];
  });

const textsOf = ({ bytes, offsets }: { readonly bytes: Uint8Array; readonly offsets: Uint32Array }, kept: readonly number[]) => {
  const lengths = kept.map((row) => (offsets[row + 1] as number) - (offsets[row] as number));
  const copied = { bytes: new Uint8Array(lengths.reduce((sum, length) => sum + length, 0)), offsets: new Uint32Array(kept.length + 1) };
  let end = 0;
  for (const [place, row] of kept.entries()) {
    copied.bytes.set(bytes.subarray(offsets[row], offsets[row + 1]), end);
    end += lengths[place] as number;
    copied.offsets[place + 1] = end;
  }
  return copied;
};
