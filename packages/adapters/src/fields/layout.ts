/** The header of a table made into names, and where in its rows each field is. */
import { ReaderFailure, type ReadLimits } from '../reader.ts';
import { type FieldMappings, reservedName } from './mapping.ts';
import { assumesPoint, type FieldPlan, planFields, planUnmapped } from './plan.ts';
import { shortened } from './unreadable.ts';

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

export type Named = { readonly name: string; readonly index: number };

/** A field's plan, and where in a row the columns that it names are. */
export type Placed = { readonly plan: FieldPlan; readonly columns: readonly number[] };

export type Layout = {
  readonly width: number;
  readonly placed: readonly Placed[];
  /** Columns that stay under their own names. */
  readonly raw: readonly Named[];
  readonly currencyMapped: boolean;
  /** The fields whose point nobody named. */
  readonly assumed: readonly string[];
};

/** Throws `ReaderFailure` when a mapped column is not in the header. */
export const layOut = (mappings: FieldMappings, header: readonly string[], headerLine: number, limits: ReadLimits): Layout => {
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
  const own = names.map((name, index): Named => ({ name, index })).filter(({ name }) => isFree(name));
  const implied = own.flatMap(({ name }) => planUnmapped(name) ?? []);
  const all = [...plans, ...implied];
  return {
    width: names.length,
    placed: all.map((plan) => ({ plan, columns: plan.columns.map(place) })),
    raw: own.filter(({ name }) => !implied.some(({ field }) => field === name)),
    currencyMapped: mappings['currency'] !== undefined,
    assumed: all.filter(assumesPoint).map(({ field }) => field),
  };
};

const noSuchColumn = (wanted: string, names: readonly string[], line: number): ReaderFailure => {
  const found = names.slice(0, 30).map((name) => JSON.stringify(shortened(name)));
  const more = names.length > found.length ? ` and ${names.length - found.length} more` : '';
  return new ReaderFailure(
    'no_such_column',
    `there is no column ${JSON.stringify(shortened(wanted))}; line ${line} has ${found.join(', ')}${more}`,
    line,
  );
};

export const widthFault = (cells: number, width: number): string => `the row has ${cells} cells, the header ${width}`;

/** Of so many cells the beginnings are shown. */
const shownCellsMax = 50;
const shownLengthMax = 300;

/** Why a row of these cells cannot be read, with what it says: nothing else of it is kept, and two of them are told apart by it. */
export const brokenRow = (fault: string, count: number, cellAt: (cell: number) => string): string => {
  const cells = Array.from({ length: Math.min(count, shownCellsMax) }, (_, cell) => shortened(cellAt(cell)));
  return `${fault}: ${shortened(cells.join(' | '), shownLengthMax)}`;
};
