/** Whether amounts have as many decimals as their currencies: nearly all do, and are in minor units as they were read. */
import { block, branch, branchIf, createFunction, i32, type Local, loop } from '@settler/wasm/module';

/** Currencies are looked up by their last letters, which nearly always tell those of one file apart. */
export const exponentPlaces = 32;
/** A known currency is its code, and below it its decimals. */
export const exponentBits = 8;

/** From codes and decimals of so many rows to how many of these agree, up to the first that does not or whose currency is not known. */
export const agreeingCode = () => {
  const { parameters, local, toCode } = createFunction(4);
  const [codes, decimals, count, known] = parameters as [Local, Local, Local, Local];
  const [code, row] = [local('i32'), local('i32')];
  const place = i32.add(known.get, i32.shiftLeft(i32.and(code.get, i32.of(exponentPlaces - 1)), i32.of(2)));
  return toCode(
    block(
      loop(
        branchIf(1, i32.isEqual(row.get, count.get)),
        code.set(i32.load(0, i32.add(codes.get, i32.shiftLeft(row.get, i32.of(2))))),
        branchIf(
          1,
          i32.isUnequal(
            i32.load(0, place),
            i32.or(i32.shiftLeft(code.get, i32.of(exponentBits)), i32.load8(0, i32.add(decimals.get, row.get))),
          ),
        ),
        row.set(i32.add(row.get, i32.of(1))),
        branch(0),
      ),
    ),
    row.get,
  );
};
