/** What a reader of columns gives: the records that the reader of rows gives, with no object or string per row. */
import type { ReadContext } from './reader.ts';

/** UTF-8 texts one after another: of row `n` the bytes from `offsets[n]` to `offsets[n + 1]`. */
export interface TextCells {
  readonly bytes: Uint8Array;
  /** One more than there are rows. */
  readonly offsets: Uint32Array;
}

/** In `ColumnChunk.date`: the row has no date. */
export const noDay = -2_147_483_648;

/**
 * Rows in input order; those that cannot be read are in `invalid` too, and have the fields that could be. The arrays are the reader's
 * and are refilled once the next chunk is asked for, so whoever keeps something copies it: fresh memory for every chunk took more
 * time than all reading of cells.
 */
export interface ColumnChunk {
  readonly rows: number;
  /** The physical line on which each row starts. */
  readonly lines: Uint32Array;
  /**
   * Every field but amount, currency and date: mapped ones under our names, unmapped columns under their own. A row whose text is empty
   * is without the field.
   */
  readonly texts: ReadonlyMap<string, TextCells>;
  /**
   * Minor units of the row's currency, whole numbers of at most 2^53 − 1; NaN where the row has no amount, or one that is unfit. There
   * where an amount is mapped or a column is called so.
   */
  readonly amount?: { readonly units: Float64Array; readonly unfit: readonly UnfitAmount[] };
  /** As `@settler/contracts/currency-codes` has them; `noCurrency` where a row has none. There where a currency is mapped or a column is called so. */
  readonly currency?: Int32Array;
  /** Days since 1970-01-01, or `noDay`. There where a date is mapped or a column is called so. */
  readonly date?: Int32Array;
  /** In order of their rows, one for each at most. */
  readonly invalid: readonly InvalidRow[];
  /** How far into the input the reader was after the last row. */
  readonly bytesRead: number;
  readonly totalBytes?: number;
}

/** An amount, as a decimal, that is no such number of minor units: for lack of a currency, of decimals in it, or of exactness. In order of their rows. */
export type UnfitAmount = { readonly row: number; readonly decimal: string };

export type InvalidRow = { readonly row: number; readonly field?: string; readonly reason: string };

/** As `Read` promises, and `limits.rowsPerChunk` is 65,536 where the context says nothing; a chunk is full too after 8 MiB of input. */
export type ReadColumns<Config> = (config: Config, context: ReadContext) => AsyncIterable<ColumnChunk>;
