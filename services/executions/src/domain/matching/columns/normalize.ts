/**
 * Transforms bring two spellings of the same thing to one. ASCII, which is nearly everything, is transformed on its bytes: what maps
 * or drops single bytes is one table, however many transforms said so. Everything else goes through strings. What is empty
 * afterwards is absent.
 */
import type { Transform } from '@settler/contracts/rules';
import { RE2JS } from 're2js';
import {
  type ByteMap,
  type ByteTransform,
  type ByteTransforms,
  createByteTransforms,
  dropped,
  type TransformBlock,
} from './byte-transforms.ts';
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
  negate: (text) => (/^-/.test(text) ? text.slice(1) : /^\+?[0.]*$/.test(text) ? text : `-${text.replace(/^\+/, '')}`),
  abs: (text) => text.replace(/^[+-]/, ''),
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
  const match = /^(?:\+|(-)?)(\d+)(?:\.(\d+))?$/.exec(text);
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

const asItIs: ByteMap = Uint16Array.from({ length: 128 }, (_, byte) => byte);

/** What one transform makes of each ASCII byte alone; undefined where it looks at more than one. */
const mapOf = (transform: Transform): ByteMap | undefined => {
  if (transform !== 'lowercase' && transform !== 'alphanumeric' && transform !== 'digits' && transform !== 'stripAccents') return undefined;
  return asItIs.map((byte) => {
    const text = named[transform](String.fromCharCode(byte));
    return text === '' ? dropped : text.charCodeAt(0);
  });
};

const encoder = new TextEncoder();

/** Undefined where it has no form over bytes, and every row goes through strings. */
const byteTransformOf = (transform: Transform): ByteTransform | undefined => {
  const map = mapOf(transform);
  if (map !== undefined) return { map };
  if (transform === 'trim' || transform === 'stripLeadingZeros') return transform;
  if (typeof transform === 'string') return undefined;
  if ('stripPrefix' in transform) return { stripPrefix: encoder.encode(transform.stripPrefix) };
  return 'stripSuffix' in transform ? { stripSuffix: encoder.encode(transform.stripSuffix) } : undefined;
};

/** The same with what maps single bytes put together, and something that does so first. */
const byteTransforms = (transforms: readonly Transform[]): ByteTransforms | undefined => {
  const steps: [...ByteTransforms] = [{ map: asItIs }];
  for (const transform of transforms) {
    const step = byteTransformOf(transform);
    if (step === undefined) return undefined;
    const before = steps.at(-1);
    if (typeof step === 'object' && 'map' in step && typeof before === 'object' && 'map' in before) {
      steps[steps.length - 1] = { map: before.map.map((byte) => (byte === dropped ? dropped : (step.map[byte] as number))) };
    } else steps.push(step);
  }
  return steps;
};

/** The column after its transforms; the very same one where there are none. */
export const normalized = (column: TextColumn, transforms: readonly Transform[]): TextColumn => {
  if (transforms.length === 0) return column;
  const steps = byteTransforms(transforms);
  const throughText = transformed(transforms);
  if (steps === undefined)
    return textColumnOf(column.offsets.length - 1, (row) => (isPresent(column, row) ? throughText(textAt(column, row)) : ''));
  return throughBytes(column, createByteTransforms(steps), (row) => throughText(textAt(column, row)));
};

const throughBytes = (column: TextColumn, transformBlock: TransformBlock, throughText: (row: number) => string): TextColumn => {
  const rows = column.offsets.length - 1;
  const offsets = new Uint32Array(rows + 1);
  // Bytes do not become more; only what goes through strings may.
  let made = new Uint8Array(column.bytes.length);
  let used = 0;
  const reserve = (more: number): void => {
    if (used + more <= made.length) return;
    const grown = new Uint8Array(Math.ceil((used + more) * 1.3));
    grown.set(made.subarray(0, used));
    made = grown;
  };
  for (let first = 0; first < rows; ) {
    const block = transformBlock(column, first);
    let row = 0;
    const addUntil = (last: number): void => {
      const start = row === 0 ? 0 : (block.ends[row - 1] as number);
      const end = last === 0 ? 0 : (block.ends[last - 1] as number);
      reserve(end - start);
      made.set(block.bytes.subarray(start, end), used);
      placeEnds(block.ends.subarray(row, last), used - start, offsets, first + row + 1);
      used += end - start;
      row = last;
    };
    for (const other of block.others) {
      addUntil(other);
      const text = throughText(first + other);
      reserve(text.length * 3);
      used += encoder.encodeInto(text, made.subarray(used)).written;
      row = other + 1;
      offsets[first + row] = used;
    }
    addUntil(block.rows);
    first += block.rows;
  }
  return { bytes: made.subarray(0, used), offsets };
};

const placeEnds = (ends: Uint32Array, shift: number, into: Uint32Array, at: number): void => {
  for (let index = 0; index < ends.length; index += 1) into[at + index] = (ends[index] as number) + shift;
};
