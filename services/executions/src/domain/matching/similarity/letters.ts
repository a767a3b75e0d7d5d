/** A text as the units of UTF-16 that it is made of: those of `units` from `from` to before `to`. */
import { comparedMax } from './measure.ts';

export interface Letters {
  readonly units: Uint16Array;
  readonly from: number;
  readonly to: number;
  /** Which of 32 classes of letters there are: what only one of two texts has costs it an edit each. */
  readonly classes: number;
  /** Which copy of it the kernel of `levenshtein` made last, counted from 0. */
  copy: number;
}

const neverCopied = -(2 ** 30);

/** Texts lie one behind the other in arrays of this many units, because an array for each costs more than most comparisons. */
const sheetUnits = 32 * 1024;

let sheet = new Uint16Array(sheetUnits);
let used = 0;

export const spell = (text: string): Letters => {
  const length = Math.min(text.length, comparedMax);
  if (used + length > sheetUnits) {
    sheet = new Uint16Array(sheetUnits);
    used = 0;
  }
  const units = sheet;
  const from = used;
  let classes = 0;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    units[from + index] = unit;
    classes |= 1 << unit;
  }
  used += length;
  return { units, from, to: used, classes, copy: neverCopied };
};

const wordBits = 32;

export const fitsWord = ({ from, to }: Letters): boolean => to - from <= wordBits;

/** Where each letter stands in a text that fits a word, as bits; made once for all the texts that it is compared with in a row. */
export const createPlaces = (): ((letters: Letters) => Int32Array) => {
  const places = new Int32Array(0x10000);
  let current: Letters | undefined;
  const wipe = ({ units, from, to }: Letters): void => {
    for (let index = from; index < to; index += 1) places[units[index] as number] = 0;
  };
  const mark = ({ units, from, to }: Letters): void => {
    for (let index = from; index < to; index += 1) {
      const unit = units[index] as number;
      places[unit] = (places[unit] as number) | (1 << (index - from));
    }
  };
  return (letters) => {
    if (letters === current) return places;
    if (current !== undefined) wipe(current);
    mark(letters);
    current = letters;
    return places;
  };
};
