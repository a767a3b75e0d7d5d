/** Transforms bring two spellings of the same thing to one. They are applied in order; what is empty afterwards is absent. */
import type { Transform } from '@settler/contracts/rules';

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

const compiled = (transform: Transform): Text => {
  if (typeof transform === 'string') return named[transform];
  if ('stripPrefix' in transform)
    return (text) => (text.startsWith(transform.stripPrefix) ? text.slice(transform.stripPrefix.length) : text);
  if ('stripSuffix' in transform)
    return (text) => (text.endsWith(transform.stripSuffix) ? text.slice(0, -transform.stripSuffix.length) : text);
  return (text) => roundText(text, transform.round);
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
  const steps = transforms.map(compiled);
  return (text) => steps.reduce((current, step) => step(current), text);
};
