/** The signing keys as the database has them: a key that was withdrawn signs nothing from the commit on, whichever replica is asked. */
import type { Logger } from '@settler/chassis/logger';
import type { PublishedKey, SigningKeyStore, SigningKeys } from './postgres/credentials/signing-key-store.ts';

export interface Keyring {
  readonly signing: () => Promise<SigningKeys['signing']>;
  readonly published: () => Promise<readonly PublishedKey[]>;
  readonly stop: () => void;
}

const maintainedEveryMs = 60_000;

/** Resolves once there are keys: without them nobody could log in. */
export const startKeyring = async (store: SigningKeyStore, logger: Logger): Promise<Keyring> => {
  await store.maintain();
  let last = await store.read();
  const read = async (): Promise<SigningKeys> => {
    last = await store.read();
    return last;
  };
  const timer = setInterval(() => {
    store.maintain().catch((error: unknown) => logger.warn({ err: error }, 'the signing keys are seen to in the next round'));
  }, maintainedEveryMs);
  return {
    signing: async () => (await read()).signing,
    published: async () => {
      // Verifiers drop what has been withdrawn by themselves, and the others serve while the database is away.
      const { published } = await read().catch((error: unknown) => {
        logger.warn({ err: error }, 'the signing keys are published as they were read last');
        return last;
      });
      return published;
    },
    stop: () => clearInterval(timer),
  };
};
