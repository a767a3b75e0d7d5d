/**
 * What may be found among results that stand one behind the other. An index of every text would take as long to write as the results
 * do; this takes a few hundredths of it, and says for most of a run's results that a search need not look at them.
 */
import type { ResultDigest } from '../../../application/ports.ts';

/** Results per digest: among fewer there is less to be found, and more of them have to be asked. */
export const digestedMax = 1_000;

/** Letters in a row, each with a bit: five are rarely met by chance, and three tell something of texts that are shorter. */
const grams = {
  trigrams: { letters: 3, bits: 2 ** 15 },
  pentagrams: { letters: 5, bits: 2 ** 18 },
} as const;
type Grams = keyof typeof grams;

/** Nobody is found in vain for want of more. */
const askedMax = 32;

const factor = 31;

/** A text as the numbers of its letters, of which the first `length` are its own. */
export interface Letters {
  readonly codes: Uint16Array;
  readonly length: number;
}

export const lettersOf = (text: string): Letters => {
  const codes = new Uint16Array(text.length);
  for (let at = 0; at < text.length; at += 1) codes[at] = text.charCodeAt(at);
  return { codes, length: text.length };
};

/** Calls `found` with the bit of all letters in a row that there are. Each hash is that of the letter before, less what has gone. */
const eachBit = ({ codes, length }: Letters, { letters, bits }: (typeof grams)[Grams], found: (bit: number) => void): void => {
  const gone = (factor ** letters) | 0;
  let hash = 0;
  for (let at = 0; at < length; at += 1) {
    hash = (Math.imul(hash, factor) + (codes[at] as number)) | 0;
    if (at >= letters) hash = (hash - Math.imul(gone, codes[at - letters] as number)) | 0;
    if (at >= letters - 1) found(Math.imul(hash, 0x9e3779b1) & (bits - 1));
  }
};

/** The bits that a digest must have where one of its texts contains this one; none where it is too short to tell. */
export const bitsOf = (text: string): { readonly of: Grams; readonly bits: readonly number[] } => {
  const of = text.length >= grams.pentagrams.letters ? 'pentagrams' : 'trigrams';
  const bits = new Set<number>();
  eachBit(lettersOf(text), grams[of], (bit) => bits.add(bit));
  return { of, bits: [...bits].slice(0, askedMax) };
};

/** In memory that threads share: whoever sends them to another one copies nothing. */
const emptyBits = (of: Grams): Uint8Array => new Uint8Array(new SharedArrayBuffer(grams[of].bits / 8));

const mark = (marked: Uint8Array, text: Letters, kind: (typeof grams)[Grams]): void =>
  eachBit(text, kind, (bit) => {
    marked[bit >>> 3] = (marked[bit >>> 3] as number) | (1 << (bit & 7));
  });

/** Decimals are rounded to doubles, which must not make one smaller than it is. */
const roundedUp = (amount: string): number => Number(amount) * (1 + 1e-9);

/** What a result is found by. `names`: the ids of its records, where its text has not all of them. */
export interface Findable {
  readonly id: string;
  readonly outcome: string;
  readonly pass: string | null;
  readonly amount: string | null;
  readonly text: Letters;
  readonly names?: readonly string[];
}

/** `first`: the position of the first that is added. */
export const createDigests = (first: number) => {
  const digests: ResultDigest[] = [];
  let from = first;
  let next = first;
  let outcomes = new Set<string>();
  let passes = new Set<string>();
  let idLeast = '';
  let idMost = '';
  let amountMost: number | null = null;
  let trigrams = emptyBits('trigrams');
  let pentagrams = emptyBits('pentagrams');

  const end = (): void => {
    if (next === from) return;
    const ids = { idLeast, idMost };
    digests.push({ first: from, last: next - 1, outcomes: [...outcomes], passes: [...passes], ...ids, amountMost, trigrams, pentagrams });
    from = next;
    outcomes = new Set();
    passes = new Set();
    amountMost = null;
    trigrams = emptyBits('trigrams');
    pentagrams = emptyBits('pentagrams');
  };
  return {
    add: ({ id, outcome, pass, amount, text, names = [] }: Findable): void => {
      outcomes.add(outcome);
      if (next === from || id < idLeast) idLeast = id;
      if (next === from || id > idMost) idMost = id;
      if (pass !== null) passes.add(pass);
      if (amount !== null) amountMost = Math.max(amountMost ?? 0, roundedUp(amount));
      for (const letters of [text, ...names.map(lettersOf)]) {
        mark(trigrams, letters, grams.trigrams);
        mark(pentagrams, letters, grams.pentagrams);
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
