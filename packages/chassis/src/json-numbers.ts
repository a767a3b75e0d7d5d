/**
 * Numbers of JSON that a double rounds: an order 9007199254740993 would be read as 9007199254740992, and be taken for that one. They are
 * refused with their place, and not read as something else.
 */

export const inexact = 'is a number that would be rounded; write it as a string';

/** Shorter ones are told apart from every other. */
const exactLengthMax = 15;

/** Whether the number, as it is written in JSON, is the one that is read. */
export const isExact = (written: string): boolean => {
  if (written.length <= exactLengthMax && !/[eE]/.test(written)) return true;
  const read = Number(written);
  // What is no number is refused by whoever parses it.
  return Number.isNaN(read) || (Number.isFinite(read) && plain(written) === plain(String(read)));
};

/** Its digits without zeros at either end, and the power of ten of the last of them. */
const plain = (written: string): string => {
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  return significant === '' ? '0' : `${significant}e${Number(power) - fraction.length + digits.length - significant.length}`;
};

/** As Node has it, which tells a reviver what was written. */
const parse = JSON.parse as (
  text: string,
  revive: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** Where the first of them stands. */
export const pathOfInexact = (text: string): readonly PropertyKey[] => {
  const found = Symbol('inexact');
  const value = parse(text, (_name, read, { source }) =>
    typeof read === 'number' && source !== undefined && !isExact(source) ? found : read,
  );
  return pathOf(value, found) ?? [];
};

const pathOf = (value: unknown, sought: symbol): readonly PropertyKey[] | undefined => {
  if (value === sought) return [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const path = pathOf(inner, sought);
    if (path !== undefined) return [Array.isArray(value) ? Number(name) : name, ...path];
  }
  return undefined;
};
