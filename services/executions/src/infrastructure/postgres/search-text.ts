const searched = ['id', 'reference', 'counterparty', 'description'] as const;
const lengthMax = 2_000;

/** What a search looks at: whatever people know a record by, in small letters. */
export const searchTextOf = (records: readonly Readonly<Record<string, unknown>>[]): string =>
  records
    .flatMap((record) => searched.map((name) => record[name]))
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .join(' ')
    .toLowerCase()
    .slice(0, lengthMax)
    // As a text is stored.
    .toWellFormed()
    .replaceAll('\0', '\ufffd');
