/** The secrets behind one-time codes: drawn, computed with, and what is kept of recovery codes. */
import { createHmac, randomBytes } from 'node:crypto';
import { base32, compact, recoveryCodeBytes, recoveryCodes, recoveryCodeText, stepOf } from '../domain/totp.ts';

/** As long as the output of the hash, which is what RFC 4226 recommends. */
const secretBytes = 20;

export interface TotpSecrets {
  /** In base64url, as it is sealed. */
  readonly draw: () => string;
  /** As authenticators take it. */
  readonly textOf: (secret: string) => string;
  readonly stepOf: (secret: string, code: string, lastStep: bigint) => number | undefined;
  readonly drawRecoveryCodes: () => readonly string[];
  /** Keyed, and another one for each user. */
  readonly recoveryHash: (userId: string, code: string) => Buffer;
}

export const createTotpSecrets = (key: Buffer, clock: () => Date): TotpSecrets => {
  const bytesOf = (secret: string) => Buffer.from(secret, 'base64url');
  return {
    draw: () => randomBytes(secretBytes).toString('base64url'),
    textOf: (secret) => base32(bytesOf(secret)),
    stepOf: (secret, code, lastStep) =>
      stepOf(code, clock(), Number(lastStep), (step) => createHmac('sha1', bytesOf(secret)).update(step).digest()),
    drawRecoveryCodes: () => Array.from({ length: recoveryCodes }, () => recoveryCodeText(randomBytes(recoveryCodeBytes))),
    recoveryHash: (userId, code) =>
      createHmac('sha256', key)
        .update(`${userId}\n${compact(code)}`)
        .digest(),
  };
};
