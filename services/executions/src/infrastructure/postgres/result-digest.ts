/**
 * What may be found among results that stand one behind the other. An index of every text would take as long to write as the results
 * do; this takes a hundredth of it, and says for most of a run's results that a search need not look at them.
 */
import type { ResultDigest } from '../../application/ports.ts';

/** Results per digest: among fewer there is less to be found, and more of them have to be asked. */
export const digestedMax = 1_000;

const bytes = 4 * 1024;
const bits = bytes * 8;
const letters = 3;
/** Nobody is found in vain for want of more. */
const askedMax = 32;

/** The bit of the three letters that begin at `at`. */
const bitAt = (text: string, at: number): number =>
  (Math.imul(Math.imul(text.charCodeAt(at) * 31 + text.charCodeAt(at + 1), 31) + text.charCodeAt(at + 2), 0x9e3779b1) >>> 0) % bits;

/** The bits that a digest must have where one of its texts contains this one; none where it is too short to tell. */
export const bitsOf = (text: string): number[] =>
  [...new Set(Array.from({ length: Math.max(0, text.length - letters + 1) }, (_, at) => bitAt(text, at)))].slice(0, askedMax);

/** Decimals are rounded to doubles, which must not make one smaller than it is. */
const roundedUp = (amount: string): number => Number(amount) * (1 + 1e-9);

/** `first`: the position of the first that is added. */
export const createDigests = (first: number) => {
  const digests: ResultDigest[] = [];
  let from = first;
  let next = first;
  let passes = new Set<string>();
  let amountMost: number | null = null;
  let trigrams = new Uint8Array(bytes);

  const end = (): void => {
    if (next === from) return;
    digests.push({ first: from, last: next - 1, passes: [...passes], amountMost, trigrams });
    from = next;
    passes = new Set();
    amountMost = null;
    trigrams = new Uint8Array(bytes);
  };
  return {
    add: (pass: string | null, amount: string | null, text: string): void => {
      if (pass !== null) passes.add(pass);
      if (amount !== null) amountMost = Math.max(amountMost ?? 0, roundedUp(amount));
      for (let at = 0; at <= text.length - letters; at += 1) {
        const bit = bitAt(text, at);
        trigrams[bit >>> 3] = (trigrams[bit >>> 3] as number) | (1 << (bit & 7));
      }
      next += 1;
      if (next - from === digestedMax) end();
    },
    build: (): readonly ResultDigest[] => {
      end();
      return digests;
    },
  };
};
