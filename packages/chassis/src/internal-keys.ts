/** The keys of services, as settings have them: DER in base64. @throws where they are none */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

export const privateKeyOf = (text: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });

export const publicKeyOf = (text: string): KeyObject => createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
