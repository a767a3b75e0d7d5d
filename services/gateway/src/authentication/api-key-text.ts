/**
 * Whether a text can be an API key of this installation, decided without asking anybody: `stl_live_<locator>_<secret><checksum>`
 * with a checksum that only the holders of API_KEY_SECRET can make. Junk therefore never costs identity a bcrypt.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const length = 71;
const checksumLength = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^stl_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/;

/** The first 64 bits of the HMAC of everything before the checksum, big-endian, as the last six digits in base62. */
const apiKeyChecksum = (text: string, secret: Buffer): string => {
  let rest = createHmac('sha256', secret).update(text).digest().readBigUInt64BE(0);
  let digits = '';
  for (; digits.length < checksumLength; rest /= 62n) digits = alphabet.charAt(Number(rest % 62n)) + digits;
  return digits;
};

export const hasApiKeyShape = (text: string): boolean => text.length === length && shape.test(text);

/** Whether a text of the right shape has the right checksum. Takes as long for a wrong one as for one that is nearly right. */
export const hasApiKeyChecksum = (text: string, secret: Buffer): boolean =>
  timingSafeEqual(Buffer.from(apiKeyChecksum(text.slice(0, -checksumLength), secret)), Buffer.from(text.slice(-checksumLength)));
