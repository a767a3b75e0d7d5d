/** One loop for all that read a column: row after row, up to the first that is not plain. */
import { block, branch, branchIf, type Code, createFunction, i32, type Local, loop } from '@settler/wasm/module';

type Reading = {
  /** Where the cell of this row begins and ends. */
  readonly start: Local;
  readonly end: Local;
  /** Where its value is to be written. */
  readonly into: Local;
  readonly options: readonly Local[];
  readonly local: ReturnType<typeof createFunction>['local'];
  /** Out of the loop: the row is left to others. Not from a block within the body. */
  readonly leaveIf: (condition: Code) => Code;
};

/**
 * A function of the address of the first cell's bounds, how many bytes the rows are apart, how many there are, where to write,
 * and options of its own; it answers how many it has read. Each value takes so many bytes.
 */
export const readingCode = (
  valueBytes: number,
  optionCount: number,
  body: (reading: Reading) => { readonly before?: readonly Code[]; readonly each: readonly Code[] },
) => {
  const { parameters, local, toCode } = createFunction(4 + optionCount);
  const [cell, step, rows, into, ...options] = parameters as [Local, Local, Local, Local, ...Local[]];
  const [start, end, left] = [local('i32'), local('i32'), local('i32')];
  const leaveIf = (condition: Code): Code => branchIf(1, condition);
  const { before = [], each } = body({ start, end, into, options, local, leaveIf });
  return toCode(
    ...before,
    left.set(rows.get),
    block(
      loop(
        leaveIf(i32.isZero(left.get)),
        start.set(i32.load(0, cell.get)),
        end.set(i32.load(4, cell.get)),
        ...each,
        into.set(i32.add(into.get, i32.of(valueBytes))),
        cell.set(i32.add(cell.get, step.get)),
        left.set(i32.subtract(left.get, i32.of(1))),
        branch(0),
      ),
    ),
    i32.subtract(rows.get, left.get),
  );
};
