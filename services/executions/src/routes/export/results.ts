/** A result as one row: what a person sorts and sums by. What a row cannot hold, such as conditions, is in the JSON lines. */
import type { ResultView } from '../../application/queries.ts';
import type { Fields } from '../../domain/stake.ts';
import { type Column, date, number, type Table, text } from './cells.ts';
import { type RecordsOf, sideColumns } from './side-columns.ts';

const recordsOf: RecordsOf<ResultView> = (result, side) => result[side] as readonly Fields[];

const columns: readonly Column<ResultView>[] = [
  ['id', ({ id }) => text(id)],
  ['outcome', ({ outcome }) => text(outcome)],
  ['pass', ({ pass }) => text(pass)],
  ['cardinality', ({ cardinality }) => text(cardinality)],
  ['score', ({ score }) => number(score)],
  ['margin', ({ margin }) => number(margin)],
  ...sideColumns('source', recordsOf),
  ...sideColumns('target', recordsOf),
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
