/** Fresh secrets in the forms that the services' settings take. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Service, type StatefulService, services, statefulServices } from '@settler/contracts/services';

export interface KeyPair {
  /** PKCS8 DER in base64. */
  readonly privateKey: string;
  /** SPKI DER in base64. */
  readonly publicKey: string;
}

export interface ServicePasswords {
  readonly app: string;
  readonly system: string;
  readonly broker: string;
}

/** Everything secret that the services of one installation are given. */
export interface ServiceSecrets {
  readonly encryptionKey: string;
  readonly apiKeySecret: string;
  readonly identitySecret: string;
  readonly signingKeys: Readonly<Record<Service, KeyPair>>;
  readonly passwords: Readonly<Record<StatefulService, ServicePasswords>>;
}

/** Without characters that a URL or a configuration file would want escaped. */
export const newPassword = (): string => randomBytes(24).toString('base64url');

/** 32 bytes in base64. */
export const newSecretKey = (): string => randomBytes(32).toString('base64');

const newKeyPair = (): KeyPair => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
};

export const newServiceSecrets = (): ServiceSecrets => ({
  encryptionKey: newSecretKey(),
  apiKeySecret: newSecretKey(),
  identitySecret: newSecretKey(),
  signingKeys: forEach(services, newKeyPair),
  passwords: forEach(statefulServices, () => ({ app: newPassword(), system: newPassword(), broker: newPassword() })),
});

/** One value per name, with the names as the type's keys. */
export const forEach = <Name extends string, Value>(names: readonly Name[], valueFor: (name: Name) => Value): Record<Name, Value> =>
  Object.fromEntries(names.map((name) => [name, valueFor(name)])) as Record<Name, Value>;
