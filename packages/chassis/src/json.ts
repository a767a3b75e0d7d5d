/** JSON bodies, read with the checks that must come before anyone looks at the value. */
import { parseWithNames } from './json-names.ts';
import { inexact, isExact, pathOfInexact } from './json-numbers.ts';
import { namesIn, pathOfRepeated } from './json-repeats.ts';
import { pathText, validationRefusal } from './problem.ts';
import { Refusal } from './refusal.ts';

const nestingMax = 64;
/** Three bytes of an empty object become sixty of memory: 32 MiB of them took half a minute and more than a gigabyte. */
const containersMax = 1_000_000;
const valuesMax = 4_000_000;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * @throws Refusal `malformed_request` for what is not JSON, not UTF-8, nested too deep, or names `__proto__` or anything twice; `payload_too_large` for
 * millions of values; `validation_failed` for a text with NUL or half a surrogate pair in it, and for a number that would be rounded
 */
export const parseJson = (body: Buffer): unknown => {
  const { hasInexact, names } = requireBounded(body);
  const value = readJson(body);
  if (namesIn(value) < names)
    throw new Refusal('malformed_request', `The body has the field ${pathText(pathOfRepeated(decoder.decode(body)))} twice.`);
  if (hasInexact) throw validationRefusal([{ path: pathText(pathOfInexact(decoder.decode(body))), message: inexact }]);
  // Walked only where one of them can occur at all. A name can be written in escapes too.
  if (body.includes('\\u') || body.includes('__proto__')) requireStorable(value, 'body');
  return value;
};

const nameCharactersMax = 200_000;

const readJson = (body: Buffer): unknown => {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch (cause) {
    throw new Refusal('malformed_request', 'The body is not valid UTF-8.', { cause });
  }
  try {
    return parseWithNames(text, nameCharactersMax);
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('malformed_request', `The body is not valid JSON: ${(cause as Error).message}`.slice(0, 300), { cause });
  }
};

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [brace, braceEnd, bracket, bracketEnd] = [0x7b, 0x7d, 0x5b, 0x5d];

/** On the bytes, before anything is made of them. What is no JSON is counted somehow, and refused by whoever parses it. */
const requireBounded = (body: Buffer): { readonly hasInexact: boolean; readonly names: number } => {
  let depth = 0;
  let containers = 0;
  let values = 1;
  let names = 0;
  let hasInexact = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === quote) at = endOfText(body, at);
    else if (byte === comma) values += 1;
    else if (byte === colon) names += 1;
    else if (isDigit(byte)) {
      const start = at;
      at = endOfNumber(body, start);
      hasInexact ||= at > start + 2 && !isExact(body.toString('latin1', start, at + 1));
    } else if (byte === braceEnd || byte === bracketEnd) depth -= 1;
    else if (byte === brace || byte === bracket) {
      depth += 1;
      containers += 1;
      if (depth > nestingMax) throw new Refusal('malformed_request', `The body is nested deeper than ${nestingMax} levels.`);
    }
  }
  if (containers > containersMax) throw tooMany(containersMax, 'objects and lists');
  if (values > valuesMax) throw tooMany(valuesMax, 'values');
  return { hasInexact, names };
};

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const [point, plus, minus, smallE, capitalE] = [0x2e, 0x2b, 0x2d, 0x65, 0x45];

/** Its last byte; a sign before it is no part of it. */
const endOfNumber = (body: Buffer, start: number): number => {
  let at = start;
  for (;;) {
    const byte = body[at + 1];
    if (!isDigit(byte) && byte !== point && byte !== plus && byte !== minus && byte !== smallE && byte !== capitalE) return at;
    at += 1;
  }
};

const endOfText = (body: Buffer, start: number): number => {
  let at = start + 1;
  while (at < body.length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
};

const tooMany = (max: number, what: string): Refusal =>
  new Refusal('payload_too_large', `The body has more than ${max} ${what}, which is more than this route takes.`);

const plainValuesMax = 50_000;

/**
 * Validation says what is wrong with each value, so a million wrong ones would keep everybody waiting. Only a list called `bulkField`
 * may be long: whoever takes it looks at it without a schema for each item. @throws Refusal `payload_too_large`
 */
export const requireFew = (body: unknown, bulkField: string | undefined): void => {
  let values = 0;
  const waiting = [body].filter(isContainer);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of Object.keys(next)) {
      values += 1;
      if (values > plainValuesMax) throw tooMany(plainValuesMax, bulkField === undefined ? 'values' : `values beside its ${bulkField}`);
      const value = (next as Record<string, unknown>)[name];
      if (isContainer(value) && !(name === bulkField && Array.isArray(value))) waiting.push(value);
    }
  }
};

/** What no text of a database can hold; undefined where it can hold this one. */
export const unstorable = (text: string): string | undefined => {
  if (text.includes('\0')) return 'must not contain the character NUL';
  return text.isWellFormed() ? undefined : 'must not contain half a surrogate pair';
};

/** Of every text in it. @throws Refusal `validation_failed` with its place, `malformed_request` for a field called `__proto__` */
export const requireStorable = (value: unknown, what: 'body' | 'query'): void => {
  const fault = faultIn(value, what);
  if (fault !== undefined) throw validationRefusal([{ path: pathText(fault.path), message: fault.message }]);
};

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The path is put together on the way out, and so for a fault alone. */
const faultIn = (value: unknown, what: 'body' | 'query'): Fault | undefined => {
  if (typeof value === 'string') return faultOf(value);
  if (!isContainer(value)) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultIn(value[index], what);
      if (fault !== undefined) return within(index, fault);
    }
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw new Refusal('malformed_request', `The ${what} has a field called __proto__.`);
    const fault = faultOf(name) ?? faultIn((value as Record<string, unknown>)[name], what);
    if (fault !== undefined) return within(name, fault);
  }
  return undefined;
};

const within = (name: PropertyKey, { path, message }: Fault): Fault => ({ path: [name, ...path], message });

const faultOf = (text: string): Fault | undefined => {
  const message = unstorable(text);
  return message === undefined ? undefined : { path: [], message };
};

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
