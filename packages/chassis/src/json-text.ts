/**
 * JSON on its way from where it is stored to an answer, which takes it as it is: to read it only to write it again is a third of the time
 * of a page. Whoever looks into one with `JSON.stringify` finds what it says.
 */
import { randomUUID } from 'node:crypto';
import { parseWithNames } from './json-names.ts';

/** What stands for a text until all of them are put in; nobody can have sent it. */
const mark = randomUUID();
let found: string[] | undefined;

export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    if (found === undefined) return parseWithNames(this.text);
    found.push(this.text);
    return mark;
  }
}

/** As `JSON.stringify`; what is a JsonText stands in the answer as it is. */
export const stringify = (value: unknown): string | undefined => {
  const texts: string[] = [];
  found = texts;
  let marked: string | undefined;
  try {
    marked = JSON.stringify(value);
  } finally {
    found = undefined;
  }
  if (marked === undefined || texts.length === 0) return marked;
  const [first = '', ...parts] = marked.split(`"${mark}"`);
  return parts.reduce((written, part, index) => written + texts[index] + part, first);
};
