/** A result as one row: what a person sorts and sums by. What a row cannot hold, such as conditions, is in the JSON lines. */
import { exponentOf, fromMinor, toMinor } from '@settler/contracts/money';
import type { ResultView } from '../../application/queries.ts';
import type { Side } from '../../domain/side.ts';
import type { Fields } from '../../domain/stake.ts';
import { type Cell, type Column, date, firstDate, joined, number, type Table, text } from './cells.ts';

const recordsOf = (result: ResultView, side: Side): readonly Fields[] => result[side] as readonly Fields[];
const joinedOf =
  (name: string, side: Side) =>
  (result: ResultView): Cell =>
    joined(recordsOf(result, side), name);

/** The sum of a side, exactly; nothing where it has several currencies, or an amount that is none. */
const amount =
  (side: Side) =>
  (result: ResultView): Cell => {
    const records = recordsOf(result, side);
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

const ofSide = (side: Side): readonly Column<ResultView>[] => [
  [`${side}Ids`, joinedOf('id', side)],
  [`${side}Amount`, amount(side)],
  [`${side}Currency`, joinedOf('currency', side)],
  [`${side}Date`, (result) => firstDate(recordsOf(result, side))],
  [`${side}References`, joinedOf('reference', side)],
  [`${side}Counterparties`, joinedOf('counterparty', side)],
  [`${side}Records`, (result) => number(result[side].length)],
];

const columns: readonly Column<ResultView>[] = [
  ['id', ({ id }) => text(id)],
  ['outcome', ({ outcome }) => text(outcome)],
  ['pass', ({ pass }) => text(pass)],
  ['cardinality', ({ cardinality }) => text(cardinality)],
  ['score', ({ score }) => number(score)],
  ['margin', ({ margin }) => number(margin)],
  ...ofSide('source'),
  ...ofSide('target'),
  ['deltaAmount', ({ delta }) => number(delta?.amount)],
  ['deltaDays', ({ delta }) => number(delta?.days)],
  ['category', ({ category }) => text(category)],
  ['reason', ({ reason }) => text(reason)],
  ['line', ({ line }) => number(line)],
  ['dueOn', ({ dueOn }) => date(dueOn)],
  ['exceptionId', ({ exceptionId }) => text(exceptionId)],
  ['matchedBy', ({ manual }) => text(manual?.by.id)],
  ['matchedAt', ({ manual }) => text(manual?.at)],
  ['matchNote', ({ manual }) => text(manual?.note)],
];

export const results: Table<ResultView> = { name: 'Results', columns };
