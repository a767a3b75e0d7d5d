/** What an exception is about, by identity and not by content, so that a rerun finds the one that is open already. */

type Records = readonly unknown[];
export interface Keyed {
  readonly outcome: string;
  readonly line: number | null;
  readonly position: number;
  readonly source: Records;
  readonly target: Records;
}

export const keyLengthMax = 1_000;

const keyOfSide = (side: 'source' | 'target', records: Records): string =>
  `${side}:${(records as Record<string, unknown>[]).map((record) => record['id'] ?? JSON.stringify(record)).join(',')}`;

/** Of a record that stands alone. */
export const keyOfOne = (side: 'source' | 'target', record: unknown): string => keyOfSide(side, [record]).slice(0, keyLengthMax);

export const recordKey = ({ outcome, line, position, source, target }: Keyed): string => {
  const keys = [
    ...(source.length === 0 ? [] : [keyOfSide('source', source)]),
    ...(target.length === 0 ? [] : [keyOfSide('target', target)]),
  ];
  const key = keys.length === 0 ? `line:${line ?? position}` : keys.join('|');
  return (outcome === 'invalid' ? `invalid:${line ?? ''}:${key}` : key).slice(0, keyLengthMax);
};
