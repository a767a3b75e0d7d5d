/** From stops to where cells begin and end, as long as the rows are plain: as wide as the header, and quoted without doubled quotes or line ends. */
import { block, branch, branchIf, type Code, createFunction, i32, type Local, loop, when } from '@settler/wasm/module';

/** What it goes on from, and leaves behind: addresses and line numbers, each a word. */
export const cursorWords = 7;

const lf = i32.of(10);
const cr = i32.of(13);
const quote = i32.of(34);
const one = i32.of(1);
const wordBytes = i32.of(4);
const cellBytes = i32.of(8);

/** Answers the address of the first stop that it leaves to others. */
export const cellsCode = () => {
  const { parameters, local, toCode } = createFunction(8);
  const [stop, stopsEnd, boundsEnd, linesEnd, cursor, separator, rowBytes, recordBytesMax] = parameters as [
    ...[stop: Local, stopsEnd: Local, boundsEnd: Local, linesEnd: Local],
    ...[cursor: Local, separator: Local, rowBytes: Local, recordBytesMax: Local],
  ];
  const state = Array.from({ length: cursorWords }, () => local('i32'));
  const [cellStart, recordStart, next, rowFirst, nextLine, line, recordLine] = state as [Local, Local, Local, Local, Local, Local, Local];
  const [at, byte, after, start, end] = Array.from({ length: 5 }, () => local('i32')) as [Local, Local, Local, Local, Local];

  const advance = (place: Local, by: Code): Code => place.set(i32.add(place.get, by));
  const isTooLong = (): Code => i32.isBelow(recordBytesMax.get, i32.subtract(at.get, recordStart.get));
  const takeCell = (from: Local, to: Local): Code => [
    ...i32.store(0, next.get, from.get),
    ...i32.store(4, next.get, to.get),
    ...advance(next, cellBytes),
    ...cellStart.set(i32.add(at.get, one)),
  ];

  const untilQuote = loop(
    when(
      i32.isBelow(after.get, stopsEnd.get),
      when(i32.isEqual(i32.load8(0, i32.load(0, after.get)), separator.get), advance(after, wordBytes), branch(2)),
    ),
  );
  // From within these, 2 is out of the loop over the stops: what has begun there is not plain.
  const passQuoted = when(
    i32.isEqual(byte.get, quote),
    // In the middle of a cell it is text.
    when(i32.isUnequal(at.get, cellStart.get), stop.set(after.get), branch(2)),
    // Up to the next quote nothing may stand but delimiters, and right behind it a delimiter or a line end.
    untilQuote,
    branchIf(2, i32.isZero(i32.isBelow(i32.add(after.get, wordBytes), stopsEnd.get))),
    end.set(i32.load(0, after.get)),
    at.set(i32.load(4, after.get)),
    branchIf(2, i32.isUnequal(i32.load8(0, end.get), quote)),
    branchIf(2, i32.isUnequal(at.get, i32.add(end.get, one))),
    branchIf(2, isTooLong()),
    byte.set(i32.load8(0, at.get)),
    branchIf(2, i32.isEqual(byte.get, quote)),
    advance(start, one),
    advance(after, cellBytes),
  );
  const passLineEnd = when(
    i32.isUnequal(byte.get, separator.get),
    branchIf(2, i32.isUnequal(i32.add(next.get, cellBytes), i32.add(rowFirst.get, rowBytes.get))),
    branchIf(2, i32.isZero(byte.get)),
    branchIf(2, isTooLong()),
    branchIf(2, i32.isEqual(nextLine.get, linesEnd.get)),
    // A blank line is no row.
    branchIf(2, i32.and(i32.isEqual(next.get, rowFirst.get), i32.isEqual(at.get, cellStart.get))),
    when(
      i32.isEqual(byte.get, cr),
      // The LF that may follow is part of this line end. Where it is not here yet, others will see to it.
      branchIf(3, i32.isEqual(after.get, stopsEnd.get)),
      when(
        i32.and(i32.isEqual(i32.load(0, after.get), i32.add(at.get, one)), i32.isEqual(i32.load8(1, at.get), lf)),
        advance(after, wordBytes),
        advance(at, one),
      ),
    ),
    rowFirst.set(i32.add(next.get, cellBytes)),
    i32.store(0, nextLine.get, recordLine.get),
    advance(nextLine, wordBytes),
    advance(line, one),
    recordLine.set(line.get),
    recordStart.set(i32.add(at.get, one)),
  );
  return toCode(
    ...state.map((word, index) => word.set(i32.load(4 * index, cursor.get))),
    block(
      loop(
        branchIf(1, i32.isZero(i32.isBelow(stop.get, stopsEnd.get))),
        branchIf(1, i32.isZero(i32.isBelow(next.get, boundsEnd.get))),
        at.set(i32.load(0, stop.get)),
        byte.set(i32.load8(0, at.get)),
        // Most of them are.
        when(i32.isEqual(byte.get, separator.get), takeCell(cellStart, at), advance(stop, wordBytes), branch(1)),
        after.set(i32.add(stop.get, wordBytes)),
        start.set(cellStart.get),
        end.set(at.get),
        passQuoted,
        passLineEnd,
        takeCell(start, end),
        stop.set(after.get),
        branch(0),
      ),
    ),
    ...state.map((word, index) => i32.store(4 * index, cursor.get, word.get)),
    stop.get,
  );
};
