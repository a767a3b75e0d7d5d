/** What a row says of the records of one side. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { Side } from '../../domain/side.ts';
import type { Fields } from '../../domain/stake.ts';
import { type Cell, type Column, firstDate, joined, number, text } from './cells.ts';

export type RecordsOf<Row> = (row: Row, side: Side) => readonly Fields[];

export const sideColumns = <Row>(side: Side, recordsOf: RecordsOf<Row>): readonly Column<Row>[] => {
  const of =
    (cell: (records: readonly Fields[]) => Cell) =>
    (row: Row): Cell =>
      cell(recordsOf(row, side));
  const joinedOf = (name: string) => of((records) => joined(records, name));
  return [
    [`${side}Ids`, joinedOf('id')],
    [`${side}Amount`, of(amount)],
    [`${side}Currency`, joinedOf('currency')],
    [`${side}Date`, of(firstDate)],
    [`${side}References`, joinedOf('reference')],
    [`${side}Counterparties`, joinedOf('counterparty')],
    [`${side}Records`, of((records) => number(records.length))],
  ];
};

/** The sum of a side, exactly; nothing where it has several currencies, or an amount that is none. */
const amount = (records: readonly Fields[]): Cell => {
  const [first] = records;
  if (first === undefined) return undefined;
  if (records.length === 1) return number(text(first['amount'])?.value);
  const currency = String(first['currency']);
  const exponent = exponentOf(currency);
  let sum = 0n;
  for (const record of records) {
    const units = record['currency'] === first['currency'] ? toMinor(String(record['amount']), exponent) : null;
    if (units === null) return undefined;
    sum += units;
  }
  return number(fromMinor(sum, exponent));
};
