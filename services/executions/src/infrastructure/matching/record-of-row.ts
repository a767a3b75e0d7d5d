import { currencyText } from '@settler/contracts/currency-codes';
import type { MatchedRecord } from '../../domain/matched-result.ts';
import { type Fields, type RecordBatch, recordAt } from '../../domain/matching/batch.ts';
import type { RecordBytes } from '../../domain/matching/record-bytes.ts';
import type { ItemKey } from '../../domain/open-items.ts';

/** A record of a result that is about to be stored. The record itself is made when somebody asks for it, which for most nobody does. */
export class RecordOfRow implements MatchedRecord {
  openItem: ItemKey | undefined;
  readonly currency: string;
  readonly units: number | null;
  readonly carried: boolean;
  readonly row: number;
  readonly bytes: RecordBytes | undefined;
  readonly #batch: RecordBatch;
  #record: Fields | undefined;

  constructor(batch: RecordBatch, row: number, bytes: RecordBytes | undefined) {
    const units = batch.amounts[row] as number;
    this.currency = currencyText(batch.currencies[row] as number);
    this.units = Number.isNaN(units) ? null : units;
    this.carried = row >= batch.carriedFrom;
    this.row = row;
    this.bytes = bytes;
    this.#batch = batch;
  }

  get record(): Fields {
    this.#record ??= recordAt(this.#batch, this.row);
    return this.#record;
  }
}
