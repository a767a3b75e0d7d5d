/**
 * JSON.parse of Node 24 and 26 compares an escaped name as it is written with names that it has met, and takes one that the text begins
 * with: after somebody's field `W\u00e4`, backslash and all, everybody's `"W\u00e4hrung"` is read as that one
 * (https://github.com/nodejs/node/issues/63785). So it is given no name with a backslash. A number stands for each, behind half a
 * surrogate pair, which no text from UTF-8 has.
 */
import { Refusal } from './refusal.ts';

const mark = '\udc00';
const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];

/**
 * `text`: decoded from UTF-8. `charactersMax`: in names that are written with a backslash, each of which is read by itself; records have the
 * same few again and again. @throws SyntaxError, or Refusal `payload_too_large`
 */
export const parseWithNames = (text: string, charactersMax = Number.POSITIVE_INFINITY): unknown => {
  const names = new Map<string, number>();
  const marked = text.includes('\\') ? withMarks(text, names, charactersMax) : text;
  const value: unknown = JSON.parse(marked);
  // What is no name is read as it is written.
  const read = [...names.keys()].map((written) => JSON.parse(`"${written}"`) as string);
  return names.size === 0 ? value : withNames(value, read);
};

const withMarks = (text: string, names: Map<string, number>, charactersMax: number): string => {
  const parts: string[] = [];
  let characters = 0;
  let done = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== quote) continue;
    const start = at + 1;
    let isEscaped = false;
    for (at = start; at < text.length && text.charCodeAt(at) !== quote; at += 1) {
      if (text.charCodeAt(at) !== backslash) continue;
      isEscaped = true;
      at += 1;
    }
    if (!isEscaped || !isBeforeColon(text, at + 1)) continue;
    const written = text.slice(start, at);
    if (!names.has(written)) characters += written.length;
    if (characters > charactersMax)
      throw new Refusal(
        'payload_too_large',
        `The body has more than ${charactersMax} characters in names that are written with a backslash.`,
      );
    const number = names.get(written) ?? names.size;
    names.set(written, number);
    parts.push(text.slice(done, start), `${mark}${number}`);
    done = at;
  }
  return parts.join('') + text.slice(done);
};

export const isBeforeColon = (text: string, start: number): boolean => {
  let at = start;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return text.charCodeAt(at) === colon;
};

const withNames = (value: unknown, names: readonly string[]): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withNames(item, names));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.startsWith(mark) ? (names[Number(name.slice(mark.length))] as string) : name,
      withNames(item, names),
    ]),
  );
};
