/** `IDENTITY_SECRET` is changed where somebody else may know it: a session whose tokens can be computed with the one before is over. */
import { randomBytes } from 'node:crypto';
import { client, startService } from '@settler/harness';
import { freePorts } from '@settler/local/processes/ports';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Identity, password, startIdentity } from './setup.ts';

let identity: Identity;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity.dispose());

test('another secret ends every session, and who logs in anew has one', async () => {
  const { island } = identity;
  const person = await identity.register();
  const [port] = await freePorts(1, process.pid);
  const settings = { PORT: String(port), IDENTITY_SECRET: randomBytes(32).toString('base64') };
  const { url } = await startService('identity', island.environmentFor('identity', settings));
  const later = client(url, { token: () => island.principalToken({ audience: 'identity', kind: 'anonymous', scopes: [] }) });
  const refresh = (refreshToken: string) => later.post('/v1/auth/refresh', { refreshToken });

  expect((await refresh(person.refreshToken)).status).toBe(401);
  const { body } = await later.post('/v1/auth/login', { email: person.email, password });
  expect((await refresh(body.refreshToken)).status).toBe(200);
});
