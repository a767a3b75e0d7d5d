/** The table in its input: skips the prose above, finds the delimiter, and hands on to what splits by it. */
import type { FieldMappings } from '../fields/mapping.ts';
import { planFields } from '../fields/plan.ts';
import type { ReadLimits } from '../reader.ts';
import { delimiterDetection } from './delimiter.ts';
import { lineSkipper } from './skip.ts';
import type { SplitOptions, Splitter } from './split.ts';

/** How the table lies in the input. Without `delimiter` it is found. */
export type CsvTable = {
  readonly delimiter?: string | undefined;
  readonly skipRows?: number | undefined;
  readonly trailerRows?: number | undefined;
  readonly fields: FieldMappings;
};

/** Blocks of the whole input in; what `splitBy` makes gets those of the table. */
export const tableIn = (
  { delimiter, skipRows = 0, fields }: CsvTable,
  limits: ReadLimits,
  splitBy: (options: SplitOptions) => Splitter,
): Splitter => {
  const firstLine = skipRows + 1;
  const begin = (found: string): Splitter => splitBy({ delimiter: found, bytesPerRecord: limits.bytesPerRecord, firstLine });
  const skip = lineSkipper(skipRows, limits.bytesPerRecord);
  const expected = planFields(fields).flatMap(({ columns }) => columns.map((column) => column.trim()));
  const detection = delimiterDetection(expected, firstLine, limits);
  const seen: Uint8Array[] = [];
  let split = delimiter === undefined ? undefined : begin(delimiter);

  const decide = (): Splitter => {
    const decided = begin(detection.best());
    split = decided;
    // At once, as it would be of one block: whoever splits may have to be asked for the rows of each before the next.
    decided.push(Buffer.concat(seen.splice(0)));
    return decided;
  };

  return {
    line: () => split?.line() ?? firstLine,
    push: (block) => {
      const rest = skip(block);
      if (split !== undefined) return split.push(rest);
      seen.push(Buffer.from(rest));
      if (detection.push(rest)) decide();
    },
    finish: () => {
      if (split === undefined) detection.finish();
      (split ?? decide()).finish();
    },
  };
};
