/**
 * What a password must be: long, and not one of those that are tried first (NIST SP 800-63B: known ones, repeated characters, and words
 * of the context). No rules about characters: they make passwords worse.
 */
export const passwordLengthMin = 15;
/** Beside a second factor. */
export const passwordLengthMinWithFactor = 8;
export const passwordBytesMax = 1024;

// Those of the known lists of leaked passwords that are long enough to get this far.
const common = new Set(
  `passwordpassword password12345678 password123456789 passwordpassword1 password1password mypasswordpassword
   123456789012345 1234567890123456 12345678901234567890 012345678901234 0123456789012345 098765432109876 987654321098765
   123123123123123 111111111111111 000000000000000 112233445566778 123456123456123456 123456789123456 123456789123456789
   1234567891234567 123456789987654321 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o0p 1qaz2wsx3edc4rfv 1qaz2wsx3edc4rfv5tgb
   qazwsxedcrfvtgb qwertyuiopasdfgh qwertyuiopasdfghjkl qwertyuiop123456 qwertyuiop12345 qwertyuiopasdfghjklzxcvbnm
   qwertyuiop[]asdfghjkl qwertyqwertyqwerty qwerty123456789 abcdefghijklmno abcdefghijklmnopqrstuvwxyz abc123abc123abc123
   iloveyouiloveyou letmeinletmeinletmein welcomewelcome1 adminadminadmin administrator123 administratorpassword
   changemechangeme changeme12345678 trustno1trustno1 football12345678 monkeymonkeymonkey dragondragondragon
   sunshinesunshine princessprincess superman12345678 michaeljackson1 qwerty1234567890 aaaaaaaaaaaaaaaa
   thisismypassword thisisapassword ihatepasswords1 whatisthepassword forgotmypassword passwordispassword`.split(/\s+/),
);

/** Letters that look the same are the same, however a keyboard composes them. */
export const normalizePassword = (password: string): string => password.normalize('NFKC');

const lengthOf = (password: string): number => [...normalizePassword(password)].length;

/** Whether a password counts beside a second factor alone. */
export const isShort = (password: string): boolean => lengthOf(password) < passwordLengthMin;

/** A word of the context as much as the user's own. */
const productName = 'settler';

/**
 * What is wrong with a new password, as the end of a sentence; undefined when nothing is. `own` is what others know of the user: a
 * password is more than that, once or many times, with blanks or one other character between.
 */
export const passwordFault = (password: string, own: readonly string[], lengthMin = passwordLengthMin): string | undefined => {
  const text = normalizePassword(password);
  if (lengthOf(password) < lengthMin) return `must have at least ${lengthMin} characters; several words do well`;
  const lowered = text.toLowerCase();
  if (common.has(lowered)) return 'is one of the passwords that are tried first; choose another';
  const words = wordsOf(own).filter((word) => lowered.includes(word));
  const rest = words.reduce((left, word) => left.replaceAll(word, ' '), lowered).replaceAll(/\s/gu, '');
  if (new Set(rest).size > 1) return undefined;
  return words.length > 0 ? 'is something that others know of you; choose another' : 'is one character again and again; choose another';
};

/** What others know and the words of it, the longest first: `ada@example.com` is also `ada`. */
const wordsOf = (own: readonly string[]): string[] =>
  [...own, productName]
    .map((text) => normalizePassword(text).toLowerCase())
    .flatMap((text) => [text, ...text.split(/[\s@]+/u)])
    .filter((word) => word !== '')
    .sort((one, other) => other.length - one.length);
