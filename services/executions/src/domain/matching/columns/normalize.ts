/**
 * Transforms bring two spellings of the same thing to one. ASCII, which is nearly everything, is transformed on its bytes: what maps
 * or drops single bytes is one table, however many transforms said so. Everything else goes through strings. What is empty
 * afterwards is absent.
 */
import type { Transform } from '@settler/contracts/rules';
import { RE2JS } from 're2js';
import { isPresent, type TextColumn, textAt, textColumnOf } from './text-column.ts';

type Text = (text: string) => string;

const named: Readonly<Record<Extract<Transform, string>, Text>> = {
  trim: (text) => text.trim(),
  lowercase: (text) => text.toLowerCase(),
  collapseSpaces: (text) => text.replaceAll(/\s+/g, ' '),
  alphanumeric: (text) => text.replaceAll(/[^\p{L}\p{N}]/gu, ''),
  digits: (text) => text.replaceAll(/[^0-9]/g, ''),
  stripAccents: (text) => text.normalize('NFD').replaceAll(/\p{M}/gu, ''),
  stripLeadingZeros: (text) => text.replace(/^0+(?=.)/s, ''),
  negate: (text) => (/^-/.test(text) ? text.slice(1) : /^[0.]*$/.test(text) ? text : `-${text}`),
  abs: (text) => text.replace(/^-/, ''),
};

const textStep = (transform: Transform): Text => {
  if (typeof transform === 'string') return named[transform];
  if ('stripPrefix' in transform)
    return (text) => (text.startsWith(transform.stripPrefix) ? text.slice(transform.stripPrefix.length) : text);
  if ('stripSuffix' in transform)
    return (text) => (text.endsWith(transform.stripSuffix) ? text.slice(0, -transform.stripSuffix.length) : text);
  if ('round' in transform) return (text) => roundText(text, transform.round);
  const { pattern, with: replacement } = transform.regexReplace;
  const compiled = RE2JS.compile(pattern);
  return (text) => compiled.matcher(text).replaceAll(replacement);
};

/** Half away from zero, on the text itself: money never passes through a float. What is not a number stays as it is. */
export const roundText = (text: string, digits: number): string => {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = ''] = match;
  const kept = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  const rounded = (kept + ((fraction[digits] ?? '0') >= '5' ? 1n : 0n)).toString().padStart(digits + 1, '0');
  const magnitude = digits === 0 ? rounded : `${rounded.slice(0, -digits)}.${rounded.slice(-digits)}`;
  return /^[0.]*$/.test(magnitude) ? magnitude : sign + magnitude;
};

export const transformed = (transforms: readonly Transform[]): Text => {
  const steps = transforms.map(textStep);
  return (text) => steps.reduce((current, step) => step(current), text);
};

/** Its upper bit alone says that a byte is dropped, so that dropping one needs no branch. */
const dropped = 0x8000;
type Table = Uint16Array;

const asItIs: Table = Uint16Array.from({ length: 128 }, (_, byte) => byte);

/** What one transform makes of each ASCII byte alone; undefined where it looks at more than one. */
const tableOf = (transform: Transform): Table | undefined => {
  if (transform !== 'lowercase' && transform !== 'alphanumeric' && transform !== 'digits' && transform !== 'stripAccents') return undefined;
  return asItIs.map((byte) => {
    const text = named[transform](String.fromCharCode(byte));
    return text === '' ? dropped : text.charCodeAt(0);
  });
};

/** A step over the bytes from `start` to `end`; the result is among them, and `range` says where. */
type ByteStep = (bytes: Uint8Array, range: { start: number; end: number }) => void;

const mapBytes =
  (table: Table): ByteStep =>
  (bytes, range) => {
    let end = range.start;
    for (let at = range.start; at < range.end; at += 1) {
      const mapped = table[bytes[at] as number] as number;
      if (mapped === dropped) continue;
      bytes[end] = mapped;
      end += 1;
    }
    range.end = end;
  };

const asBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const stripPrefixBytes =
  (prefix: Uint8Array): ByteStep =>
  (bytes, range) => {
    if (range.end - range.start < prefix.length) return;
    for (let at = 0; at < prefix.length; at += 1) if (bytes[range.start + at] !== prefix[at]) return;
    range.start += prefix.length;
  };

const stripSuffixBytes =
  (suffix: Uint8Array): ByteStep =>
  (bytes, range) => {
    const from = range.end - suffix.length;
    if (from < range.start) return;
    for (let at = 0; at < suffix.length; at += 1) if (bytes[from + at] !== suffix[at]) return;
    range.end = from;
  };

/** As `trim` of a string sees it, among ASCII. */
const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

const trimBytes: ByteStep = (bytes, range) => {
  while (range.start < range.end && isSpace(bytes[range.start] as number)) range.start += 1;
  while (range.end > range.start && isSpace(bytes[range.end - 1] as number)) range.end -= 1;
};

const stripZeroBytes: ByteStep = (bytes, range) => {
  while (range.end - range.start > 1 && bytes[range.start] === 48) range.start += 1;
};

interface ByteSteps {
  /** What becomes of each byte as it is copied. */
  readonly table: Table;
  readonly after: readonly ByteStep[];
}

/** Undefined where a transform has no form over bytes, and every row goes through strings. */
const byteSteps = (transforms: readonly Transform[]): ByteSteps | undefined => {
  const steps: (Table | ByteStep)[] = [];
  for (const transform of transforms) {
    const table = tableOf(transform);
    const before = steps.at(-1);
    if (table !== undefined && typeof before === 'object') {
      steps[steps.length - 1] = before.map((byte) => (byte === dropped ? dropped : (table[byte] as number)));
    } else if (table !== undefined) steps.push(table);
    else if (transform === 'trim') steps.push(trimBytes);
    else if (transform === 'stripLeadingZeros') steps.push(stripZeroBytes);
    else if (typeof transform === 'object' && 'stripPrefix' in transform) steps.push(stripPrefixBytes(asBytes(transform.stripPrefix)));
    else if (typeof transform === 'object' && 'stripSuffix' in transform) steps.push(stripSuffixBytes(asBytes(transform.stripSuffix)));
    else return undefined;
  }
  const [first] = steps;
  const table = typeof first === 'object' ? first : asItIs;
  return { table, after: steps.slice(table === first ? 1 : 0).map((step) => (typeof step === 'object' ? mapBytes(step) : step)) };
};

/** The column after its transforms; the very same one where there are none. */
export const normalized = (column: TextColumn, transforms: readonly Transform[]): TextColumn => {
  if (transforms.length === 0) return column;
  const steps = byteSteps(transforms);
  const throughText = transformed(transforms);
  if (steps === undefined)
    return textColumnOf(column.offsets.length - 1, (row) => (isPresent(column, row) ? throughText(textAt(column, row)) : ''));
  return throughBytes(column, steps, (row) => throughText(textAt(column, row)));
};

const encoder = new TextEncoder();

/** Bytes do not become more; only what goes through strings may. */
const throughBytes = (column: TextColumn, steps: ByteSteps, throughText: (row: number) => string): TextColumn => {
  const ends = new Uint32Array(column.offsets.length);
  let made = new Uint8Array(column.bytes.length);
  let row = mapRows(column, steps, made, ends, 0);
  while (row < ends.length - 1) {
    const used = ends[row] as number;
    const text = throughText(row);
    if (used + text.length * 3 > made.length) {
      const grown = new Uint8Array(Math.ceil((used + text.length * 3) * 1.3));
      grown.set(made.subarray(0, used));
      made = grown;
    }
    ends[row + 1] = used + encoder.encodeInto(text, made.subarray(used)).written;
    row = mapRows(column, steps, made, ends, row + 1);
  }
  return { bytes: made.subarray(0, ends[row]), offsets: ends };
};

/** From a row on as far as rows are ASCII and have room; returns the first that is not or has not. */
const mapRows = (
  { bytes, offsets }: TextColumn,
  { table, after }: ByteSteps,
  made: Uint8Array,
  ends: Uint32Array,
  first: number,
): number => {
  const range = { start: 0, end: 0 };
  let used = ends[first] as number;
  for (let row = first; row < ends.length - 1; row += 1) {
    const start = offsets[row] as number;
    const end = offsets[row + 1] as number;
    if (used + end - start > made.length) return row;
    let to = used;
    let all = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      const mapped = table[byte & 127] as number;
      all |= byte;
      made[to] = mapped;
      to += 1 - (mapped >>> 15);
    }
    if (all > 127) return row;
    if (after.length > 0) {
      range.start = used;
      range.end = to;
      for (const step of after) step(made, range);
      // Byte by byte: they are few, and a call of the runtime costs more than they do.
      if (range.start > used) for (let at = range.start, into = used; at < range.end; at += 1, into += 1) made[into] = made[at] as number;
      to = used + range.end - range.start;
    }
    used = to;
    ends[row + 1] = used;
  }
  return ends.length - 1;
};
