/** What an exception is about, by identity and not by content, so that a rerun finds the one that is open already. */
import { createHash } from 'node:crypto';
import type { Side } from '../../../domain/side.ts';

type Records = readonly unknown[];
export interface Keyed {
  readonly outcome: string;
  readonly line: number | null;
  readonly position: number;
  /** Of those without ids that say the same, or of rows of one id that cannot be read, which one it is; null is the first. */
  readonly occurrence: number | null;
  readonly source: Records;
  readonly target: Records;
}

export const keyLengthMax = 1_000;

const separators = /[%,|]/g;
const nameOf = (record: unknown): string => {
  const id = (record as Record<string, unknown>)['id'];
  // An id is not taken for several, nor for those of two sides.
  return id === undefined || id === null ? JSON.stringify(inOrder(record)) : String(id).replaceAll(separators, encodeURIComponent);
};
const namesOf = (records: Records): string[] => records.map(nameOf);
const keyOfSide = (side: Side, records: Records): string => `${side}:${namesOf(records).join(',')}`;

/** With its fields in the order of jsonb, whoever has read it: stored and not yet stored, a record has one key. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => ({ name, bytes: Buffer.from(name), item }))
      .sort((one, other) => one.bytes.length - other.bytes.length || Buffer.compare(one.bytes, other.bytes))
      .map(({ name, item }) => [name, inOrder(item)]),
  );
};

/** Nobody finds a second text for it. */
export const hashOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');

/** What a key has room for besides its number. */
const unnumberedMax = keyLengthMax - '#2147483647'.length;
const endOfCut = /~[\w-]{43}$/;
const cut = (key: string): string => {
  if (key.length <= unnumberedMax) return key;
  const end = `~${hashOf(key)}`;
  return key.slice(0, unnumberedMax - end.length) + end;
};

/** The first has no number. */
const numbered = (key: string, occurrence: number | null): string =>
  cut(key) + (occurrence === null || occurrence === 1 ? '' : `#${occurrence}`);

/** Of a record that stands alone. */
export const keyOfOne = (side: Side, record: unknown, occurrence: number | null): string => numbered(keyOfSide(side, [record]), occurrence);

export const recordKey = ({ outcome, line, position, occurrence, source, target }: Keyed): string => {
  const keys = [
    ...(source.length === 0 ? [] : [keyOfSide('source', source)]),
    ...(target.length === 0 ? [] : [keyOfSide('target', target)]),
  ];
  const key = keys.length === 0 ? `line:${line ?? position}` : keys.join('|');
  // By its line only what has no name: files move their rows.
  const hasName = keys.length > 0 && [...source, ...target].every((record) => (record as Record<string, unknown>)['id'] !== undefined);
  const whole = outcome === 'invalid' ? `invalid:${hasName ? '' : (line ?? '')}:${key}` : key;
  // Rows that contradict each other under one id. The id may end like a number itself, but in no bar.
  return numbered(hasName && occurrence !== null && occurrence > 1 ? `${whole}|` : whole, occurrence);
};

/** Of a result of which something could be read. */
export const keyOfResult = (result: Omit<Keyed, 'line'>): string => recordKey({ ...result, line: null });

/** The side of the first record that has this key. */
export const firstSideIn = (key: string): Side => (/^(?:invalid:\d*:)?source:/.test(key) ? 'source' : 'target');

/** How many of the records that have this key stand in the source, before those in the target. */
export const sourcesIn = (key: string, records: Records): number => {
  if (firstSideIn(key) === 'target') return 0;
  const unnumbered = key.replace(/#\d+$/, '');
  const sides = (unnumbered.length === unnumberedMax ? unnumbered.replace(endOfCut, '') : unnumbered).replace(/^invalid:\d*:/, '');
  const names = namesOf(records);
  let until = 'source:'.length - 1;
  for (let sources = 1; sources < names.length; sources += 1) {
    until += 1 + (names[sources - 1] as string).length;
    if (until >= sides.length) break;
    if (sides.startsWith(`|target:${names[sources]}`.slice(0, sides.length - until), until)) return sources;
  }
  // Where so many stand in the source that the key has no room for the target, one payment is for all of them.
  return Math.max(1, names.length - 1);
};
