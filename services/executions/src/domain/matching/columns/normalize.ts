/**
 * Transforms bring two spellings of the same thing to one. ASCII, which is nearly everything, is transformed on its bytes: what maps
 * or drops single bytes is one table, however many transforms said so. Everything else goes through strings. What is empty
 * afterwards is absent.
 */
import type { Transform } from '@settler/contracts/rules';
import { RE2JS } from 're2js';
import { createTextHeap, type TextColumn, textAt } from './text-column.ts';

type Text = (text: string) => string;

const named: Readonly<Record<Extract<Transform, string>, Text>> = {
  trim: (text) => text.trim(),
  lowercase: (text) => text.toLowerCase(),
  collapseSpaces: (text) => text.replaceAll(/\s+/g, ' '),
  alphanumeric: (text) => text.replaceAll(/[^\p{L}\p{N}]/gu, ''),
  digits: (text) => text.replaceAll(/[^0-9]/g, ''),
  stripAccents: (text) => text.normalize('NFD').replaceAll(/\p{M}/gu, ''),
  stripLeadingZeros: (text) => text.replace(/^0+(?=.)/, ''),
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

const dropped = 0xffff;
type Table = Uint16Array;

/** What one transform makes of each ASCII byte alone; undefined where it looks at more than one. */
const tableOf = (transform: Transform): Table | undefined => {
  if (transform !== 'lowercase' && transform !== 'alphanumeric' && transform !== 'digits' && transform !== 'stripAccents') return undefined;
  return Uint16Array.from({ length: 128 }, (_, byte) => {
    const text = named[transform](String.fromCharCode(byte));
    return text === '' ? dropped : text.charCodeAt(0);
  });
};

/** A step over the bytes from `start` to `end` of a scratch buffer; the result is in the same buffer, and `range` says where. */
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

/** Undefined where a transform has no form over bytes, and every row goes through strings. */
const byteSteps = (transforms: readonly Transform[]): readonly ByteStep[] | undefined => {
  const steps: ByteStep[] = [];
  let table: Table | undefined;
  const endTable = (): void => {
    if (table !== undefined) steps.push(mapBytes(table));
    table = undefined;
  };
  for (const transform of transforms) {
    const next = tableOf(transform);
    if (next !== undefined) {
      const before = table;
      table = before === undefined ? next : before.map((byte) => (byte === dropped ? dropped : (next[byte] as number)));
      continue;
    }
    endTable();
    if (transform === 'trim') steps.push(trimBytes);
    else if (transform === 'stripLeadingZeros') steps.push(stripZeroBytes);
    else if (typeof transform === 'object' && 'stripPrefix' in transform) steps.push(stripPrefixBytes(asBytes(transform.stripPrefix)));
    else if (typeof transform === 'object' && 'stripSuffix' in transform) steps.push(stripSuffixBytes(asBytes(transform.stripSuffix)));
    else return undefined;
  }
  endTable();
  return steps;
};

/** The column after its transforms; the very same one where there are none. */
export const normalized = (column: TextColumn, transforms: readonly Transform[]): TextColumn => {
  if (transforms.length === 0) return column;
  const { bytes, offsets } = column;
  const rows = offsets.length - 1;
  const steps = byteSteps(transforms);
  const throughText = transformed(transforms);
  const heap = createTextHeap();
  const range = { start: 0, end: 0 };
  let scratch = new Uint8Array(256);
  for (let row = 0; row < rows; row += 1) {
    const start = offsets[row] as number;
    const end = offsets[row + 1] as number;
    if (steps === undefined) {
      heap.add(start === end ? '' : throughText(textAt(column, row)));
      continue;
    }
    if (end - start > scratch.length) scratch = new Uint8Array((end - start) * 2);
    let all = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      all |= byte;
      scratch[at - start] = byte;
    }
    if (all > 127) {
      heap.add(throughText(textAt(column, row)));
      continue;
    }
    range.start = 0;
    range.end = end - start;
    for (const step of steps) step(scratch, range);
    heap.addBytes(scratch, range.start, range.end);
  }
  return heap.build();
};
