/** Secrets at rest: AES-256-GCM, the key's id in the text, and bound to the very row and column they belong to. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from './config.ts';

export interface SecretBox {
  readonly seal: (secret: string, place: string) => string;
  /** @throws Error where the text was altered, moved to another place, or sealed under a key that is not here */
  readonly open: (sealed: string, place: string) => string;
}

/** Where a secret is kept: what stands in another place does not open. */
export const placeOf = (organizationId: string, table: string, column: string, id: string): string =>
  [organizationId, table, column, id].join('|');

/** Where sealed texts are kept, so that they can be sealed anew: a table, its column, and what names a row. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** Absent where rows belong to no organization. */
  readonly organizationColumn?: string;
}

/** Of rows that belong to no organization. */
export const noOrganization = 'system';

/** The id of the key that a text was sealed under. */
export const keyIdOf = (sealed: string): string => sealed.split('.', 1)[0] as string;

export const createSecretBox = (keys: readonly EncryptionKey[]): SecretBox => {
  const [current] = keys;
  if (current === undefined) throw new Error('there is no encryption key');
  return {
    seal: (secret, place) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return [current.id, iv.toString('base64url'), cipher.getAuthTag().toString('base64url'), text.toString('base64url')].join('.');
    },
    open: (sealed, place) => {
      const [id, iv = '', tag = '', text = ''] = sealed.split('.');
      const key = keys.find((candidate) => candidate.id === id);
      if (key === undefined) throw new Error(`the secret was sealed under the key ${id}, which is not configured`);
      const decipher = createDecipheriv('aes-256-gcm', key.key, Buffer.from(iv, 'base64url'))
        .setAAD(Buffer.from(place))
        .setAuthTag(Buffer.from(tag, 'base64url'));
      try {
        return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new Error(`a stored secret does not open: ENCRYPTION_KEY has another key under the id ${id}, or what is stored was altered`, {
          cause,
        });
      }
    },
  };
};
