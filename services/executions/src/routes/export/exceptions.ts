/** An exception as one row, as people divide and sum up their work. */
import type { ExceptionView } from '../../application/queries.ts';
import type { Fields } from '../../domain/stake.ts';
import { type Column, firstDate, joined, number, type Table, text } from './cells.ts';
import { type RecordsOf, sideColumns } from './side-columns.ts';

export type ExportedException = Omit<ExceptionView, 'records'> & { readonly records: readonly Fields[] };

const recordsOf: RecordsOf<ExportedException> = ({ records, sides }, side) => records.filter((_, index) => sides[index] === side);

const columns: readonly Column<ExportedException>[] = [
  ['id', ({ id }) => text(id)],
  ['jobId', ({ jobId }) => text(jobId)],
  ['executionId', ({ executionId }) => text(executionId)],
  ['category', ({ category }) => text(category)],
  ['severity', ({ severity }) => text(severity)],
  ['status', ({ status }) => text(status)],
  ['amount', ({ amount }) => number(amount)],
  ['currency', ({ currency }) => text(currency)],
  ['reason', ({ reason }) => text(reason)],
  ['firstSeenAt', ({ firstSeenAt }) => text(firstSeenAt)],
  ['ageDays', ({ ageDays }) => number(ageDays)],
  ['assigneeId', ({ assigneeId }) => text(assigneeId)],
  ['resolution', ({ resolution }) => text(resolution)],
  ['createdAt', ({ createdAt }) => text(createdAt)],
  ['updatedAt', ({ updatedAt }) => text(updatedAt)],
  ['recordIds', ({ records }) => joined(records, 'id')],
  ['recordDate', ({ records }) => firstDate(records)],
  ['references', ({ records }) => joined(records, 'reference')],
  ['counterparties', ({ records }) => joined(records, 'counterparty')],
  ['descriptions', ({ records }) => joined(records, 'description')],
  ['records', ({ records }) => number(records.length)],
  ...sideColumns('source', recordsOf),
  ...sideColumns('target', recordsOf),
  ['deltaAmount', ({ delta }) => number(delta?.amount)],
  ['deltaDays', ({ delta }) => number(delta?.days)],
];

export const exceptions: Table<ExportedException> = { name: 'Exceptions', columns };
