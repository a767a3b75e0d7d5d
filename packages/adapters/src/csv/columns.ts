/** The header of a CSV file made into names, and a row of cells made into a record. */
import { type FieldMappings, reservedName } from '../fields/mapping.ts';
import { type FieldPlan, planFields, planUnmapped, settle } from '../fields/plan.ts';
import { shortened } from '../fields/unreadable.ts';
import { ReaderFailure, type ReadLimits, type ReadRecord, type ReadRow } from '../reader.ts';

/**
 * Names are trimmed. Columns without one are `column 7`; of columns with the same name each gets its number, `Amount (1)` and
 * `Amount (2)`, so that a mapping has to say which it means.
 */
export const columnNames = (header: readonly string[]): string[] => {
  const trimmed = header.map((cell, index) => cell.trim() || `column ${index + 1}`);
  const taken = new Set(trimmed);
  const seen = new Map<string, number>();
  return trimmed.map((name) => {
    if (trimmed.indexOf(name) === trimmed.lastIndexOf(name)) return name;
    let number = seen.get(name) ?? 0;
    let numbered: string;
    do numbered = `${name} (${++number})`;
    while (taken.has(numbered));
    seen.set(name, number);
    taken.add(numbered);
    return numbered;
  });
};

type Column = { readonly name: string; readonly index: number };
type Placed = { readonly plan: FieldPlan; readonly first: number | undefined; readonly second: number | undefined };

/** Throws `ReaderFailure` when a mapped column is not in the header. */
export const rowReader = (mappings: FieldMappings, header: readonly string[], headerLine: number, limits: ReadLimits) => {
  if (header.length > limits.columns) {
    throw new ReaderFailure('too_many_columns', `line ${headerLine} has ${header.length} columns, more than ${limits.columns}`, headerLine);
  }
  const names = columnNames(header);
  if (names.includes(reservedName)) {
    throw new ReaderFailure(
      'reserved_column',
      `line ${headerLine} names a column ${reservedName}, which no field can be called`,
      headerLine,
    );
  }
  const plans = planFields(mappings);
  const mapped = new Set(plans.flatMap(({ columns }) => columns.map((column) => column.trim())));
  const place = (column: string): number => {
    const index = names.indexOf(column.trim());
    if (index === -1) throw noSuchColumn(column, names, headerLine);
    return index;
  };
  // A column may be called `toString`, which every object has without anybody mapping it.
  const isFree = (name: string): boolean => !mapped.has(name) && !Object.hasOwn(mappings, name);
  const own = names.map((name, index): Column => ({ name, index })).filter(({ name }) => isFree(name));
  const implied = own.flatMap(({ name }) => planUnmapped(name) ?? []);
  const placed = [...plans, ...implied].map(({ columns, ...rest }): Placed => {
    const [first, second] = columns.map(place);
    return { plan: { columns, ...rest }, first, second };
  });
  const raw = own.filter(({ name }) => !implied.some(({ field }) => field === name));
  const currencyMapped = mappings['currency'] !== undefined;

  return (cells: readonly string[], line: number, malformed: string | undefined): ReadRow => {
    if (malformed !== undefined) return { line, invalid: { reason: malformed }, raw: excerpt(cells) };
    // Also a superfluous empty cell: `1,12,50,` under `id,amount,memo` may be an amount of 12.50 that lost its quotes.
    if (cells.length !== names.length) {
      return { line, invalid: { reason: `the row has ${cells.length} cells, the header ${names.length}` }, raw: excerpt(cells) };
    }
    const record: ReadRecord = {};
    let fault: { field: string; reason: string } | undefined;
    for (const { plan, first, second } of placed) {
      const value = plan.read(cellAt(cells, first), cellAt(cells, second));
      if (typeof value === 'string') record[plan.field] = value;
      else if (value !== undefined) fault ??= { field: plan.field, reason: value.reason };
    }
    for (const { name, index } of raw) record[name] = cells[index] ?? '';
    fault ??= settle(record, currencyMapped);
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

const noSuchColumn = (wanted: string, names: readonly string[], line: number): ReaderFailure => {
  const found = names.slice(0, 30).map((name) => JSON.stringify(shortened(name)));
  const more = names.length > found.length ? ` and ${names.length - found.length} more` : '';
  return new ReaderFailure(
    'no_such_column',
    `there is no column ${JSON.stringify(shortened(wanted))}; line ${line} has ${found.join(', ')}${more}`,
    line,
  );
};
