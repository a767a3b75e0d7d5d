export const createSimilarity = (kind: 'levenshtein' | 'jaro-winkler' | 'token-set' | 'trigram', threshold: number) => ({
  prepare: (text: string) => ({ kind, text }),
  compare: (one: { readonly text: string }, other: { readonly text: string }): number => {
    const grams = (text: string) => new Set(Array.from({ length: text.length + 1 }, (_, index) => ` ${text} `.slice(index, index + 2)));
    const ours = grams(one.text);
    const theirs = grams(other.text);
    const score = (2 * ours.intersection(theirs).size) / (ours.size + theirs.size);
    return score >= threshold ? score : Number.NaN;
  },
});
