/**
 * One-time codes as RFC 6238 has them: six digits out of an HMAC-SHA-1 of the number of a step of 30 s. A clock may be off by one
 * step in either direction, and no step counts that is not later than the last one that did: a code that was seen is of no use.
 */
export type StepHmac = (step: Uint8Array) => Uint8Array;

export const stepSeconds = 30;
export const digits = 6;
const drift = 1;

export const stepAt = (now: Date): number => Math.floor(now.getTime() / 1000 / stepSeconds);

export const codeOf = (step: number, hmac: StepHmac): string => {
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setBigUint64(0, BigInt(step));
  const digest = hmac(counter);
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const offset = view.getUint8(digest.length - 1) & 0x0f;
  return String((view.getUint32(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
};

/** The step that a code is of; undefined for a wrong one, and for one that was used. */
export const stepOf = (code: string, now: Date, lastStep: number, hmac: StepHmac): number | undefined => {
  const current = stepAt(now);
  return [current, current - drift, current + drift].find((step) => step > lastStep && codeOf(step, hmac) === code);
};

/** Whether a text has the form of a code; if not, it can only be a recovery code. */
export const isCode = (text: string): boolean => /^\d{6}$/.test(text);

/** As people type what they read: in groups, in any case. */
export const compact = (text: string): string => text.replaceAll(/[\s-]/g, '').toUpperCase();

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, without padding: what authenticators take, and what people can read to one another. */
export const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five.padEnd(5, '0'), 2))).join('');
};

export const recoveryCodes = 10;
/** 80 bits, which is more than a hash in a stolen database gives away. */
export const recoveryCodeBytes = 10;
export const recoveryCodeText = (bytes: Uint8Array): string => base32(bytes).match(/.{4}/g)?.join('-') ?? '';

/** What authenticators read from a picture. */
export const otpauthUri = (issuer: string, account: string, secret: string): string =>
  `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(account)}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digits}&period=${stepSeconds}`;
