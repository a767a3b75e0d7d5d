/**
 * The days that a run is about. Records without a readable date are kept: nothing may disappear because it could not be read. So are the
 * open items that come once more, whatever their day: what is stored of them takes part, and the newest version must stand for it.
 */
import type { Problem } from './execution.ts';
import { noDay } from './matching/batch.ts';
import type { Chunk } from './matching/batch-builder.ts';
import { textAt } from './matching/columns/text-column.ts';
import { dayOf } from './matching/day.ts';
import type { Side } from './side.ts';

interface Days {
  readonly from: string;
  readonly to: string;
}

interface Told {
  readonly record: Readonly<Record<string, unknown>>;
  readonly line?: number;
}

export interface Period {
  /** Whether the record is to be kept. */
  readonly record: (told: Told) => boolean;
  /** The very same chunk where all of it lies within. */
  readonly chunk: <Given extends Chunk>(chunk: Given) => Given | Chunk;
  /** Of what was asked about so far. */
  readonly counted: () => Counted;
}

/** Records that can be read, by whether they say their day. */
export interface Counted {
  readonly dated: number;
  readonly undated: number;
  /** Where the first without a date stands; 0 where it has no line. */
  readonly line: number;
}

/** Both ends included; null for all days. `openIds`: of the records that take part in any case. */
export const createPeriod = (period: Days | null, openIds: ReadonlySet<string> = new Set()): Period => {
  const counted = { dated: 0, undated: 0, line: 0 };
  if (period === null) return { record: () => true, chunk: (chunk) => chunk, counted: () => counted };
  const first = dayOf(period.from) ?? 0;
  const last = dayOf(period.to) ?? 0;
  const count = (isDated: boolean, line: number): void => {
    if (isDated) counted.dated += 1;
    else if (++counted.undated === 1) counted.line = line;
  };
  return {
    record: ({ record: { id, date }, line = 0 }) => {
      count(typeof date === 'string', line);
      return typeof date !== 'string' || (date >= period.from && date <= period.to) || openIds.has(String(id));
    },
    chunk: (chunk) => {
      const { date, lines } = chunk;
      const ids = openIds.size === 0 ? undefined : chunk.texts.get('id');
      const isOpen = (row: number): boolean => ids !== undefined && openIds.has(textAt(ids, row));
      const unreadable = new Set(chunk.invalid.map(({ row }) => row));
      const kept = Array.from({ length: chunk.rows }, (_, row) => row).filter((row) => {
        if (unreadable.has(row)) return true;
        const day = date === undefined ? noDay : (date[row] as number);
        count(day !== noDay, lines[row] as number);
        return day === noDay || (day >= first && day <= last) || isOpen(row);
      });
      return kept.length === chunk.rows ? chunk : rowsOf(chunk, kept);
    },
    counted: () => counted,
  };
};

/** Why a run of this period cannot be meant so; undefined where it can. */
export const whyNoPeriod = (side: Side, { dated, undated }: Counted): string | undefined =>
  dated === 0 && undated > 0
    ? `the run is of a period, and none of the ${undated} records of the ${side} that can be read has a date: map \`date\`, or run without a period`
    : undefined;

/** They are told, because they take part in a run that is not known to be about them. */
export const undatedProblems = (side: Side, { dated, undated, line }: Counted): Problem[] => {
  if (undated === 0) return [];
  const message = `${undated} of the ${dated + undated} records that can be read have no date: they take part whatever the period`;
  return [{ side, code: 'no_date', message, ...(line === 0 ? {} : { line }) }];
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
