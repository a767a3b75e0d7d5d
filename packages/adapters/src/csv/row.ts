/** A row of cells made into a record. */
import { brokenRow, type Layout, widthFault } from '../fields/layout.ts';
import { settle } from '../fields/plan.ts';
import { shortened } from '../fields/unreadable.ts';
import type { ReadRecord, ReadRow } from '../reader.ts';

export const rowReader = ({ width, placed, raw, currencyMapped, assumed }: Layout) => {
  const fields = placed.map(({ plan, columns: [first, second] }) => ({ plan, first, second }));

  return (cells: readonly string[], line: number, malformed: string | undefined): ReadRow => {
    // Also a superfluous empty cell: `1,12,50,` under `id,amount,memo` may be an amount of 12.50 that lost its quotes.
    const broken = malformed ?? (cells.length === width ? undefined : widthFault(cells.length, width));
    if (broken !== undefined)
      return { line, invalid: { reason: brokenRow(broken, cells.length, (cell) => cells[cell] ?? '') }, raw: excerpt(cells) };
    const record: ReadRecord = {};
    let fault: { field: string; reason: string } | undefined;
    for (const { plan, first, second } of fields) {
      const value = plan.read(cellAt(cells, first), cellAt(cells, second));
      if (typeof value === 'string') record[plan.field] = value;
      else if (value !== undefined) fault ??= { field: plan.field, reason: value.reason };
    }
    for (const { name, index } of raw) record[name] = cells[index] ?? '';
    // Whatever else is wrong: what is left of the row is shown, and added up.
    const unsettled = settle(record, currencyMapped, assumed);
    fault ??= unsettled;
    if (fault === undefined) return { line, record };
    return { line, invalid: { field: fault.field, reason: `${fault.field} ${fault.reason}` }, raw: excerpt(cells), partial: record };
  };
};

// Asking an array for its element -1, or for one past its end, costs more than all the rest of a row.
const cellAt = (cells: readonly string[], index: number | undefined): string => (index === undefined ? '' : (cells[index] ?? ''));

const excerpt = (cells: readonly string[]): string =>
  shortened(
    cells
      .slice(0, 50)
      .map((cell) => shortened(cell))
      .join(' | '),
    200,
  );
