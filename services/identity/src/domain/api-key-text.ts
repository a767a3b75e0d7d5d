/**
 * The text of an API key: `stl_live_<locator>_<secret><checksum>`, 71 ASCII characters, so that bcrypt's limit of 72 bytes is
 * never near. The checksum is keyed: whoever does not know the installation's secret cannot make a text that passes, and
 * junk is refused without a look into the database.
 */
export type Hmac = (text: string) => Uint8Array;

export const apiKeyMark = 'stl_live_';
const locatorLength = 12;
const secretLength = 43;
const checksumLength = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = new RegExp(`^(${apiKeyMark}([0-9A-Za-z]{${locatorLength}}))_[0-9A-Za-z]{${secretLength + checksumLength}}$`);

/** The last digits of a number in base62, most significant first. */
const base62 = (number: bigint, digits: number): string => {
  let text = '';
  for (let rest = number; text.length < digits; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text;
};

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

/** The first 64 bits of the HMAC of everything before the checksum, big-endian, as the last six digits in base62. */
const checksumOf = (text: string, hmac: Hmac): string => base62(numberOf(hmac(text).subarray(0, 8)), checksumLength);

export interface ApiKeyText {
  readonly key: string;
  readonly locator: string;
  /** The key up to and with the locator: what may be shown. */
  readonly prefix: string;
}

/** A key out of chance: 9 bytes for the locator, 32 for the secret, which fill their digits. */
export const writeApiKey = (locatorBytes: Uint8Array, secretBytes: Uint8Array, hmac: Hmac): ApiKeyText => {
  const locator = base62(numberOf(locatorBytes), locatorLength);
  const prefix = apiKeyMark + locator;
  const text = `${prefix}_${base62(numberOf(secretBytes), secretLength)}`;
  return { key: text + checksumOf(text, hmac), locator, prefix };
};

/** What a text says when it is a key of ours; undefined for anything else. */
export const readApiKey = (key: string, hmac: Hmac): ApiKeyText | undefined => {
  const [, prefix, locator] = shape.exec(key) ?? [];
  if (prefix === undefined || locator === undefined) return undefined;
  return checksumOf(key.slice(0, -checksumLength), hmac) === key.slice(-checksumLength) ? { key, locator, prefix } : undefined;
};
