/**
 * Patterns that users write. They run in linear time, and still cost what they are long: repetitions are written out, so that sixty
 * characters can become fifty thousand steps, which took half a second to compile and as long for each page of text. So patterns are
 * measured before they are compiled.
 */
import { RE2JS } from 're2js';

export const patternLengthMax = 500;
const stepsMax = 2_000;
const keptMax = 200;

const kept = new Map<string, RE2JS>();

/** One that was compiled lately is not compiled again: a rule is looked at several times. @throws what is wrong with it */
const compile = (text: string): RE2JS => {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const compiled = RE2JS.compile(text);
  if (kept.size === keptMax) kept.clear();
  kept.set(text, compiled);
  return compiled;
};

/** What is wrong with a pattern, as the end of a sentence; undefined where nothing is. */
export const patternFault = (text: string): string | undefined => {
  if (text.length > patternLengthMax) return `must be at most ${patternLengthMax} characters`;
  if (/\(\?(<?[=!])/.test(text)) return 'must not look ahead or behind: patterns run in linear time';
  if (/\\[1-9]|\\k</.test(text)) return 'must not refer back to a group: patterns run in linear time';
  if (patternSteps(text) > stepsMax) return `must not be longer than ${stepsMax} characters with its repetitions written out`;
  try {
    // The engine that will run it.
    compile(text);
    return undefined;
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message.slice(0, 200)}`;
  }
};

/** True too where the pattern is none: what is wrong with it is said already. */
export const hasGroup = (text: string): boolean => patternFault(text) !== undefined || compile(text).groupCount() > 0;

/** How many characters it is with its repetitions written out: `(ab){3}` is twelve. Of what is no pattern, some number. */
export const patternSteps = (text: string): number => {
  const open: { steps: number; atom: number }[] = [];
  let steps = 0;
  let atom = 0;
  const add = (size: number): void => {
    steps += size;
    atom = size;
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const [token = rest.charAt(0)] = /^(\\Q.*?(\\E|$)|\(\?[imsU-]+\)|\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.|\{\d+(,\d*)?\})/s.exec(rest) ?? [];
    at += token.length;
    // Flags are nothing themselves: what is repeated after them is what stood before.
    if (token.startsWith('(?')) continue;
    if (token === '[') {
      at = endOfClass(text, at);
      add(1);
    } else if (token === '(') {
      open.push({ steps, atom });
      steps = 0;
    } else if (token === ')') {
      const inner = steps;
      ({ steps } = open.pop() ?? { steps: 0 });
      // A group begins and ends.
      add(inner + 2);
    } else if (token.startsWith('{') && token.length > 1) {
      const more = atom * (Math.max(...token.slice(1, -1).split(',').map(Number), 1) - 1);
      steps += more;
      atom += more;
    } else if (/^[*+?]$/.test(token)) {
      steps += 1;
      atom += 1;
    } else add(token.startsWith('\\Q') ? token.length : 1);
  }
  return open.reduce((sum, outer) => sum + outer.steps, steps);
};

/** From after its `[` to after its `]`; a bracket that comes first is a member. */
const endOfClass = (text: string, start: number): number => {
  const [inside = ''] = /^\^?\]?(\\.|\[:\^?\w+:\]|[^\]\\])*\]?/s.exec(text.slice(start)) ?? [];
  return start + inside.length;
};
