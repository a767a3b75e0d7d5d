/** A value that is not what its field must be. The reason follows the field's name in a sentence: `amount` `"NaN" is not a number …`. */
export type Unreadable = { readonly reason: string };

export const empty: Unreadable = { reason: 'is empty' };

/** Long enough to recognise a value by, short enough that a cell of a megabyte does not become a message of one. */
const excerptLength = 40;

export const shortened = (text: string, length = excerptLength): string =>
  (text.length > length ? `${text.slice(0, length)}…` : text).toWellFormed();

export const quoted = (text: string): string => JSON.stringify(shortened(text));

/** PostgreSQL stores neither NUL nor half a surrogate pair: such text is refused where it comes in, not where it would fail. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
