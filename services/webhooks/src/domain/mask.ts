/**
 * What is kept of an answer shows no header value of its endpoint: a receiver that echoes what it was sent would tell a credential to
 * everybody who may read deliveries. Masked are the value, what follows its first word (the token of `Bearer …`), and both as JSON has them.
 */

/** The text with each value replaced; of one that was cut off, also what a value begins with where it ends. */
export type Mask = (text: string, isCutOff: boolean) => string;

const dots = '••••';
/** Shorter, what follows a first word is no credential, and answers would be full of holes. */
const tokenLengthMin = 8;

export const maskFor = (values: readonly string[]): Mask => {
  const spellings = values.flatMap((value) => {
    const whole = value.trim();
    const token = whole.replace(/^\S+\s+/, '');
    return [whole, ...(token.length >= tokenLengthMin ? [token] : [])].flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  });
  const longestFirst = [...new Set(spellings)].filter((text) => text !== '').sort((one, other) => other.length - one.length);
  if (longestFirst.length === 0) return (text) => text;
  const pattern = new RegExp(longestFirst.map((text) => RegExp.escape(text)).join('|'), 'g');
  return (text, isCutOff) => {
    const masked = text.replaceAll(pattern, dots);
    const begun = isCutOff ? begunAtEnd(masked, longestFirst) : 0;
    return begun === 0 ? masked : masked.slice(0, -begun) + dots;
  };
};

/** How many characters at the end of a text one of those begins with. */
const begunAtEnd = (text: string, longestFirst: readonly string[]): number => {
  for (let length = longestFirst[0]?.length ?? 0; length > 0; length -= 1) {
    const end = text.slice(-length);
    if (end.length === length && longestFirst.some((one) => one.startsWith(end))) return length;
  }
  return 0;
};
