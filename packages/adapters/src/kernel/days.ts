/**
 * Days such as `2026-04-01`, as numbers: looked up, because files have few. Whoever meets one that is not known writes it down: the ten
 * bytes, two zeros, and the number, in its place.
 */
import { type Code, createFunction, i32, type Local } from '@settler/wasm/module';
import { readingCode } from './rows.ts';

const entryBytes = 16;
/** Those of eight years that follow each other have places of their own. */
const entries = 8 * 512;
export const knownDaysBytes = entries * entryBytes;
/** Of the number in its entry. */
export const knownDayAt = 12;
export const dayLength = 10;

const yearAt = 0;
const monthAt = 4;
const dayAt = 8;

const bitsOf = (word: Code, shift: number, mask: number): Code => i32.and(i32.shiftRight(word, i32.of(shift)), i32.of(mask));

const placeOf = (known: Local, start: Local): Code => {
  const month = i32.load(monthAt, start.get);
  const day = i32.load(dayAt, start.get);
  const inYear = [
    i32.multiply(bitsOf(month, 8, 1), i32.of(320)),
    i32.multiply(bitsOf(month, 16, 15), i32.of(32)),
    i32.multiply(bitsOf(day, 0, 3), i32.of(10)),
    bitsOf(day, 8, 15),
  ].reduce((sum, part) => i32.add(sum, part));
  const ofYear = i32.multiply(bitsOf(i32.load(yearAt, start.get), 24, 7), i32.of(512));
  return i32.add(known.get, i32.multiply(i32.of(entryBytes), i32.and(i32.add(inYear, ofYear), i32.of(entries - 1))));
};

/** Where the day that begins at an address is known, once it is. */
export const dayPlaceCode = () => {
  const { parameters, toCode } = createFunction(2);
  const [known, start] = parameters as [Local, Local];
  return toCode(placeOf(known, start));
};

export const daysCode = () =>
  readingCode(4, 1, ({ start, end, into, options, local, leaveIf }) => {
    const [known] = options as [Local];
    const place = local('i32');
    const isOther = (at: number, mask: number): Code => i32.and(i32.xor(i32.load(at, start.get), i32.load(at, place.get)), i32.of(mask));
    const each = [
      leaveIf(i32.isUnequal(i32.subtract(end.get, start.get), i32.of(dayLength))),
      place.set(placeOf(known, start)),
      leaveIf(i32.or(i32.or(isOther(yearAt, -1), isOther(monthAt, -1)), isOther(dayAt, 0xffff))),
      i32.store(0, into.get, i32.load(knownDayAt, place.get)),
    ];
    return { each };
  });
