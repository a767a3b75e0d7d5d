/** Measures that compare what texts consist of, in whatever order. */
import { comparedMax, eachBy, type Measure } from './measure.ts';

type Parts = ReadonlySet<string>;

const wordsOf = (text: string): string[] =>
  text
    .slice(0, comparedMax)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

const shared = (one: Parts, other: Parts): number => {
  const [smaller, larger] = one.size <= other.size ? [one, other] : [other, one];
  let count = 0;
  for (const part of smaller) if (larger.has(part)) count += 1;
  return count;
};

/**
 * `token-set`: twice the words that both have ÷ the words of both (Dice). `ACME GmbH` and `GmbH ACME, Hamburg` come to 0.8, and not to
 * 1 as in measures that forgive everything that is missing: among payers a missing word is often another company.
 */
export const createTokenSet = (threshold: number): Measure<Parts> => ({
  prepare: (text) => new Set(wordsOf(text)),
  compare: eachBy(threshold, (one, other) => (one.size + other.size === 0 ? 0 : (2 * shared(one, other)) / (one.size + other.size))),
});

/** `trigram`: triples of letters that both have ÷ those that either has, each word with two spaces before it and one behind, as in PostgreSQL's pg_trgm. */
export const createTrigram = (threshold: number): Measure<Parts> => ({
  prepare: (text) =>
    new Set(
      wordsOf(text).flatMap((word) => {
        const padded = `  ${word} `;
        return Array.from({ length: padded.length - 2 }, (_, index) => padded.slice(index, index + 3));
      }),
    ),
  compare: eachBy(threshold, (one, other) => {
    const both = shared(one, other);
    const either = one.size + other.size - both;
    return either === 0 ? 0 : both / either;
  }),
});
