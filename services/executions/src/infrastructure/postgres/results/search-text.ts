/** The fields by which people know a record. */
export const searchedNames = ['id', 'reference', 'counterparty', 'description'] as const;
/** Letters of one record that are searched, and of all that a result has. */
export const recordLengthMax = 2_000;
export const lengthMax = 100_000;

const asStored = (text: string): string => text.toLowerCase().slice(0, lengthMax).toWellFormed().replaceAll('\0', '\ufffd');

/** What a search looks at: whatever people know a record by, in small letters. */
export const searchTextOf = (records: readonly Readonly<Record<string, unknown>>[]): string => {
  let text = '';
  for (const record of records) {
    const from = text.length;
    for (const name of searchedNames) {
      const value = record[name];
      if (typeof value === 'string' || typeof value === 'number') text += text === '' ? value : ` ${value}`;
    }
    if (text.length - from > recordLengthMax) text = text.slice(0, from + recordLengthMax);
    if (text.length > lengthMax) break;
  }
  return asStored(text);
};

/** The ids of the records in the same form; none where the text has them all. */
export const idsBeyond = (text: string, records: readonly Readonly<Record<string, unknown>>[]): string[] =>
  text.length < lengthMax ? [] : records.flatMap(({ id }) => (typeof id === 'string' ? [asStored(id)] : []));
