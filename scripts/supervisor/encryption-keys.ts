/** Which encryption keys a process was given, told without giving them away: an operator's command has to have the same. */
import { createHash } from 'node:crypto';
import { encryptionKeys } from '@settler/chassis/config';
import { z } from 'zod';

/** Of the key a hash alone, which says nothing about 32 random bytes. */
export const keyMark = z.object({ id: z.string(), hash: z.string() });
export type KeyMark = z.output<typeof keyMark>;

/** In the order of the setting, whose first key encrypts. */
export const keyMarksOf = (setting: string): KeyMark[] =>
  encryptionKeys.parse(setting).map(({ id, key }) => ({ id, hash: createHash('sha256').update(key).digest('base64url') }));

/**
 * @throws where a command would have other keys than the service that it is for, or in another order: it would look for secrets under
 * keys that it does not know, find none, and say that the old key is needed no longer
 */
export const requireSameKeys = (service: string, running: readonly KeyMark[], own: readonly KeyMark[]): void => {
  if (JSON.stringify(running) === JSON.stringify(own)) return;
  const ids = (marks: readonly KeyMark[]) => marks.map(({ id }) => id).join(', ');
  const others = ids(running) === ids(own) ? 'others under the same ids' : ids(own);
  throw new Error(
    `${service} runs with the encryption keys ${ids(running)}, and this command has ${others}. Give it the ENCRYPTION_KEY that npm start was given, or none where that had none.`,
  );
};
