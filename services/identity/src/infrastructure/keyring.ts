/** The signing keys as this process holds them, read again once a minute, so that a rotation by another replica comes to it in time. */
import type { Logger } from '@settler/chassis/logger';
import type { SigningKeyStore, SigningKeys } from './postgres/signing-key-store.ts';

export interface Keyring {
  readonly keys: () => SigningKeys;
  readonly stop: () => void;
}

const everyMs = 60_000;

/** Resolves once there are keys: without them nobody could log in. */
export const startKeyring = async (store: SigningKeyStore, logger: Logger): Promise<Keyring> => {
  const load = async () => {
    await store.maintain();
    return store.read();
  };
  let current = await load();
  const timer = setInterval(() => {
    load().then(
      (keys) => {
        current = keys;
      },
      // The keys at hand go on working: a retired one stays published for longer than the database may be away unnoticed.
      (error: unknown) => logger.warn({ err: error }, 'the signing keys could not be read again'),
    );
  }, everyMs);
  return { keys: () => current, stop: () => clearInterval(timer) };
};
