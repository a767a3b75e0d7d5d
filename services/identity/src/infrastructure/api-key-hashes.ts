/** How API keys are kept: bcrypt of an HMAC in base64, never of the key itself, because bcrypt ignores what follows byte 72. */
import { createHmac } from 'node:crypto';
import { hash, verify } from '@node-rs/bcrypt';
import { createTurns } from './turns.ts';

/** Low, because 256 bits of chance need no slow hash: nobody guesses them. */
const cost = 6;
const rememberedMax = 10_000;

export const createApiKeyHashes = (secret: Buffer) => {
  const turn = createTurns(2, 1_000);
  const digest = (key: string) => createHmac('sha256', secret).update(key).digest('base64');
  // By HMAC, which hash it was found to be of: a key costs one bcrypt per process. Forgets the oldest when it is full.
  const proved = new Map<string, string>();
  return {
    hash: (key: string): Promise<string> => turn(() => hash(digest(key), { cost })),
    matches: async (key: string, stored: string): Promise<boolean> => {
      const mark = digest(key);
      if (proved.get(mark) === stored) return true;
      if (!(await turn(() => verify(mark, stored)))) return false;
      const oldest = proved.size >= rememberedMax ? proved.keys().next().value : undefined;
      if (oldest !== undefined) proved.delete(oldest);
      proved.set(mark, stored);
      return true;
    },
  };
};
