/** An authenticator in the hands of somebody who is registered. */
import { createHmac } from 'node:crypto';
import { codeOf, stepAt } from '../src/domain/totp.ts';
import type { Identity, Person } from './setup.ts';

export interface Enrolled extends Person {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

export const bytesOf = (base32: string): Buffer => {
  const bits = [...base32].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
};

/** The code that an authenticator with this secret shows, or showed or will show some steps away from now. */
export const codeFor = (secret: string, steps = 0): string =>
  codeOf(stepAt(new Date()) + steps, (step) => createHmac('sha1', bytesOf(secret)).update(step).digest());

/** As if the next step had come: the last code that was taken is forgotten. */
export const afterNextStep = async (identity: Identity, { userId }: Person): Promise<void> => {
  await identity.rows('update totp_secrets set last_step = 0 where id = $1', [userId]);
};

export const enrol = async (identity: Identity, person: Person): Promise<Enrolled> => {
  const { secret } = (await person.api.post('/v1/me/totp')).body;
  const { recoveryCodes } = (await person.api.post('/v1/me/totp/confirm', { code: codeFor(secret) })).body;
  await afterNextStep(identity, person);
  return { ...person, secret, recoveryCodes };
};
